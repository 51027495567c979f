# SPDX-License-Identifier: Apache-2.0
# x402_zone sync=on: what must not be forgotten is on the disk first. One flush is for many payments, no worker waits
# for it, and after a loss of power nothing was sold twice, and nothing that was paid is forgotten.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(sleep time);
use X402::Test;

my $shim = "$FindBin::Bin/../../build/chaos/fault_shim.so";
plan skip_all => 'build/chaos/fault_shim.so is not built' if !-e $shim;
plan skip_all => 'a sanitizer comes first'                if X402::Nginx::module() eq 'static';

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
worker_processes 2;
env LD_PRELOAD;
env CHAOS_CONTROL;
events { worker_connections 1024; }
http {
    %%HTTP%%
    %%ZONE%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location /       { proxy_pass http://%%BACKEND%%; }
        location /before { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /off    { x402_settle off; proxy_pass http://%%BACKEND%%; }
        location /free   { x402 off; return 200 "free\n"; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { ZONE => '' });
my $journal = "$t->{dir}/claims.journal";
my $zone    = "x402_zone mine:1m journal=$journal sync=on;";
$up->on('*', body => "SECRET\n");

# --- the configuration

sub with_zone ($line) { return $conf =~ s/%%ZONE%%/$line/r }
like $t->config_error(with_zone('x402_zone mine:1m sync=on;')), qr/\[emerg\].*sync= requires journal=path/, 'sync without a journal';
like $t->config_error(with_zone("x402_zone mine:1m journal=$journal sync=yes;")), qr/\[emerg\].*"sync=yes" must be/, 'sync=yes';
like $t->config_error(with_zone("x402_zone mine:1m sync=on sync=off journal=$journal;")), qr/\[emerg\]/, 'sync twice';
sub advice ($line) { my ($text) = $t->test_config(with_zone($line)); return $text =~ /\[warn\] (.*sync=on.*)/ ? $1 : '' }
like advice("x402_zone mine:1m journal=$journal;"), qr/x402_settle off.*loss of power/, 'advised where only the journal is a guard';
like advice("x402_zone mine:1m journal=$journal sync=off;"), qr/sync=on/, 'also with sync=off';
is advice($zone), '', 'and no more with it';

# --- the disk, as the shim makes it: slow, or broken

my $control = $t->write('control', pack 'q8', (0) x 8);
sub set_word ($number, $value) {
    open my $file, '+<:raw', $control or die "$control: $!";
    sysseek $file, 8 * $number, 0;
    syswrite $file, pack 'q', $value;
    return;
}
sub word ($number) {
    open my $file, '<:raw', $control or die "$control: $!";
    sysread $file, my $bytes, 64;
    return (unpack 'q8', $bytes)[$number];
}
sub delay ($seconds) { return set_word(4, $seconds * 1e6) }
sub hold ()          { return delay(3600) }    # until delay(0)
sub broken ($is)     { return set_word(5, $is ? 1 : 0) }
sub syncs ()         { return word(6) }

$t->{holes}{ZONE} = $zone;
$t->conf($conf);
{
    local $ENV{LD_PRELOAD}    = $shim;
    local $ENV{CHAOS_CONTROL} = $control;
    $t->start;
}
# What is settled first says so in its offer.
my %offer = map { $_ => unpaid($t, $_) } '/a', '/before', '/off';
sub fresh ($path) { return payment($offer{$path} // $offer{'/a'}, from => random_hex(20)) }
sub begin ($path, $payment = fresh($path)) {
    my $c = $t->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    return $c;
}

# --- first the disk, then the wire, then the client

for my $path ('/a', '/before') {
    my $p = "$path: ";
    $_->forget for $f, $up;
    $f->settle('hold');
    hold;
    my $c = begin($path);
    $up->wait_count('/a', 1) if $path eq '/a';
    sleep 0.2;
    is $f->calls('settle'), 0, "${p}nothing is sent before it is on the disk";
    # By both workers.
    is join('', map { $t->get('/free')->body } 1 .. 20), "free\n" x 20, "${p}others are served meanwhile";
    delay(0);
    ok $f->wait_calls(settle => 1), "${p}then it is";
    hold;
    $f->settle('paid');
    $f->release('settle');
    is $c->rest(0.3), '', "${p}not before the record PAID is on the disk";
    delay(0);
    is_content $c->answer, "SECRET\n", "${p}served";
}
$_->forget for $f, $up;
hold;
my $c = begin('/off');
$f->wait_calls(verify => 1);
sleep 0.2;
is $up->count('/off'), 0, '/off: no content is made before it is on the disk';
delay(0);
is $c->answer->body, "SECRET\n", '/off: served';

# --- a worker that was asked to quit waits for the disk, too

for my $path ('/a', '/before', '/off') {
    $_->forget for $f, $up;
    hold;
    my %old = map { $_ => 1 } $t->workers;
    $c = begin($path);
    $path eq '/a' ? $up->wait_count('/a', 1) : $f->wait_calls(verify => $path eq '/off');
    sleep 0.2;
    $t->signal('HUP');
    $t->wait_for(sub { grep { !$old{$_} } $t->workers });
    delay(0);
    is $c->answer->body, "SECRET\n", "$path: served across a reload";
}

# --- one flush is for many

hold;
$_->forget for $f, $up;
my $before = syncs();
my @many = map { begin("/a?$_") } 1 .. 60;
ok $up->wait_count('/a', 60), 'sixty wait for the disk';
delay(0.15);
is scalar(grep { $_->answer->status == 200 } @many), 60, 'sixty payments at once are served';
my $flushes = syncs() - $before;
cmp_ok $flushes, '<', 40, "by $flushes flushes instead of 120";

# --- who does not wait

hold;
$_->forget for $f, $up;
my $payment = fresh('/gone');
$c = begin('/gone', $payment);
$up->wait_count('/gone', 1);
sleep 0.2;
$t->leave($c);
delay(0);
sleep 1;
is $f->calls('settle'), 0, 'a client that left before anything was sent is not charged';
is_content paid($t, '/gone', payment => $payment), "SECRET\n", 'and its payment is good for another try';

$_->forget for $f, $up;
$f->settle('hold');
$payment = payment(unpaid($t, '/owed'), from => random_hex(20));
$c = begin('/owed', $payment);
$f->wait_calls(settle => 1);
hold;
$f->settle('paid');
$f->release;
sleep 0.3;
$t->leave($c);
delay(0);
$t->wait_for(sub { $t->log =~ /owed: charged, content not delivered/ });
$_->forget for $f, $up;
$t->wait_for(sub { paid($t, '/owed', payment => $payment)->status == 200 });
is $f->calls('settle'), 0, 'a client that left when it was paid has its content, and is not charged again';

# --- a disk that refuses

$t->allow(qr/\[crit\].*cannot be flushed to the disk/);
broken(1);
$_->forget for $f, $up;
for my $path ('/a', '/before', '/off') {
    my $r = paid($t, $path, payment => fresh($path));
    is $r->status . $r->body, '503{"error":"busy","charged":false}', "$path: a disk that refuses: busy";
    no_trace $r, 'SECRET', "$path: a disk that refuses";
}
is $f->calls('settle'), 0, 'nothing is sent';
is $up->count('/off'), 0, 'nor made for good';
broken(0);
ok $t->wait_for(sub { paid($t, '/a')->body eq "SECRET\n" }), 'it works again: sold';
$f->settle('hold');
$c = begin('/a');
$f->wait_calls(settle => 2);
broken(1);
$f->settle('paid');
$f->release;
is_content $c->answer, "SECRET\n", 'it breaks when the money has moved: content is not kept back';
broken(0);
ok $t->wait_for(sub { paid($t, '/a')->body eq "SECRET\n" }), 'sold again';
$t->log_like(qr/\[crit\].*\Q$journal\E.*cannot be flushed to the disk.*look at the disk/, 'the log says what to do');

# --- no power

my %sold;
for my $path ('/a', '/off') {
    $sold{$path} = payment(unpaid($t, $path), from => random_hex(20));
    is paid($t, $path, payment => $sold{$path})->body, "SECRET\n", "$path: sold";
}
$f->settle('hold');
$f->forget;
$sold{'/wire'} = payment(unpaid($t, '/wire'), from => random_hex(20));
my $wire = begin('/wire', $sold{'/wire'});
$f->wait_calls(settle => 1);
sleep 0.2;
my $safe = word(7);
# What comes now does not reach the disk.
hold;
$up->forget;
my @lost = map { begin("/a?lost$_") } 1 .. 3;
$up->wait_count('/a', 3);
$t->wait_for(sub { -s $journal > $safe });
sleep 0.3;
is $f->calls('settle'), 1, 'what has not reached the disk is not sent';

$t->kill_all;
set_word(4, 0);
my $whole = do { local $/; open my $file, '<:raw', $journal or die $!; <$file> };
cmp_ok length($whole), '>', $safe, 'the journal has more than the disk';
my $step = int((length($whole) - $safe) / 5) || 1;
for (my $cut = $safe; $cut <= length $whole; $cut += $step) {
    open my $file, '>:raw', $journal or die $!;
    print {$file} substr $whole, 0, $cut;
    close $file;
    unlink "$journal.2";
    $t->start;
    $_->forget for $f, $up;
    is paid($t, $_, payment => $sold{$_})->status =~ /\A(?:200|402|503)\z/ ? $f->calls('verify') : '?', 0,
        "cut at $cut: $_ is not sold again" for '/a', '/off';
    $f->settle('close');
    is paid($t, '/elsewhere', payment => $sold{'/wire'})->body, '{"error":"settlement_unknown","charged":"unknown"}',
        "cut at $cut: what was on the wire is unknown";
    is $t->quit, 0, "cut at $cut: ended";
}

finish;
