# SPDX-License-Identifier: Apache-2.0
# A store that is down, silent, a replica, without its replicas, full, evicting,
# emptied, that cannot write to its disk, or that answers garbage: 503 busy with a
# line that says what to do, nothing is asked for, and nothing is sold twice.
# An old version is in store_cuts.t, what an operator changes meanwhile in
# store_changed.t.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $conf = machines_conf('timeout=%%TIMEOUT%%', address => '127.0.0.1');
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { STORE => $redis->url, TIMEOUT => '2s' });
$t->start;
$up->on('*', body => "SECRET\n");
my $count = 0;

sub is_busy ($name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $path = '/' . ++$count;
    my $payment = payment(unpaid($t, $path));
    $_->forget for $f, $up;
    my $answer = paid($t, $path, payment => $payment);
    is $answer->status . $answer->body, '503{"error":"busy","charged":false}', "$name: busy";
    like $answer->header('retry-after') // '', qr/\A[1-9]\d*\z/, "$name: with Retry-After";
    is $f->calls + $up->hits, 0, "$name: nobody is asked";
    return ($path, $payment);
}

# The same payment is good once the store can be used.
sub is_back ($path, $payment, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer;
    $t->wait_for(sub { ($answer = paid($t, $path, payment => $payment))->status == 200 }, 20);
    return is $answer->body, "SECRET\n", "$name: and then the payment is good" || diag $t->log;
}

is_content paid($t, '/first'), "SECRET\n", 'with a store that is there';

# Down.
my $before = payment(unpaid($t, '/earlier'));
is_content paid($t, '/earlier', payment => $before), "SECRET\n", 'a payment is used';
$redis->stop;
my @held = is_busy('down');
$t->log_like(qr/\[error\].*x402: store "(?:redis|sentinel):.*start it, or correct the address/, 'with a line that says what to do');
is paid($t, '/earlier', payment => $before)->status, 402, 'what was used here is known here';
is_busy('still down') for 1 .. 5;
$redis->start;
is_back(@held, 'back');
$t->log_like(qr/is there again/, 'which is told');

# Silent.
$redis->freeze;
is_busy('silent') for 1 .. 3;
$t->log_like(qr/three times in a row; look at its load and the network/, 'three late answers: a line says what to do');
# Of several, one is not held up by a machine that is busy with other things.
my ($quickest) = sort { $a <=> $b } map { my $begun = time; @held = is_busy('then'); time - $begun } 1 .. 5;
cmp_ok $quickest, '<', 1.5, 'at once';
$redis->thaw;
is_back(@held, 'awake');

# Full.
$redis->ask(CONFIG => 'SET', maxmemory => 100);
@held = is_busy('full');
$t->log_like(qr/\[crit\].*raise its maxmemory/, 'with a line that says what to do');
$redis->ask(CONFIG => 'SET', maxmemory => 0);
is_back(@held, 'with room');

# Full in the middle: what has begun ends.
$up->on('/middle', body => "SECRET\n", hold => 1);
my $c = $t->connect;
$c->write_request(GET => '/middle', headers => pay_with($t, '/middle'));
$up->wait_count('/middle', 1);
$redis->ask(CONFIG => 'SET', maxmemory => 100);
$up->release('/middle');
is_content $c->answer, "SECRET\n", 'full while content is made: it is settled and delivered';
$redis->ask(CONFIG => 'SET', maxmemory => 0);

# A replica. A node of a cluster is not made one in this way.
if (($ENV{X402_STORE} // '') ne 'cluster') {
    $redis->ask(REPLICAOF => '127.0.0.1', X402::Port::reserve());
    @held = is_busy('a replica');
    $t->log_like(qr/write the address of its master|the sentinels report is a replica/, 'with a line that says what to do');
    $redis->ask(REPLICAOF => 'NO', 'ONE');
    is_back(@held, 'a master');
}

# Without the replicas that it needs.
$redis->ask(CONFIG => 'SET', 'min-replicas-to-write', 1);
@held = is_busy('without replicas');
$t->log_like(qr/\[error\].*NOREPLICAS.*start them again/, 'with a line that says what to do');
$redis->ask(CONFIG => 'SET', 'min-replicas-to-write', 0);
is_back(@held, 'with replicas');

# It cannot write to its disk.
my ($dir) = ($redis->ask(CONFIG => 'GET', 'dir'))->[1];
mkdir "$dir/dump.rdb" or die $!;
$redis->ask(CONFIG => 'SET', save => '3600 1');
$redis->ask('BGSAVE');
ok $t->wait_for(sub { $redis->ask(INFO => 'persistence') =~ /rdb_last_bgsave_status:err/ }), 'its disk is full';
@held = is_busy('cannot write');
$t->log_like(qr/\[crit\].*MISCONF.*look into its log/, 'with a line that says what to do');
$redis->ask(CONFIG => 'SET', save => '');
rmdir "$dir/dump.rdb" or die $!;
is_back(@held, 'can write');

# Away before settle: nothing is sent, and the client comes again.
$up->on('/settle', body => "SECRET\n", hold => 1);
my $payment = payment(unpaid($t, '/settle'));
$f->forget;
$c = $t->connect;
$c->write_request(GET => '/settle', headers => [ header_of($payment) ]);
$up->wait_count('/settle', 1);
$redis->stop;
$up->release('/settle');
my $answer = $c->answer;
is $answer->status, 503, 'away before settle: 503';
is $f->calls('settle'), 0, 'nothing was sent';
$up->on('/settle', body => "SECRET\n");
$redis->start;
is_back('/settle', $payment, 'away before settle');

# Away before content: money has moved, and content is delivered.
$f->settle('hold');
$payment = payment(unpaid($t, '/content'));
$f->forget;
$c = $t->connect;
$c->write_request(GET => '/content', headers => [ header_of($payment) ]);
$f->wait_calls(settle => 1);
$redis->stop;
$f->settle('paid');
$f->release('settle');
is_content $c->answer, "SECRET\n", 'away before content: it is delivered, because money has moved';
$redis->start;
my ($claim) = (undef);
ok $t->wait_for(sub { my $keys = $redis->ask(KEYS => '*:c:*'); @$keys >= 1 }), 'and the store is told later';

# It evicts.
$redis->ask(CONFIG => 'SET', 'maxmemory-policy', 'allkeys-lru');
$redis->ask(CLIENT => 'KILL', TYPE => 'normal', SKIPME => 'yes');
@held = is_busy('evicting');
$t->log_like(qr/set maxmemory-policy to noeviction/, 'with a line that says what to do');
$redis->ask(CONFIG => 'SET', 'maxmemory-policy', 'noeviction');
is_back(@held, 'without eviction');

# Emptied.
$redis->ask('FLUSHALL');
$redis->ask(CLIENT => 'KILL', TYPE => 'normal', SKIPME => 'yes');
$t->log_like(qr/\[crit\].*was emptied, or is another/, 'emptied: a line says so');
is_content paid($t, '/after'), "SECRET\n", 'and payments go on';

# Garbage.
$t->stop;
my $garbage = IO::Socket::INET->new(Listen => 10, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die $!;
$t->{holes}{STORE} = 'redis://127.0.0.1:' . $garbage->sockport;
$t->conf($conf);
my $child = fork // die;
if (!$child) {
    while (my $one = $garbage->accept) { print {$one} "HTTP/1.1 400 Bad Request\r\n\r\n"; close $one }
    POSIX::_exit(0);
}
$t->start;
is_busy('garbage');
$t->log_like(qr/does not speak the protocol of Redis.*correct the address/, 'with a line that says what to do');
kill KILL => $child;
waitpid $child, 0;

finish;
