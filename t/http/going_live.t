# SPDX-License-Identifier: Apache-2.0
# The steps of docs/going-live.md, with its own blocks: no client is asked for
# money, then one location, then a share of all addresses, then all, then no client.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Page;
use X402::Test;

my $page = 'docs/going-live.md';
sub block ($heading) { return (grep { $_->{language} eq 'nginx' } X402::Page::blocks($page, $heading))[0]{text} }

# As in the page, but for hosts, ports and files.
sub here ($text) {
    $text =~ s{https://facilitator\.example\.com}{%%FACILITATOR%%};
    $text =~ s{/var/l(?:ib|og)/nginx/}{%%DIR%%/}g;
    $text =~ s{http://app}{http://%%BACKEND%%}g;
    $text =~ s{/var/www/html}{%%DIR%%/free}g;
    $text =~ s/server \{/server { listen 127.0.0.1:%%PORT%%;/;
    return $text;
}

my ($terms, $shadowed) = block('1. Try it') =~ /\Ahttp \{\n(.*?)^    (server \{.*)^\}$/ms or die 'no server in http';
my $copy = block('2. Pay with test money');
my ($share, $shared) = block('3. A share of clients') =~ /\A(.*?)^(server \{.*)\z/ms or die 'no server';

sub conf ($before, $server, $extra = '') {
    $server =~ s/\}\s*\z/$extra\n}\n/ if length $extra;
    return here("%%GLOBALS%%\nevents { }\nhttp {\n%%HTTP%%\n$terms$before$server}\n");
}

my ($f, $up) = (facilitator(), backend());
my $t = nginx(conf('', $shadowed), facilitator => $f, backend => $up);
$t->allow(qr/would be asked for|only tried/);
mkdir $t->dir . '/free' or die $!;
open my $page_file, '>', $t->dir . '/free/page.html' or die $!;
print {$page_file} 'free';
close $page_file or die $!;
$t->start;

is $t->get($_)->status, 200, "shadow: $_ is free" for '/reports/a', '/api/b';
ok $t->wait_for(sub { read_ledger() =~ /would_challenge/ }), 'and the ledger says what it would have cost';
is $t->get('/metrics')->status, 200, 'the status page is there';
is $t->get('/page.html')->body, 'free', 'and so is the rest of the site';
unlike read_ledger(), qr/would_refuse/, 'which is counted nowhere';

$t->conf(conf('', $shadowed, $copy));
$t->reload;
is $t->get('/reports/a')->status, 200, 'a copy for tests: the shop is free';
is unpaid($t, '/reports-test/a')->{accepts}[0]{network}, 'eip155:84532', 'the copy asks for test money';
is paid($t, '/reports-test/a')->status, 200, 'and is sold';

# Addresses of which the share is one, and is not.
$t->conf(conf($share, $shared));
$t->reload;
my %status;
for my $n (1 .. 250) {
    my $status = $t->get('/reports/a', from => "127.0.0.$n")->status;
    push $status{$status}->@*, "127.0.0.$n";
}
is $t->get('/page.html', from => $_)->status, 200, "the rest of the site is free for $_" for map { "127.0.0.$_" } 1 .. 20;
is join(' ', sort keys %status), '200 402', 'a share of the addresses pays';
cmp_ok scalar $status{402}->@*, '<', scalar $status{200}->@*, 'the smaller one';
is $t->get('/reports/a', from => $status{402}[0])->status, 402, 'the same ones each time';

my $all = $shared =~ s/^ *x402_bypass .*\n//mr;
$t->conf(conf('', $all));
$t->reload;
is $t->get('/reports/a', from => $_)->status, 402, "all: $_" for $status{200}[0], $status{402}[0];
my $kept = payment(unpaid($t, '/reports/a'));
is paid($t, '/reports/a', payment => $kept)->status, 200, 'and it is sold';

$t->conf(conf('', $all =~ s/x402 +on;/x402 shadow;/r));
$t->reload;
is $t->get('/reports/a')->status, 200, 'shadow in place of on: all is free again';
$t->conf(conf('', $all =~ s/x402 +on;/x402 off;/r));
$t->reload;
is $t->get('/reports/a')->status, 402, 'off for the server leaves the prices of its locations';
$t->conf(conf('', $all));
$t->reload;
is paid($t, '/reports/a', payment => $kept)->status, 402, 'what was paid is remembered all the time';

sub read_ledger () {
    open my $file, '<', $t->dir . '/x402.ledger' or return '';
    local $/;
    return scalar(<$file>) // '';
}

finish;
