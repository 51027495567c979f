# SPDX-License-Identifier: Apache-2.0
# A machine that owes more than it keeps of what it has written: a store that
# was emptied is told of all of it, without a wait in between, and again if the
# connection breaks meanwhile. Runs in `make nightly` (X402_LONG=1): it takes a
# minute.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use X402::Machines;
use X402::Redis;
use X402::Test;

plan skip_all => 'takes a minute; X402_LONG=1' if !$ENV{X402_LONG};

# A server of its own, also with another STORE: one connection has all payers.
my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->new);
my $conf = machines_conf('timeout=3s', main => 'worker_processes 1;', http => 'x402_zone x402:32m journal=payments;');
my ($t) = machines($conf, $f, $up, [ $redis->url ]);
$f->settle('paid');
$up->on('*', status => 500, body => "broken\n");

my ($owed, $payers) = (9000, 4);
my $offer = unpaid($t, '/before/page');
my @paying;
for my $number (1 .. $payers) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        for my $i (1 .. $owed / $payers) {
            paid($t, '/before/page', payment => payment($offer, from => sprintf '0x%040x', $number << 24 | $i));
        }
        POSIX::_exit(0);
    }
    push @paying, $pid;
}
waitpid $_, 0 for @paying;
my $told = sub { return scalar $redis->ask(KEYS => '*:o:*')->@* };
is $told->(), $owed, 'the store knows all that is owed';

ok defined $t->quit, 'the machine ends';
$redis->ask('FLUSHALL');
$t->start;
ok $t->wait_for(sub { $told->() == $owed }, 120), 'a store that was emptied is told of all of it' or diag $told->();

$redis->ask('FLUSHALL');
ok $t->wait_for(sub { $told->() > $owed / 10 }, 40), 'emptied once more: it is being told';
my ($lost) = $redis->ask(KEYS => '*:o:*')->@*;
$redis->ask(DEL => $lost);
$redis->ask(CLIENT => KILL => TYPE => 'normal', SKIPME => 'yes');
ok $t->wait_for(sub { $told->() == $owed }, 120), 'what a failover may have lost is told again' or diag $told->();

finish;
