# SPDX-License-Identifier: Apache-2.0
# The events that wait for x402_webhook: a torn line, an event that is always
# refused, a file that is cut while something waits, one that was deleted, and
# one that cannot grow.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Test;

my ($f, $up, $hook) = (facilitator(), backend(), backend());
my $conf = <<'EOC';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_ledger off;
    x402_zone x402:4m journal=payments;
    x402_webhook http://%%HOOK%%/hook;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOC
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { HOOK => $hook->address });
$up->on('*', body => "CONTENT\n");
my $path = $t->dir . '/payments.events';

sub metric ($name) { return $t->get('/metrics')->body =~ /^nginx_x402_webhook_$name (\d+)$/m ? $1 : -1 }
sub waiting ()     { return metric('waiting_events') }
sub bodies ()      { return map { $_->{body} } $hook->requests('/hook') }
sub got ($what) { return scalar grep { /\Q$what\E"/ } bodies() }

sub torn (@bodies) {
    return grep {
        !eval { JSON::PP::decode_json($_) }
    } @bodies;
}
sub sizes () { return (-s $path || 0) + (-s "$path.2" || 0) }

# --- a torn line ------------------------------------------------------------------

$hook->on('*', status => 500);
$t->start;
is_content paid($t, '/first'), "CONTENT\n", 'paid';
ok $t->wait_for(sub { waiting() == 2 }), 'two events wait';
ok defined $t->quit, 'nginx ends';
my ($file) = sort { -s $b <=> -s $a } $path, "$path.2";
open my $torn, '>>', $file or die $!;
print {$torn} '{"time":"2026-01-01T00:00:00.000Z","event":"settled","paym' or die $!;
close $torn;
$hook->on('*', status => 204);
$hook->forget;
$t->start;
$t->log_like(qr/\[warn\].*x402_webhook: 58 bytes in ".*payments\.events\S*" belong to no whole event and were skipped/, 'a torn end is named');
is_content paid($t, '/second'), "CONTENT\n", 'paid';
ok $t->wait_for(sub { waiting() == 0 && got('/first') == 2 && got('/second') == 2 }), 'whole events are received';
is_deeply [ torn(bodies()) ], [], 'and nothing else';

# while nginx runs
$hook->on('*', status => 500);
is_content paid($t, '/third'), "CONTENT\n", 'paid';
($file) = sort { -s $b <=> -s $a } $path, "$path.2";
open $torn, '>>', $file or die $!;
print {$torn} '{"time":"2026' or die $!;
close $torn;
is_content paid($t, '/fourth'), "CONTENT\n", 'paid';
$hook->on('*', status => 204);
ok $t->wait_for(sub { waiting() == 0 && got('/fourth') >= 2 }, 20), 'a line that others broke swallows none';
is_deeply [ torn(bodies()) ], [], 'and is not sent';
$t->log_like(qr/14 bytes in ".*payments\.events" belong to no whole event/, 'it is named');

# --- one event that is refused ----------------------------------------------------

$hook->on('*', status => 204, refuses => '/poison');
my $again = $t->log_count(qr/receives events again/);
$hook->forget;
is_content paid($t, '/poison'), "CONTENT\n", 'paid';
paid($t, "/other$_") for 1 .. 140;
ok $t->wait_for(sub { waiting() == 2 }, 20), 'the others are received, and the metric is exact';
is scalar(grep { /other/ } bodies()), 280, 'all of them, once';
is scalar(grep { /"event":"delivered".*poison/ } bodies()), 0, 'the next event of that payment waits';
is $t->log_count(qr/did not accept an event: status 400/), 1, 'one line says so';
is $t->log_count(qr/receives events again/), $again, 'and none that it receives again';
ok $t->wait_for(sub { sizes() < 80_000 }, 15), 'the file is cut, although two wait';
ok defined $t->quit, 'nginx ends';
$hook->forget;
$hook->on('*', status => 204);
$t->start;
ok $t->wait_for(sub { waiting() == 0 }), 'the last two are received';
is scalar(bodies()), 2, 'and no other is sent again';

# --- answers ------------------------------------------------------------------------

$hook->forget;
$hook->on('*', status => 429, headers => [ 'Retry-After' => 2 ]);
is_content paid($t, '/asked'), "CONTENT\n", 'paid';
ok $t->wait_for(sub { bodies() >= 2 }), 'sent again after Retry-After';
my @at = map { $_->{at} } $hook->requests('/hook');
cmp_ok $at[1] - $at[0], '>', 1.9, 'not earlier';
$hook->on('*', status => 200, body => 'x' x 600_000);
ok $t->wait_for(sub { waiting() == 0 }), 'received';
is scalar(grep { /"event":"delivered"/ } bodies()), 1, 'a 2xx counts whatever its body';
$hook->on('*', status => 301, headers => [ Location => 'http://' . $hook->address . '/hook/' ]);
is_content paid($t, '/moved'), "CONTENT\n", 'paid';
ok $t->wait_for(sub { $t->log_count(qr/status 301, and redirects are not followed/) }), 'a line says that redirects are not followed';
$hook->on('*', status => 204);
ok $t->wait_for(sub { waiting() == 0 }), 'received';

# --- a reload while an older worker is left ----------------------------------------------

# The files are not taken for unused ones, which would copy them while they are written.
sub editions () { return join ' ', map { open my $file, '<', $_ or die $!; (<$file> // '') =~ /^#(\d+)/ } $path, "$path.2" }
$up->on('/slow', body => "SLOW\n", hold => 1);
my $slow = $t->connect;
$slow->write_request(GET => '/slow', headers => pay_with($t, '/slow'));
ok $t->wait_for(sub { $up->hits('/slow') == 1 }), 'content is slow';
my @old = $t->reload;
my $known = editions();
paid($t, "/turn$_") for 1 .. 80;
ok $t->wait_for(sub { waiting() == 0 }), 'much was received';
sleep 1;
is editions(), $known, 'no file takes its turn while an older worker writes';
$hook->on('*', status => 500);
paid($t, "/wait$_") for 1 .. 90;
$up->release('/slow');
$slow->answer;
ok $t->wait_exit(@old), 'the old worker ends';
$t->reload;
is editions(), $known, 'nor at a reload, while another one writes';
$hook->on('*', status => 204);
ok $t->wait_for(sub { waiting() == 0 }), 'all are received';

# --- emptied by hand -------------------------------------------------------------------

# An answer to what is gone, before that is noticed.
for my $round (1 .. 3) {
    my $behind = "/behind$round" . 'x' x 97;
    $hook->forget;
    $hook->on('*', status => 204, hold => 1);
    paid($t, "/hand$round/$_") for 1 .. 3;
    ok $t->wait_for(sub { $hook->hits('/hook') == 3 }), 'events are on the wire';
    my $payment = pay_with($t, $behind);
    truncate $_, 0 or die $! for $path, "$path.2";
    $t->get($behind, headers => $payment);
    $hook->on('*', status => 204);
    $hook->release('/hook');
    ok $t->wait_for(sub { waiting() == 0 }, 20), 'nothing waits';
    my %received = map { /"event":"(\w+)".*\Q$behind"/ ? ($1 => 1) : () } bodies();
    is join(' ', sort keys %received), 'delivered settled', 'what was written since is received';
}
# What is written next reaches beyond the places that the processes know.
for my $pause (0, 0.5) {
    my $payments = $pause ? 8 : 4;
    paid($t, "/small$_") for 1 .. 4;    # known by both workers
    ok $t->wait_for(sub { waiting() == 0 }), 'nothing waits';
    waiting() for 1 .. 10;
    my $size = -s $path;
    truncate $_, 0 or die $! for $path, "$path.2";
    select undef, undef, undef, $pause;
    $hook->forget;
    paid($t, "/large$_" . 'x' x 1000) for 1 .. $payments;
    cmp_ok sizes(), '>', $size, 'more is written than there was';
    ok $t->wait_for(sub { bodies() == 2 * $payments }), 'all of it is received';
    ok $t->wait_for(sub { waiting() == 0 }), 'nothing waits';
    is((grep { waiting() != 0 } 1 .. 10), 0, 'in the words of any worker');
}
is_deeply [ torn(bodies()) ], [], 'and nothing else';
unlike $t->log, qr/x402_webhook: \d{3,} bytes/, 'no line was spoiled';

# --- the file is deleted --------------------------------------------------------------

for my $end ('', '.2') {
    rename "$path$end", "$path$end.away" or die $!;
    ok $t->wait_for(sub { $t->log_count(qr/\[crit\].*payments\.events\Q$end\E" was moved or deleted while nginx writes it/) }, 10), "renamed$end: a line says so";
    rename "$path$end.away", "$path$end" or die $!;
    sleep 4;    # each worker has seen it by then
}
# another nginx, which the journal alone does not keep away
rename $t->dir . "/payments$_", $t->dir . "/aside$_" or die $! for '', '.2', '.lock';
my $other = nginx($conf =~ s/journal=payments/journal=@{[ $t->dir ]}\/payments/r, facilitator => $f, backend => $up, holes => { HOOK => $hook->address });
$other->allow(qr/emerg/);
ok !eval { $other->start }, 'another nginx does not start with these files';
like $@, qr/\[emerg\] .*payments\.events" is in use by another nginx, or by workers of one that has ended; end them first/, 'and says why';
rename $t->dir . "/aside$_", $t->dir . "/payments$_" or die $! for '', '.2', '.lock';
ok defined $t->quit, 'nginx ends';

# --- it cannot grow ---------------------------------------------------------------

# As a full disk: files may not grow beyond 256 KB (512 blocks).
my $wrapper = $t->write('limited-nginx', <<"EOC");
#!/bin/sh
trap '' XFSZ
ulimit -f 512
exec '${\X402::Nginx::binary()}' "\$\@"
EOC
chmod 0755, $wrapper or die $!;
$t->write('payments.events', join '', map { '{"event":"settled","payment_id":"' . $_ . '","pad":"' . 'x' x 940 . "\"}\n" } 100 .. 363);
unlink "$path.2" or die $!;
$hook->on('*', status => 500);
{
    local $ENV{NGINX} = $wrapper;
    $t->allow(qr/payments\.events\S* cannot be written/);
    $t->start;
    is waiting(), 264, 'those of before wait';
    is_content paid($t, "/full$_"), "CONTENT\n", 'sales go on' for 1 .. 3;
    ok metric('lost_events_total') > 0, 'what is lost is counted';
    is waiting() + metric('lost_events_total'), 270, 'exactly';
    is $t->log_count(qr/\[crit\].*payments\.events\S*" cannot be written .*payments go on, and events do not reach the webhook, 1 so far/), 1, 'and named once';
    ok defined $t->quit, 'nginx ends';
}
unlink $path, "$path.2";
$t->write('payments.events', "# the notes of another program\n" =~ s/#/The/r);
like scalar $t->config_error($conf), qr/payments\.events" is not a file of events, and would be emptied; move it away/, 'another file fails at -t';
unlink $path;
symlink '/nowhere/at/all', $path or die $!;
like scalar $t->config_error($conf), qr/payments\.events" is a symbolic link/, 'a symbolic link fails at -t';

finish;
