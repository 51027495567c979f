# SPDX-License-Identifier: Apache-2.0
# A binary upgrade (USR2) with a journal: the new nginx begins with what the
# old one knows and hears what it still does. Nothing is sold twice, and a
# settlement that the old workers finish late is known to the new ones. The
# order of signals is that of Debian's `nginx upgrade`.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOT';
%%DAEMON%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:1m journal=payments;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location /off { x402_settle off; proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOT
# nginx: a master that is still the child of its parent takes no USR2.
my $t = nginx('', facilitator => $f, backend => $up);
my $globals = $t->globals('logs/error.log') =~ s/daemon off/daemon on/r;
$t->conf($conf =~ s/%%DAEMON%%/$globals/r);

sub start_daemon () {
    my $dir = $t->dir;
    my $pid = fork // die "fork: $!";
    X402::Nginx::_exec('-p', $dir, '-c', "$dir/nginx.conf", '-e', "$dir/logs/error.log") if !$pid;
    waitpid $pid, 0;
    ok $t->wait_for(sub { pid_in('nginx.pid') }), 'started' or diag $t->log;
    $t->{pid} = pid_in('nginx.pid');
    return $t->wait_for(sub { $t->workers == 2 });
}
$up->on('*', body => "CONTENT\n");
start_daemon();
my $old = $t->pid;

sub slurp ($path) { open my $fh, '<', $path or return ''; local $/; return <$fh> // '' }
sub pid_in ($name) { return slurp($t->dir . "/$name") =~ /^(\d+)/ ? $1 : 0 }
sub again ($path, $value) { return paid($t, $path, payment => $value) }
sub error_of ($answer) { my $offer = offer($answer); return $offer ? $offer->{error} : $answer->body }
sub workers_of ($master) { local $t->{pid} = $master; return $t->workers }

# --- before ------------------------------------------------------------------------

my %value = map { $_ => payment(unpaid($t, "/$_")) } qw(used off owed late lost);
is_content again('/used', $value{used}), "CONTENT\n", 'a payment that is used';
is again('/off', $value{off})->status, 200, 'one that only the zone knows';

# two settlements that the old workers have not finished
$f->settle('hold');
$f->forget;
my %client;
for my $name (qw(late lost)) {
    $client{$name} = $t->connect;
    $client{$name}->write_request(GET => "/$name", headers => [ 'PAYMENT-SIGNATURE' => $value{$name} ]);
}
$f->wait_calls(settle => 2);
ok $t->leave($client{lost}, 'hang_up'), 'the client of one of them leaves';

# --- the upgrade ---------------------------------------------------------------------

kill USR2 => $old;
ok $t->wait_for(sub { pid_in('nginx.pid.oldbin') == $old && pid_in('nginx.pid') && pid_in('nginx.pid') != $old }), 'a new master'
    or diag $t->log;
my $new = pid_in('nginx.pid');
ok $t->wait_for(sub { workers_of($new) == 2 }), 'with its workers' or diag $t->log;
$t->log_like(qr/is written together with the nginx that started this one/, 'it says that there are two');

kill QUIT => $old;
ok $t->wait_for(sub { $t->log =~ /gracefully shutting down/ }), 'the old one ends';
# its listening sockets are closed from now on
$t->wait_for(sub { local $t->{pid} = $old; my @w = $t->workers('worker process is shutting down'); @w && @w == $t->workers });

is error_of(again('/used', $value{used})), 'payment_already_used', 'what was used is used';
is error_of(again('/off', $value{off})), 'payment_already_used', 'also where no chain helps';
like again('/late', $value{late})->status, qr/409|503/, 'what the old workers have in hand is not touched';
like again('/lost', $value{lost})->status, qr/409|503/, 'with or without its client';
is $f->calls('settle'), 2, 'nobody asked again';
my $sold = payment(unpaid($t, '/sold'));
$f->settle('paid');
is_content again('/sold', $sold), "CONTENT\n", 'the new workers sell';

# --- the old workers finish ---------------------------------------------------------

$f->release;
my $answer = $client{late}->answer;
is_content $answer, "CONTENT\n", 'the client of an old worker gets what it paid for';
$client{late}->hang_up;
ok $t->wait_for(sub { !kill 0, $old }), 'the old master is gone';
$t->{pid} = $new;
$t->log_like(qr/the old nginx has exited, and journal ".*payments" is written by this one alone/, 'the journal is handed over');

my $calls = $f->calls('settle');
is error_of(again('/late', $value{late})), 'payment_already_used', 'what it delivered is used';
is_content again('/lost', $value{lost}), "CONTENT\n", 'what it could not deliver is owed';
is error_of(again('/lost', $value{lost})), 'payment_already_used', 'once';
is $f->calls('settle'), $calls, 'and was not settled again';

# --- and afterwards --------------------------------------------------------------------

{
    is kill(0, $new), 1, 'the new master runs';
    my @before = $t->workers;
    kill HUP => $new;
    ok $t->wait_for(sub { my %b = map { $_ => 1 } @before; 2 == grep { !$b{$_} } $t->workers }), 'it can be reloaded';
    is error_of(again('/sold', $sold)), 'payment_already_used', 'and forgets nothing';

    # another upgrade
    kill USR2 => $new;
    ok $t->wait_for(sub { pid_in('nginx.pid.oldbin') == $new && pid_in('nginx.pid') && pid_in('nginx.pid') != $new }), 'again';
    my $third = pid_in('nginx.pid');
    ok $t->wait_for(sub { workers_of($third) == 2 }), 'a third master';
    kill QUIT => $new;
    ok $t->wait_for(sub { !kill 0, $new }), 'takes over';
    $t->{pid} = $new = $third;
    is error_of(again('/sold', $sold)), 'payment_already_used', 'and forgets nothing either';
}
kill QUIT => $new;
ok $t->wait_for(sub { !kill 0, $new }), 'the last one ends';

# a start of another kind reads it all
start_daemon();
is error_of(again($_->[0], $_->[1])), 'payment_already_used', "after a restart: $_->[0]"
    for [ '/used', $value{used} ], [ '/off', $value{off} ], [ '/late', $value{late} ], [ '/lost', $value{lost} ], [ '/sold', $sold ];

# an nginx that is not its successor does not get it
my $elsewhere = $t->dir . '/payments';
my $other = nginx($conf =~ s/%%DAEMON%%/%%GLOBALS%%/r =~ s/journal=payments/journal=$elsewhere/r, facilitator => $f, backend => $up);
$other->allow(qr/is in use by another nginx/);
ok !eval { $other->start; 1 }, 'another nginx is refused';
like "$@", qr/is in use by another nginx/, 'and says why';

kill QUIT => $t->pid;
ok $t->wait_for(sub { !kill 0, $t->pid }), 'the end';
$t->{pid} = undef;
$t->allow(qr/is in use by another nginx/);

finish;
