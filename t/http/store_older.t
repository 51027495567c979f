# SPDX-License-Identifier: Apache-2.0
# Several machines share a store: a payer whose content is owed more than once
# gets each of them for a new payment, oldest first, and pays for what comes after
# them.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $conf = machines_conf('timeout=5s lease=3s', patient => 1);
my ($one, $other) = machines($conf, $f, $up, [ ($redis->url) x 2 ]);
$up->on('*', body => "SECRET\n");

for my $case ([ $one, 'the machine that owes it' ], [ $other, 'another machine' ]) {
    my ($t, $name) = @$case;
    my $payer = random_hex(20);
    my $path  = '/owed/' . ($t == $one ? 'here' : 'there');
    # They begin together: one that is owed already would go first.
    my @clients;
    for my $number (1 .. 3) {
        $_->forget for $f, $up;
        $f->settle('hold');
        my $c = $one->connect;
        $c->write_request(GET => $path, headers => [ header_of(payment(unpaid($one, $path), from => $payer)) ]);
        push @clients, $c;
        $f->wait_calls(settle => 1);
    }
    $one->leave($_) for @clients;
    $f->settle('paid');
    $f->release('settle');
    ok $one->wait_for(sub { 3 == (() = $one->log =~ /paid, content owed[^\n]*\Q$path\E"/g) }), "$name: content is owed three times";
    # The lines are a moment before the store, which is told in order.
    is_content paid($one, '/told'), "SECRET\n", "$name: which the store knows";
    $_->forget for $f, $up;
    for my $number (1 .. 3) {
        is_content paid($t, $path, change => { from => $payer }), "SECRET\n", "$name: delivery $number of what is owed";
    }
    is $f->calls('settle'), 0, "$name: no new payment was settled for it";
    is_content paid($t, $path, change => { from => $payer }), "SECRET\n", "$name: and then it is bought again";
    is $f->calls('settle'), 1, "$name: and settled";
}

finish;
