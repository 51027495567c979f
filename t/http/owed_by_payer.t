# SPDX-License-Identifier: Apache-2.0
# Clients do not present a payment twice, they sign a new one: content that was
# charged and not delivered is owed to its payer, for any payment that it presents.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_zone x402:1m;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        listen 127.0.0.1:%%PORT_h2%% http2 reuseport;
        x402_price %%PRICE%%;
        proxy_set_header X-Payment-Id $x402_payment_id;
        proxy_set_header X-Redelivery $x402_redelivery;
        location /        { proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /off/    { x402_settle off; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { PRICE => '$0.01' });
$up->on('*', body => "SECRET\n");
$t->start;

sub tx ($payment) { return $f->transaction(decoded($payment)->{payload}{authorization}{nonce}) }

# A payment that was charged while its client was gone.
sub owed ($path, $payer, %via) {
    my $payment = payment(unpaid($t, $path), from => $payer);
    $f->forget;
    $f->settle('hold');
    my $c = $t->connect(%via);
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    $f->wait_calls(settle => 1) or die 'no settle';
    $t->leave($c) or die 'not gone';
    $f->settle('paid');
    $f->release('settle');
    $t->wait_for(sub { index($t->log, tx($payment)) >= 0 }) or die 'no ledger line';
    sleep 0.05;
    $_->forget for $f, $up;
    return $payment;
}

# A payment with an unknown outcome.
sub in_doubt ($path, $payer, %via) {
    my $payment = payment(unpaid($t, $path), from => $payer);
    $f->settle('close');
    is paid($t, $path, payment => $payment, %via)->status, 503, "$path: in doubt";
    $f->settle('paid');
    $_->forget for $f, $up;
    return $payment;
}

sub is_unknown ($answer, $name) {
    return ok $answer->status == 503 && $answer->body eq '{"error":"settlement_unknown","charged":"unknown"}'
        && !$answer->header('PAYMENT-REQUIRED') && !$answer->header('PAYMENT-RESPONSE'), $name
        || diag $answer->summary;
}

sub header_at ($up, $name) { return ($up->requests)[-1]{headers}{$name} }

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';

    # --- the same payer, a new payment

    my $payer = random_hex(20);
    my $old   = owed('/a?b=1', $payer, %via);
    my $new   = payment(unpaid($t, '/a?b=1'), from => $payer);
    my $r = paid($t, '/a?b=1', payment => $new, from => '127.0.0.2', %via);
    is_content $r, "SECRET\n", "${p}a new payment from anywhere brings what is owed";
    is receipt($r)->{transaction}, tx($old), "${p}under the old receipt";
    is $f->order, 'verify', "${p}the new payment is verified, not settled";
    is $up->hits, 1, "${p}made once";
    ok header_at($up, 'x-redelivery'), "${p}\$x402_redelivery";
    my $id = header_at($up, 'x-payment-id');

    $_->forget for $f, $up;
    is paid($t, '/a?b=1', payment => $old, %via)->status, 402, "${p}the old payment is used now";
    is_content paid($t, '/a?b=1', payment => $new, %via), "SECRET\n", "${p}the new one is good for a new purchase";
    is $f->order, 'verify settle', "${p}and is charged for it";
    isnt header_at($up, 'x-payment-id'), $id, "${p}\$x402_payment_id was the old one's";

    # --- no other payer, no other resource

    $payer = random_hex(20);
    owed('/a', $payer, %via);
    for ([ '/a', {}, 'another payer' ], [ '/b', { from => $payer }, 'another path' ],
        [ '/a?c', { from => $payer }, 'another query' ]) {
        my ($path, $change, $name) = @$_;
        $f->forget;
        my $payment = payment(unpaid($t, $path), %$change);
        is receipt(paid($t, $path, payment => $payment, %via))->{transaction}, tx($payment), "$p$name pays";
    }
    # The facilitator names another payer.
    $f->verify(with => { payer => random_hex(20) });
    $f->settle(with => { payer => undef });
    $f->forget;
    paid($t, '/a', payment => payment(unpaid($t, '/a'), from => $payer), %via);
    is $f->order, 'verify settle', "${p}a payer whom verify does not prove gets nothing for it";
    $f->verify('ok');
    $f->settle('paid');
    # Not a payment that is not good.
    $f->verify(invalid => 'insufficient_funds');
    $up->forget;
    is paid($t, '/a', change => { from => $payer }, %via)->status, 402, "${p}nor does one that is not valid";
    is $up->hits, 0, "${p}the backend is not asked";
    $f->verify('ok');

    # --- one winner

    $_->forget for $f, $up;
    $f->verify('hold');
    my @clients = map {
        my $c = $t->connect(%via);
        my $stream = $c->write_request(GET => '/a',
            headers => [ header_of(payment(unpaid($t, '/a'), from => $payer)) ]);
        [ $c, $h2 ? $stream : () ];
    } 1 .. 4;
    $f->wait_calls(verify => 4);
    $f->verify('ok');
    $f->release;
    is scalar(grep { my ($c, @stream) = @$_; $c->answer(@stream)->status == 200 } @clients), 4,
        "${p}four at once are served";
    is $f->calls('settle'), 3, "${p}three of them are charged";

    # --- settle before, and off

    $payer = random_hex(20);
    $old   = owed('/before/a', $payer, %via);
    $r = paid($t, '/before/a', change => { from => $payer }, %via);
    is receipt($r)->{transaction}, tx($old), "${p}settle before: the old receipt";
    is $f->order, 'verify', "${p}settle before: verified first, for once";
    $f->forget;
    is_content paid($t, '/before/a', change => { from => $payer }, %via), "SECRET\n", "${p}settle before: the next";
    is $f->order, 'settle', "${p}settle before: is settled at once";

    $payer = random_hex(20);
    $up->on('/off/a', status => 500, body => 'oops');
    is paid($t, '/off/a', change => { from => $payer }, %via)->status, 500, "${p}settle off: content fails";
    $up->on('/off/a', body => "SECRET\n");
    $new = payment(unpaid($t, '/off/a'), from => $payer);
    for my $status (200, 200, 402) {
        $r = paid($t, '/off/a', payment => $new, %via);
        is $r->status, $status, "${p}settle off: $status";
        is $r->header_count('PAYMENT-RESPONSE'), 0, "${p}settle off: no receipt";
    }

    # --- the older outcome is unknown

    $payer = random_hex(20);
    $old = in_doubt('/d', $payer, %via);
    $new = payment(unpaid($t, '/d'), from => $payer);
    $f->settle('close');
    is_unknown paid($t, '/d', payment => $new, %via), "${p}still unknown";
    is $f->order, 'verify settle', "${p}it was asked";
    is $f->asked('settle')->{paymentPayload}{payload}{authorization}{nonce},
        decoded($old)->{payload}{authorization}{nonce}, "${p}about the old payment";
    $f->settle(refused => 'insufficient_funds');
    is_unknown paid($t, '/d', payment => $new, %via), "${p}a refusal proves nothing";
    is $up->hits, 0, "${p}nothing is made";
    $f->settle('paid');
    $r = paid($t, '/d', payment => $new, %via);
    is_content $r, "SECRET\n", "${p}paid after all";
    is receipt($r)->{transaction}, tx($old), "${p}under the old receipt";
    is $f->calls('verify') . $f->calls('settle'), 33, "${p}the new payment is not settled";
    $f->forget;
    is_content paid($t, '/d', payment => $new, %via), "SECRET\n", "${p}it is a new purchase";
    is $f->order, 'verify settle', "${p}charged";

    # Another payer is not kept waiting for it.
    $old = in_doubt('/e', $payer, %via);
    is_content paid($t, '/e', %via), "SECRET\n", "${p}another payer buys";
    is_content paid($t, '/e', payment => $old, %via), "SECRET\n", "${p}and it is finished";
}

# --- at no less than today's price

my $payer = random_hex(20);
my $old = owed('/price', $payer);
$t->{holes}{PRICE} = '$0.02';
$t->conf($conf);
$t->wait_exit($t->reload);
my $new = payment(unpaid($t, '/price'), from => $payer);
is receipt(paid($t, '/price', payment => $new))->{transaction}, tx($new), 'a dearer resource is a new purchase';
$t->{holes}{PRICE} = '$0.005';
$t->conf($conf);
$t->wait_exit($t->reload);
is receipt(paid($t, '/price', change => { from => $payer }))->{transaction}, tx($old), 'a cheaper one is not';

finish;
