# SPDX-License-Identifier: Apache-2.0
package X402::Failover;

# What the tests of servers that fail have in common: two machines, with a store
# whose servers the test kills.
#
#     my ($one, $other) = two_machines($store, $facilitator, $backend);
#     my @sold = sold($one, 3);                      # payments; more words as of payment()
#     ends_well $one, sub { ... }, 'name';           # a condition comes true
#     sells_again('name', $one);
#     is_used('name', $other, \@sold, $facilitator, $backend);    # and neither of them is asked

use v5.36;
use Exporter 'import';
use X402::Machines;
use X402::Test;
our @EXPORT = qw(two_machines sold ends_well sells_again is_used);

use constant PATIENCE => 60;

sub two_machines ($store, $facilitator, $backend) {
    my $port = X402::Port::reserve();
    my $conf = machines_conf('timeout=3s lease=5s', patient => 1);
    return map {
        nginx($conf, facilitator => $facilitator, backend => $backend, port => $port, address => "127.0.0.$_",
            holes => { STORE => $store })->start
    } 1, 2;
}

sub sold ($t, $count, %change) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @payments = map { payment(unpaid($t, '/sold'), %change) } 1 .. $count;
    is scalar(grep { paid($t, '/sold', payment => $_)->status == 200 } @payments), $count, 'payments are sold';
    return @payments;
}

# A server that changes its role closes the connections of all.
sub ends_well ($t, $condition, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok $t->wait_for(sub { eval { $condition->() } }, PATIENCE), $name;
}

sub sells_again ($name, $t, %more) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer;
    $t->wait_for(sub { ($answer = paid($t, '/ready', %more))->status == 200 }, PATIENCE);
    return is($answer->status, 200, "$name: payments go on") || diag $t->log;
}

sub is_used ($name, $t, $payments, @asked) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $_->forget for @asked;
    is scalar(grep { finally($t, '/sold', $_)->status == 402 } @$payments), scalar @$payments, "$name: what was sold is used";
    my ($facilitator, $backend) = @asked;
    return is $facilitator->calls('settle') + $backend->hits('/sold'), 0, "$name: and nobody is asked";
}

1;
