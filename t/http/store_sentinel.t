# SPDX-License-Identifier: Apache-2.0
# x402_store sentinel://: the master is asked for, and asked for again when it is
# gone. A master that is killed is replaced by one of its replicas; payments go
# on within seconds, and nothing is sold twice.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use X402::Machines;
use X402::Redis;
use X402::Sentinels;
use X402::Test;

my ($f, $up)  = (facilitator(), backend());
my $master    = X402::Redis->new;
my @replicas  = map { $master->replica } 1, 2;
my $sentinels = X402::Sentinels->new($master, 'shop', requirepass => 'a-sentinel');
my $conf      = machines_conf('timeout=2s lease=5s replicas=1 sentinel_password=%%DIR%%/sentinel.password');
my ($one, $other) = machines($conf, $f, $up, [ ($sentinels->url) x 2 ], files => { 'sentinel.password' => "a-sentinel
" });
$up->on('*', body => "SECRET\n");

sub is_back ($name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($begun, $answer) = (time);
    for my $t ($one, $other) {
        $t->wait_for(sub { ($answer = paid($t, '/ready'))->status == 200 }, 40);
        is $answer->status, 200, sprintf '%s: payments go on after %.1f s', $name, time - $begun or diag $t->log;
    }
    return;
}

is_back('sentinels that answer');
$one->log_like(qr/\[notice\].*the master is 127\.0\.0\.1:\d+/, 'a line says which is the master');

# The master is killed while a payment waits for its settlement, and others were
# sold.
my @sold;
for (1 .. 5) {
    my $payment = payment(unpaid($one, '/sold'));
    push @sold, $payment if paid($one, '/sold', payment => $payment)->status == 200;
}
$f->settle('hold');
my $settling = payment(unpaid($one, '/settling'));
$_->forget for $f, $up;
my $c = $one->connect;
$c->write_request(GET => '/settling', headers => [ header_of($settling) ]);
$f->wait_calls(settle => 1);
$sentinels->hurry;
$master->stop;
$f->settle('paid');
$f->release('settle');
is_content $c->answer, "SECRET\n", 'the master dies before PAID: money has moved, and content is delivered';
is_back('another master');
isnt $sentinels->master_port, $master->port, 'which the sentinels have made';
$sentinels->calm($sentinels->master_port);
cmp_ok scalar @sold, '>', 0, 'payments acknowledged: ' . @sold;
$_->forget for $f, $up;
is scalar(grep { paid($other, '/sold', payment => $_)->status == 200 } @sold), 0, 'none of them is sold twice';
is paid($other, '/settling', payment => $settling)->status, 402, 'nor is the one that was on its way';
is $f->calls('settle') + $up->hits('/sold') + $up->hits('/settling'), 0, 'nobody is asked';

# The old master is back, as a replica: it is not spoken with.
$master->start;
# It closes the connections of all when it changes its role.
ok $one->wait_for(sub { eval { $master->ask('INFO', 'replication') =~ /role:slave.*master_link_status:up/s } }), 'the old master is a replica';
is_back('with the old one as a replica');

# No server is killed: the sentinels are told to change places.
my $before = $sentinels->master_port;
ok $one->wait_for(sub { eval { $sentinels->each->[1]->ask(SENTINEL => 'FAILOVER', 'shop') } }), 'a failover by hand';
ok $one->wait_for(sub { $sentinels->master_port != $before }), 'is over';
is_back('another one again');

# One of three sentinels is dead, one answers garbage.
my $garbage = IO::Socket::INET->new(Listen => 10, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die $!;
my $child = fork // die;
if (!$child) {
    while (my $client = $garbage->accept) { print {$client} "HTTP/1.1 400 Bad Request\r\n\r\n"; close $client }
    POSIX::_exit(0);
}
my $dead = X402::Port::reserve();
my @good = map {"127.0.0.1:$_->{port}"} $sentinels->each->@*;

sub start_with ($store) {
    $one->stop;
    $one->{holes}{STORE} = $store;
    $one->conf($conf);
    return $one->start;
}

start_with('sentinel://127.0.0.1:' . $garbage->sockport . ",127.0.0.1:$dead,$good[0]/shop");
is_back('one of three sentinels');
$one->log_like(qr/\[warn\].*sentinel "127\.0\.0\.1:\d+" of the store: .*does not speak the protocol of Redis/, 'garbage is told');
$one->log_like(qr/\[warn\].*sentinel "127\.0\.0\.1:$dead" of the store: connect\(\).*start it, or correct the address/, 'and a dead one');

sub is_busy ($name, $line) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer;
    $one->wait_for(sub {
        $_->forget for $f, $up;
        ($answer = paid($one, '/busy'))->body eq '{"error":"busy","charged":false}';
    });
    is $answer->status . $answer->body, '503{"error":"busy","charged":false}', "$name: busy";
    is $f->calls + $up->hits, 0, "$name: nobody is asked";
    $one->log_like($line, "$name: with a line that says what to do");
    return;
}
start_with("sentinel://$good[0]/shoes");
is_busy('an unknown name', qr/\[error\].*knows no master "shoes"; write the name of "sentinel monitor"/);
start_with("sentinel://127.0.0.1:$dead,127.0.0.1:" . $garbage->sockport . '/shop');
is_busy('no sentinel', qr/\[error\].*no sentinel of x402_store answers; start them, or correct their addresses/);
start_with('sentinel://127.0.0.1:' . $sentinels->master_port . '/shop');
is_busy('a server in place of a sentinel', qr/sentinel ".*" of the store: it answered "ERR AUTH/);
chmod 0600, $one->write('sentinel.password', "wrong\n");
start_with("sentinel://$good[0]/shop");
is_busy('a wrong password', qr/sentinel "$good[0]" of the store: it answered "WRONGPASS.*correct the user or the password/);
kill KILL => $child;
waitpid $child, 0;

finish;
