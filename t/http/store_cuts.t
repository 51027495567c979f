# SPDX-License-Identifier: Apache-2.0
# The connection to the store is cut at each moment that a payment waits for:
# in front of the call, behind it, or its answer is late, garbage, or never
# comes. The client is told the truth, nothing is settled that the store does
# not know of, and in the end the payment buys one delivery.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $cut  = X402::StoreProxy->new($redis->port);
my $conf = machines_conf('timeout=1s lease=3s');
my ($one, $other) = machines($conf, $f, $up, [ $cut->url, $redis->url ]);
$up->on('*', body => "SECRET\n");

# The store has a connection again: what the circuit keeps away is over.
sub wait_ready () {
    $cut->clear;
    ok $one->wait_for(sub { paid($one, '/after/ready')->status == 200 }), 'the store is there again';
    return;
}

my $number = 0;
for my $mode ('after', 'before') {
    for my $call ('take', 'settling', 'paid') {
        for my $fault ('before', 'after', 'silent', 'garbage', 2) {
            my $path    = "/$mode/" . ++$number;
            my $name    = "$path: $call, $fault";
            my $payment = payment(unpaid($one, $path));
            $_->forget for $f, $up;
            $cut->on($call => $fault);
            my $answer = paid($one, $path, payment => $payment);
            if ($call eq 'paid') {
                is_content $answer, "SECRET\n", "$name: the money has moved, and content is not kept back";
                is $f->calls('settle'), 1, "$name: settled once";
            }
            else {
                is $answer->status, 503, "$name: come again" or diag $answer->summary;
                is $f->calls('settle'), 0, "$name: nothing was sent to settle";
                is $f->calls, $call eq 'take' || $mode eq 'before' ? 0 : 1, "$name: nor to verify without need";
                no_trace $answer, 'SECRET', "$name: no content";
                is $answer->header_count('PAYMENT-REQUIRED'), 0, "$name: and no demand for money";
                wait_ready();
                # On the machine that knows it, or on the other one.
                is_content finally($number % 2 ? $one : $other, $path, $payment), "SECRET\n", "$name: the payment is good";
            }
            wait_ready();
            is finally($_, $path, $payment)->status, 402, "$name: and used, on each machine" for $one, $other;
            is scalar(grep { $_->{path} eq $path } $up->requests), $call eq 'settling' && $mode eq 'after' ? 2 : 1,
                "$name: the backend ran as often as it had to";
        }
    }
}
# A server of an old version is not used, whenever it shows up.
$cut->always(INFO => $redis->ask('INFO') =~ s/redis_version:[0-9.]+/redis_version:6.2.14/r);
$cut->close;
$cut->open;
ok $one->wait_for(sub { paid($one, '/after/old')->status == 503 }), 'an old version: no sales';
$one->log_like(qr/the server is Redis 6\.2\.14; it has to be 7\.0 or newer/, 'and why');
wait_ready();

cmp_ok $cut->answered, '>', 0, 'calls acknowledged: ' . $cut->answered;

finish;
