# SPDX-License-Identifier: Apache-2.0
# A delivery without proof (x402_unproven) is one of three that a payer has in 24
# hours on all machines together that share a store. A store that does not say
# so gives none.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $cut  = X402::StoreProxy->new($redis->port);
my $conf = machines_conf('timeout=3s lease=3s', patient => 1,
    locations => 'location /refuse/ { x402_unproven refuse; proxy_pass http://%%BACKEND%%; }');
my ($one, $two) = machines($conf, $f, $up, [ $redis->url, $cut->url ]);
$up->on('*', body => "SECRET\n");

my $unknown  = '503{"error":"settlement_unknown","charged":"unknown"}';
my $unproven = '409{"error":"settlement_unproven","charged":"unknown"}';
sub said ($answer) { return $answer->status . $answer->body }

sub is_unproven ($answer, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $receipt = receipt($answer) // {};
    return ok($answer->status == 200 && $answer->body eq "SECRET\n" && $receipt->{success} && $receipt->{transaction} eq '', $name)
        || diag $answer->summary;
}

# A payment of unknown outcome, whose nonce is used.
sub doubted ($t, $path, %of) {
    $_->forget for $f, $up;
    my $payment = payment(unpaid($t, $path), %of);
    $f->settle('close');
    is said(paid($t, $path, payment => $payment)), $unknown, "$path: unknown at first";
    $f->settle(refused => 'invalid_exact_evm_nonce_already_used');
    $_->forget for $f, $up;
    return $payment;
}

# Its answer, once the outcome can be asked about again.
sub outcome ($t, $path, $payment) {
    my $answer;
    $t->wait_for(sub { return said($answer = paid($t, $path, payment => $payment)) ne $unknown });
    return $answer;
}

my %payer  = (from => random_hex(20));
my $number = 0;
for my $pair ([ $one, $two ], [ $two, $one ], [ $two, $two ]) {
    my ($here, $there) = @$pair;
    my $path = '/' . ++$number;
    my $payment = doubted($here, $path, %payer);
    my $answer = outcome($there, $path, $payment);
    is_unproven $answer, "$path: delivered without proof, as its receipt says";
    is outcome($_, $path, $payment)->status, 402, "$path: once" for $one, $two;
    is $up->hits, 1, "$path: made once";
}
for my $there ($one, $two) {
    my $path = '/' . ++$number;
    my $payment = doubted($there, $path, %payer);
    is said(outcome($there, $path, $payment)), $unproven, "$path: that was the payer's share, everywhere";
    is $up->hits, 0, "$path: nothing is made";
}
is_unproven outcome($one, '/a', doubted($two, '/a', from => random_hex(20))), 'another payer has its own';
is said(outcome($one, '/refuse/a', doubted($two, '/refuse/a', from => random_hex(20)))), $unproven, 'none where they are refused';

# --- the store does not say

for my $how (qw(before after silent garbage)) {
    my $payment = doubted($one, "/$how", from => random_hex(20));
    $cut->on(unproven => $how);
    my $answer;
    my $asked = $cut->asked('unproven');
    $two->wait_for(sub { $answer = paid($two, "/$how", payment => $payment); $cut->asked('unproven') > $asked });
    is said($answer), $unknown, "$how: nothing is delivered on a guess";
    is $up->hits, 0, "$how: nor made";
    is_unproven outcome($one, "/$how", $payment), "$how: in the end it is, on the other machine";
}
$two->allow(qr/no release of this module gives/);

# The client leaves meanwhile: its content is owed. A busy machine may be too
# late: then another one leaves.
my $payment;
for (1 .. 5) {
    $payment = doubted($two, '/left', from => random_hex(20));
    $cut->on(unproven => 2);
    my $asked = $cut->asked('unproven');
    my ($c, $begun);
    ok $two->wait_for(sub {
        $begun = time;
        $c     = $two->connect;
        $c->write_request(GET => '/left', headers => [ header_of($payment) ]);
        my $end = time + 1;
        while (time < $end) { return 1 if $cut->asked('unproven') > $asked; sleep 0.02 }
        return 0;
    }), 'the store is asked, and is slow';
    $two->leave($c);
    last if time - $begun < 1.8;
}
is_unproven outcome($one, '/left', $payment), 'a client that leaves finds its content later';

cmp_ok $cut->answered('unproven'), '>', 0, 'calls acknowledged: ' . $cut->answered('unproven');

finish;
