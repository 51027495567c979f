# SPDX-License-Identifier: Apache-2.0
# A store that answers, and yet cannot be used: scripts may not do what they have
# to, a key has another type, scripts are forgotten at once, nodes of a cluster
# point in circles, no connection is left, or it is in protected mode. Nothing is
# sent to settle that the store does not know of, no client is told that it was
# not charged of what was perhaps written, one line a minute says what to do,
# and the payment is good afterwards.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep);
use X402::Guard;
use X402::Machines;
use X402::Port;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->new);
my $cut      = X402::StoreProxy->new($redis->port);
my $conf     = machines_conf('timeout=1s lease=3s %%WORDS%%', address => '127.0.0.1');
my $password = 'a-long-password';
my $count    = 0;
$up->on('*', body => "SECRET\n");

sub started ($store, $words = '') {
    my $t = nginx($conf, facilitator => $f, backend => $up, holes => { STORE => $store, WORDS => $words });
    chmod 0600, $t->write('store.password', $password);
    return $t->start;
}

# One payment that the store does not let pass; and it is good once it does.
sub is_turned_away ($t, $name, $wrong, $answer, $line, $right) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $path    = '/' . ++$count;
    my $payment = payment(unpaid($t, $path));
    my $begin   = length $t->log;
    $wrong->();
    $_->forget for $f, $up;
    my $got = paid($t, $path, payment => $payment);
    is $got->status . $got->body, "503$answer", "$name: come again";
    is $f->calls('settle'), 0, "$name: nothing was sent to settle";
    $t->log_like($line, "$name: a line says what to do");
    paid($t, "$path/$_") for 1 .. 3;
    sleep 1.5;
    my $lines = () = substr($t->log, $begin) =~ /x402: store "/g;
    cmp_ok $lines, '<=', 1, "$name: once a minute" or diag substr $t->log, $begin;
    $right->();
    is_content finally($t, $path, $payment), "SECRET\n", "$name: and then the payment is good";
    is finally($t, $path, $payment)->status, 402, "$name: and used";
    return;
}

my $busy    = '{"error":"busy","charged":false}';
my $unknown = '{"error":"settlement_unknown","charged":"unknown"}';

# --- a user whose scripts may not do all that they have to

my @user = (ACL => 'SETUSER', 'x402');
$redis->ask(@user, 'reset', 'on', ">$password", '~x402:*', '+@all');
my $t = started('redis://x402@127.0.0.1:' . $redis->port, 'password=store.password');
is_content paid($t, '/first'), "SECRET\n", 'with all rights';
for my $case ([ zrange => $busy, 'in the middle of TAKE' ], [ zadd => $unknown, 'in the middle of SETTLING' ]) {
    my ($right, $answer, $name) = @$case;
    is_turned_away($t, "$right, $name", sub { $redis->ask(@user, "-$right") }, $answer,
        qr/\[crit\].*give the user of x402_store the rights/, sub { $redis->ask(@user, "+$right") });
}

# --- keys of another program

my @due = map {"x402:{$_}:due"} 0 .. 63;
is_turned_away($t, 'keys of another type', sub { $redis->ask(DEL => @due); $redis->ask(SET => $_, 'x') for @due },
    $unknown, qr/\[crit\].*WRONGTYPE.*give each shop its own prefix=/, sub { $redis->ask(DEL => @due) });
# In the list of what is due, too, where they must not hide what is.
$redis->ask(ZADD => $_, 1, 'x', 2, 'z' x 64) for @due;
$f->settle_once('close');
is paid($t, '/due')->status, 503, 'an unknown outcome, behind foreign words';
ok $t->wait_for(sub { !grep { $redis->ask(ZSCORE => $_, 'x') } @due }, 20), 'which are taken out of the list';

# --- a proxy that does not know scripts

my ($port) = $cut->url =~ /:(\d+)/;
$t = started("redis://127.0.0.1:$port");
is_content paid($t, '/proxy'), "SECRET\n", 'by way of a proxy';
is_turned_away($t, 'a script that is forgotten at once', sub { $cut->always(take => '-NOSCRIPT No matching script.') },
    $busy, qr/\[crit\].*NOSCRIPT.*write the address of the server itself/, sub { $cut->clear });

# --- nodes of a cluster that point at each other

my $node = X402::Redis->new('cluster-enabled' => 'yes', 'cluster-config-file' => 'nodes.conf');
$node->ask(CLUSTER => 'ADDSLOTSRANGE', 0, 16383);
$node->wait_for_slots;
my $circle = X402::StoreProxy->new($node->port);
($port) = $circle->url =~ /:(\d+)/;
$t = started("redis://127.0.0.1:$port cluster");
is_content finally($t, '/cluster', payment(unpaid($t, '/cluster'))), "SECRET\n", 'by way of a node';
for my $case ([ 'a circle', "MOVED 1 127.0.0.1:$port" ], [ 'no address', 'ASK 1 nowhere' ]) {
    my ($name, $moved) = @$case;
    is_turned_away($t, $name, sub { $circle->always(take => "-$moved") },
        $busy, qr/\[error\].*"$moved".*look at CLUSTER SLOTS of each node/, sub { $circle->clear });
}

# --- servers that refuse each connection

# As Redis says it, which is a long line.
my $protected = '-DENIED Redis is running in protected mode because protected mode is enabled and no password '
    . 'is set for the default user.' . ' In this mode connections are only accepted from the loopback interface.' x 12;

sub refuses ($bytes) {
    my $own = X402::Port::reserve();
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $listener = X402::Port::socket_on($own);
        listen $listener, 64 or die "listen: $!";
        while (accept my $client, $listener) { syswrite $client, "$bytes\r\n"; close $client }
        POSIX::_exit(0);
    }
    return ($own, X402::Guard->new($pid));
}

for my $case (
    [ 'no connection is left', '-ERR max number of clients reached', qr{\[error\].*raise its maxclients} ],
    [ 'protected mode', $protected, qr{\[error\].*DENIED.*write password=file into x402_store} ],
) {
    my ($name, $says, $line) = @$case;
    my ($own, $guard) = refuses($says);
    my $lonely = started("redis://127.0.0.1:$own");
    is paid($lonely, '/lonely')->status, 503, "$name: come again";
    $lonely->log_like($line, "$name: a line says what to do");
}

cmp_ok $cut->answered, '>', 0, 'calls acknowledged: ' . $cut->answered;

finish;
