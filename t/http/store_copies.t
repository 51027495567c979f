# SPDX-License-Identifier: Apache-2.0
# Several machines share a store: ten copies of one payment, sent to three nginx
# at once, run the backend once and settle once, in each order of content and
# settlement.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $conf = machines_conf('timeout=5s', main => 'worker_processes 2;');
my @machines = machines($conf, $f, $up, [ ($redis->url) x 3 ]);

for my $mode ('after', 'before') {
    for my $round (1 .. 5) {
        my $path    = "/$mode/$round";
        my $payment = payment(unpaid($machines[ $round % 3 ], $path));
        $up->on($path, body => "SECRET $round\n", delay => 0.05);
        $_->forget for $f, $up;
        my @clients = map { $machines[ $_ % 3 ]->connect } 1 .. 10;
        $_->write_request(GET => $path, headers => [ header_of($payment) ]) for @clients;
        my @answers = map { $_->answer } @clients;
        is $up->hits, 1, "$path: the backend runs once";
        is $f->calls('settle'), 1, "$path: settled once";
        is scalar(grep { $_->status == 200 && $_->body eq "SECRET $round\n" } @answers), 1, "$path: one is served";
        is scalar(grep { $_->status == 402 || $_->status == 409 } @answers), 9, "$path: nine are not"
            or diag join ' ', map { $_->status . ' ' . $_->body } @answers;
        $_->hang_up for @clients;
        for my $machine (@machines) {
            is paid($machine, $path, payment => $payment)->status, 402, "$path: and it is used, on each machine";
        }
    }
}

# One after the other, with nothing in flight.
my $payment = payment(unpaid($machines[0], '/after/x'));
$up->on('/after/x', body => "SECRET x\n");
is_content paid($machines[0], '/after/x', payment => $payment), "SECRET x\n", 'paid on the first machine';
$_->forget for $f, $up;
is paid($machines[$_], '/after/x', payment => $payment)->status, 402, 'used on another' for 1, 2;
is $f->calls + $up->hits, 0, 'which asks nobody';
cmp_ok $redis->ask('DBSIZE'), '>=', 12, 'the store knows them';

finish;
