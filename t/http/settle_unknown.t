# SPDX-License-Identifier: Apache-2.0
# A settlement that was sent and not answered is neither charged nor free: the
# same payment, and only it, finishes the matter.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    # It fails far more often here than a breaker lets pass.
    x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; }
    x402_facilitator patient;
    x402_facilitator_timeout settle=2s;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price %%PRICE%%;
    x402_zone x402:2m;
    large_client_header_buffers 4 64k;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /        { proxy_pass http://%%BACKEND%%; }
        location /body/ { x402_read_body 1k; x402_redeliver_key $x402_body_session; proxy_pass http://%%BACKEND%%; }
        location /refuse/ { x402_unproven refuse; proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up,
    holes => { PRICE => '$0.01' });
$up->on('*', body => "SECRET\n");
$t->start;

my $used = 'invalid_exact_evm_nonce_already_used';

sub unknown ($answer, $name) {
    ok $answer->status == 503 && $answer->body eq '{"error":"settlement_unknown","charged":"unknown"}'
        && !$answer->header('PAYMENT-REQUIRED') && !$answer->header('PAYMENT-RESPONSE')
        && $answer->header('Cache-Control') eq 'no-store', $name or diag $answer->summary;
    return no_trace $answer, 'SECRET', "$name: no content";
}

# A payment with an unknown outcome.
sub in_doubt ($path, @change) {
    my $payment = payment(unpaid($t, $path), @change);
    $f->settle('close');
    unknown paid($t, $path, payment => $payment), "$path: in doubt";
    $f->settle('paid');
    $_->forget for $f, $up;
    return $payment;
}

# --- only the same payment at the same place by the same client

my $payment = in_doubt('/a?b=1');
unknown paid($t, '/a?b=2', payment => $payment), 'another query';
unknown paid($t, '/other', payment => $payment), 'another path';
unknown paid($t, '/a?b=1', payment => $payment, host => 'other'), 'another host';
unknown paid($t, '/a?b=1', payment => $payment, method => 'POST'), 'another method';
unknown paid($t, '/a?b=1', payment => $payment, from => '127.0.0.2'), 'another client';
unknown paid($t, '/a?b=1', payment => $payment, h2 => 1, port => 'h2'), 'another port';
is $f->calls, 0, 'nothing was asked';
is $up->hits, 0, 'nor made';
my $r = paid($t, '/a?b=1', payment => $payment);
is_content $r, "SECRET\n", 'the same';
is $f->order, 'settle', 'settled again, not verified';
is $up->hits, 1, 'content is made once more';
is paid($t, '/a?b=1', payment => $payment)->status, 402, 'and then the payment is used';

# --- a client that is known by its body

my @me = (method => 'POST', body => '{"session":"me"}');
$payment = payment(unpaid($t, '/body/a', @me));
$f->settle_once('close');
unknown paid($t, '/body/a', payment => $payment, @me), 'a body: in doubt';
$_->forget for $f, $up;
unknown paid($t, '/body/a', payment => $payment, method => 'POST', body => '{"session":"you"}'), 'another body';
is $f->calls, 0, 'nothing was asked';
is_content paid($t, '/body/a', payment => $payment, @me, from => '127.0.0.2'), "SECRET\n", 'the same one, from another address';

# --- the same bytes again

$payment = payment(unpaid($t, '/bytes'));
$_->forget for $f, $up;
$f->settle_once('close');
unknown paid($t, '/bytes', payment => $payment), 'once more in doubt';
is_content paid($t, '/bytes', payment => $payment), "SECRET\n", 'finished';
my @sent = map { $_->{body} } $f->requests('settle');
is $sent[1], $sent[0], 'with the very bytes of the first time';

# --- more than is kept: the digest is, and the client's own bytes have to be those

$payment = in_doubt('/long', 'resource.description' => 'd' x 18_000);
unknown paid($t, '/long', payment => encoded({ decoded($payment)->%*, resource => { url => 'http://localhost/long' } })), 'other bytes';
is $f->calls, 0, 'are not asked about';
is_content paid($t, '/long', payment => $payment), "SECRET\n", 'the same bytes are finished';
is $f->order, 'settle', 'by settling again';

# --- what does not end it

$payment = in_doubt('/doubt');
for (
    [ 'refused', refused => 'insufficient_funds' ],
    [ 'refused for time', refused => 'invalid_exact_evm_payload_authorization_valid_before' ],
    [ 'duplicate', refused => 'duplicate_settlement' ],
    [ 'a revert', refused => 'transaction_failed', with => { transaction => '0x' . '1' x 64 } ],
    [ 'pending', refused => 'settlement_pending' ],
    [ 'status 500', status => 500, body => 'x' ],
    [ 'status 401', status => 401, body => 'x' ],
    [ 'closed', 'close' ], [ 'silence', 'silent' ], [ 'garbage', body => 'x' ],
    [ 'status 429', status => 429, body => '{}' ],
) {
    my ($name, @spec) = @$_;
    $f->settle(@spec);
    $r = paid($t, '/doubt', payment => $payment);
    ok $r->status == 503 && !$r->header('PAYMENT-REQUIRED') && !$r->header('PAYMENT-RESPONSE'),
        "$name does not end it" or diag $r->summary;
    no_trace $r, 'SECRET', "$name: no content";
}
is $f->calls('verify'), 0, 'never verified again';
is $up->hits, 0, 'never made';
$f->settle('paid');
is_content paid($t, '/doubt', payment => $payment), "SECRET\n", 'payment does';

# --- one at a time

$payment = in_doubt('/flight');
$f->settle('hold');
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/flight', headers => [ header_of($payment) ]);
    $c;
} 1 .. 5;
$f->wait_calls(settle => 1);
sleep 0.2;
$f->release;
my @answers = map { $_->answer } @clients;
is scalar(grep { $_->status == 200 } @answers), 1, 'one of five is served';
is scalar(grep { $_->status == 402 && offer($_)->{error} eq 'payment_already_used' } @answers), 4,
    'the others waited, and learn that it is used';
is $f->calls('settle'), 1, 'one settlement';
is $up->hits, 1, 'one execution';

# A request that waited for an answer that proves nothing does not start another call.
$payment = in_doubt('/waiting');
$f->settle(hold => 1, close => 1);
@clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/waiting', headers => [ header_of($payment) ]);
    $c;
} 1 .. 3;
$f->wait_calls(settle => 1);
unpaid($t, '/waiting');    # by the one worker, which has read all of them by then: another would rightly ask
$f->release;
unknown $_->answer, 'still unknown' for @clients;
is $f->calls('settle'), 1, 'asked once for all of them';
$f->settle('paid');

# --- used, by which payment? verified before and sent completely: delivered, three times a payer

my $payer = random_hex(20);
for my $n (1 .. 3) {
    $payment = in_doubt("/unproven$n", from => $payer);
    $f->settle(refused => $used);
    $r = paid($t, "/unproven$n", payment => $payment);
    is $r->status . $r->body, "200SECRET\n", "unproven $n: delivered";
    my $receipt = receipt($r);
    ok $receipt->{success} && $receipt->{transaction} eq '' && $receipt->{network} eq 'eip155:84532'
        && lc $receipt->{payer} eq $payer, "unproven $n: the receipt";
    is paid($t, "/unproven$n", payment => $payment)->status, 402, "unproven $n: used";
}
$t->log_like(qr/\[notice\].*unproven/, 'a line in the log');
sub unproven ($answer, $name) {
    ok $answer->status == 409 && $answer->body =~ /\A\{"error":"settlement_unproven"/
        && !$answer->header('PAYMENT-REQUIRED') && !$answer->header('PAYMENT-RESPONSE'), $name
        or diag $answer->summary;
    return no_trace $answer, 'SECRET', "$name: no content";
}
$payment = in_doubt('/unproven4', from => $payer);
$f->settle(refused => $used);
$up->forget;
unproven paid($t, '/unproven4', payment => $payment), 'the fourth of a payer';
is $up->hits, 0, 'is not made';
$f->settle('paid');
is_content paid($t, '/unproven4', payment => $payment), "SECRET\n", 'until it is paid';
$payment = in_doubt('/unproven5');
$f->settle(refused => $used);
is paid($t, '/unproven5', payment => $payment)->status, 200, 'another payer';

$payment = in_doubt('/refuse/a');
$f->settle(refused => $used);
unproven paid($t, '/refuse/a', payment => $payment), 'where the operator does not trust it';
$f->settle('paid');
is_content paid($t, '/refuse/a', payment => $payment), "SECRET\n", 'until it is paid';

# Never verified: that the nonce is used says nothing.
$payment = in_doubt('/before/a');
$f->settle(refused => $used);
unknown paid($t, '/before/a', payment => $payment), 'settled before, never verified';
$f->settle('paid');
is_content paid($t, '/before/a', payment => $payment), "SECRET\n", 'until it is paid';

# --- a reload and a new price: the old bytes are sent

$payment = in_doubt('/later');
$t->{holes}{PRICE} = '$3';
$t->conf($conf);
$t->wait_exit($t->reload);
is_content paid($t, '/later', payment => $payment), "SECRET\n", 'finished after a reload with a new price';
is $f->order, 'settle', 'settled once';
is $f->asked('settle')->{paymentRequirements}{amount}, '10000', 'for the old price';

# --- content that fails after the money was found is owed

$payment = in_doubt('/fails');
$up->on('/fails', status => 500, body => 'oops');
$r = paid($t, '/fails', payment => $payment);
is $r->status, 500, 'a failure passes';
ok receipt($r)->{success}, 'with the receipt';
$up->on('/fails', body => "SECRET\n");
$f->forget;
is_content paid($t, '/fails', payment => $payment), "SECRET\n", 'and is made good';
is $f->calls, 0, 'without asking again';

finish;
