# SPDX-License-Identifier: Apache-2.0
# x402_protocol fast: what clients and facilitators of fast meet, in their own
# words. Replay is in fast_replay.t, bad headers in fast_bad_header.t.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Fast;

my ($f, $up) = (facilitator(), backend());
my $fast  = 'fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh';
my $evm   = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
my $asset = '0xd73a0679a2be46981e2a8aedecd951c8b6690e7d5f8502b34ed3ff4cc2163b46';
my $t = nginx(<<"EOF", facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_protocol fast;
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_header verify X-Key for-verify;
    x402_facilitator_header settle X-Key for-settle;
    log_format state "\$x402_state \$x402_network \$x402_amount \$x402_payer";
    server {
        listen 127.0.0.1:%%PORT%%;
        large_client_header_buffers 4 32k;
        access_log %%DIR%%/state.log state;
        x402_network fast-testnet;
        x402_pay_to $fast;
        location = /free   { x402 off; proxy_pass http://%%BACKEND%%; }
        location /premium  { x402_price 0.001; proxy_pass http://%%BACKEND%%; }
        location /dear     { x402_price 0.1; proxy_pass http://%%BACKEND%%; }
        location /dollar   { x402_price 1; proxy_pass http://%%BACKEND%%; }
        location /said {
            x402_price 0.001; x402_timeout 90s; x402_description "The \\"best\\""; x402_mime_type text/plain;
            x402_resource https://shop.example/for/sale?x=1;
            x402_accept network=fast-testnet asset=$asset price=0.001 'extra={"a":"b"}';
            proxy_pass http://%%BACKEND%%;
        }
        location /both {
            x402_accept network=fast-testnet price=0.001;
            x402_accept network=arbitrum-sepolia pay_to=$evm price=0.001;
            x402_accept network=sepolia pay_to=$evm price=0.001 asset=0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238
                decimals=6 'extra={"name":"USDC","version":"2"}';
            x402_accept network=eip155:196 pay_to=$evm price=0.001 asset=0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238
                decimals=6 'extra={"name":"USDC","version":"2"}';
            proxy_pass http://%%BACKEND%%;
        }
        location /evm/ {
            x402_network base-sepolia; x402_pay_to $evm; x402_price 0.01; proxy_pass http://%%BACKEND%%;
            location /evm/after/  { x402_settle after; proxy_pass http://%%BACKEND%%; }
            location /evm/off/    { x402_settle off; proxy_pass http://%%BACKEND%%; }
            location /evm/before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
        }
        location /fast/before/ { x402_price 0.001; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /dual {
            x402_protocol v2 fast; x402_network base-sepolia; x402_pay_to $evm; x402_price 0.01;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->start;
my $json = JSON::PP->new->canonical;
$f->verify('ok', with => { payer => 'fast1payer', network => 'fast-testnet' });

sub of ($path) { return fast_offer($t->get($path)) }
sub show ($path, $payment, %options) {
    return $t->ask($options{method} // 'GET', $path, %options, headers => [ 'X-PAYMENT' => $payment ]);
}

# --- unpaid: the body says it all --------------------------------------------

my $r = $t->get('/premium?a=1');
is $r->status, 402, 'unpaid';
is $r->header_count('PAYMENT-REQUIRED'), 0, 'no header says it';
like $r->header('Content-Type'), qr{\Aapplication/json}, 'but JSON';
is $json->encode(fast_offer($r)), $json->encode({
    x402Version => 1, error => 'X-PAYMENT header is required',
    accepts => [ {
        scheme => 'exact', network => 'fast-testnet', maxAmountRequired => '1000', resource => '/premium',
        description => 'Access to /premium', mimeType => 'application/json', payTo => $fast,
        maxTimeoutSeconds => 60, asset => $asset,
    } ],
}), 'every member of it';
like $r->body, qr/"scheme".*"network".*"maxAmountRequired".*"resource".*"description".*"mimeType".*"payTo".*"maxTimeoutSeconds".*"asset"/,
    'in the order of its servers';
ok $up->untouched, 'the backend saw nothing';
is $json->encode(of('/said')->{accepts}[0]), $json->encode({
    scheme => 'exact', network => 'fast-testnet', maxAmountRequired => '1000', resource => '/for/sale',
    description => 'The "best"', mimeType => 'text/plain', payTo => $fast, maxTimeoutSeconds => 90,
    asset => $asset, extra => { a => 'b' },
}), 'what the operator wrote';
is of('/dollar')->{accepts}[0]{maxAmountRequired}, '1000000', 'one dollar is a million units, however it is written';
is join(' ', map { $_->{network} } of('/both')->{accepts}->@*), 'fast-testnet arbitrum-sepolia ethereum-sepolia',
    'networks by the names that its clients know, others left out';
is $t->get('/free')->status, 200, 'a free path is free';
$up->forget;

# --- a certificate: verified, never settled ----------------------------------

my $recorded = recorded_payment();
is length $recorded, 2756, 'a payment as it was recorded';
$r = show('/premium', $recorded);
is $r->status, 200, 'paid';
is $r->body, "answer to /premium\n", 'content';
is $json->encode(fast_receipt($r)), $json->encode({ success => \1, network => 'fast-testnet', payer => 'fast1payer' }),
    'the receipt: success, network, payer';
is $r->header_count('PAYMENT-RESPONSE'), 0, 'under that name only';
like $r->header('Cache-Control'), qr/private/, 'not for shared caches';
is $f->order, 'verify', 'verified, not settled';
my $asked = $f->asked('verify');
is $asked->{x402Version}, 1, 'asked in version 1';
is $json->encode($asked->{paymentPayload}), $json->encode(decoded($recorded)), 'payload as it was sent';
is $json->encode($asked->{paymentRequirements}), $json->encode(of('/premium')->{accepts}[0]),
    'requirement as it was offered';
is +($f->requests('verify'))[0]{headers}{'x-key'}, 'for-verify', 'with the header for verify';
$t->log_like(qr/verified, not settled.*network: "fast:testnet", payer: "fast1payer", amount: "1000"/, 'a ledger line');

$_->forget for $f, $up;
is show('/fast/before/a', fast_payment(of('/fast/before/a')))->status, 200, 'x402_settle before';
is $f->order, 'verify', 'changes nothing: there is nothing to settle';

# What costs more is not paid with less: the facilitator is told our price.
$_->forget for $f, $up;
$f->verify(invalid => 'insufficient_amount: required 100000, got 1000', with => { payer => 'fast1payer' });
$r = show('/dear', fast_payment(of('/dear'), amount => '3e8'));
is $r->status, 402, 'a payment of 1000 where 100000 is asked';
my $body = fast_offer($r);
is $body->{error}, 'insufficient_amount: required 100000, got 1000', 'the reason';
is $body->{accepts}[0]{maxAmountRequired}, '100000', 'a fresh offer';
is $body->{payer}, 'fast1payer', 'and who paid';
is $f->asked('verify')->{paymentRequirements}{maxAmountRequired}, '100000', 'the facilitator was told the price';
is $up->hits, 0, 'the backend saw nothing';
$f->verify('ok', with => { payer => 'fast1payer', network => 'fast-testnet' });

# Content that fails was paid all the same, as its servers have it, and stays owed.
$up->on('/premium/failing', status => 500, body => 'no');
my $payment = fast_payment(of('/premium/failing'));
$r = show('/premium/failing', $payment);
is $r->status, 500, 'content fails';
ok fast_receipt($r)->{success}, 'with the receipt';
$up->on('/premium/failing', body => "SECRET\n");
is show('/premium/failing', $payment)->body, "SECRET\n", 'it is owed';
is show('/premium/failing', $payment)->status, 402, 'once';

# Some have more signatures than nginx has room for without being told.
my $long = fast_payment(of('/premium'), signers => 20);
cmp_ok length $long, '>', 10_000, 'a payment of more than 10 KB';
is show('/premium', $long)->status, 200, 'is read';

# --- EVM: verified and settled before the backend hears of it ----------------

$f->verify('ok');
$_->forget for $f, $up;
$f->settle('hold');
$payment = evm_payment(of('/evm/a'));
my $c = $t->connect;
$c->write_request(GET => '/evm/a', headers => [ 'X-PAYMENT' => $payment ]);
$f->wait_calls(settle => 1);
is $up->hits, 0, 'nothing is made while settling';
$f->settle('paid');
$f->release;
$r = $c->answer;
my $authorization = decoded($payment)->{payload}{authorization};
my $hash = $f->transaction($authorization->{nonce});
is $r->status . $r->body, "200answer to /evm/a\n", 'then content';
is $json->encode(fast_receipt($r)), $json->encode({ success => \1, transaction => $hash, txHash => $hash,
    network => 'base-sepolia', payer => $authorization->{from} }),
    'the hash under both names';
is $f->order, 'verify settle', 'verified, then settled';
is +($f->requests('settle'))[0]{headers}{'x-key'}, 'for-settle', 'with the header for settle';
is $f->asked('settle')->{paymentRequirements}{network}, 'base-sepolia', 'in its words';
is show('/evm/a', $payment)->status, 402, 'once';

$_->forget for $f, $up;
$f->settle(refused => 'insufficient_funds');
$r = show('/evm/a', evm_payment(of('/evm/a')));
is $r->status, 402, 'settle refused';
is fast_offer($r)->{error}, 'insufficient_funds', 'the reason';
is scalar fast_offer($r)->{accepts}->@*, 1, 'a fresh offer';
is $up->hits, 0, 'the backend saw nothing';
$f->settle('close');
$payment = evm_payment(of('/evm/a'));
$r = show('/evm/a', $payment);
is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', 'unknown outcome';
is $up->hits, 0, 'nothing is made';
$f->settle('paid')->forget;
is show('/evm/a', $payment)->status, 200, 'finished by the same payment';
is $f->order, 'settle', 'by settling again';

# Its client signs for an hour whatever the offer says.
$_->forget for $f, $up;
for ([ 3600, 200, '' ], [ 4100, 200, '' ], [ 4300, 402, 'payment_validity_too_long' ], [ 20, 402, 'payment_validity_too_short' ],
    [ -5, 402, 'invalid_exact_evm_payload_authorization_valid_before' ]) {
    my ($seconds, $status, $error) = @$_;
    $r = show('/evm/a', evm_payment(of('/evm/a'), valid => $seconds));
    is $r->status, $status, "valid for $seconds s";
    is fast_offer($r)->{error}, $error, 'the word for it' if $error;
}

# The client leaves while its payment is settled: the content is owed.
$_->forget for $f, $up;
$f->settle('hold');
$payment = evm_payment(of('/evm/left'));
$c = $t->connect;
$c->write_request(GET => '/evm/left', headers => [ 'X-PAYMENT' => $payment ]);
$f->wait_calls(settle => 1);
ok $t->leave($c), 'a client leaves';
$f->settle('paid');
$f->release;
$t->log_like(qr/paid, content owed/, 'left while settling');
$f->forget;
$r = show('/evm/left', $payment);
is $r->status . $f->calls, '2000', 'served later, for nothing more';

for ([ '/evm/after/a', 'verify settle' ], [ '/evm/off/a', 'verify' ], [ '/evm/before/a', 'settle' ]) {
    my ($path, $order) = @$_;
    $f->forget;
    is show($path, evm_payment(of($path)))->status, 200, "$path is served";
    is $f->order, $order, "$path: x402_settle counts on EVM";
}
$f->forget;
is show('/both', evm_payment(of('/both'), accept => 1))->status, 200, 'EVM beside Fast';
is $f->asked('settle')->{paymentRequirements}{network}, 'arbitrum-sepolia', 'by its name';
$f->forget;
is show('/both', fast_payment(of('/both')))->status, 200, 'and Fast';
is $f->order, 'verify', 'each in its way';

# --- beside version 2 ---------------------------------------------------------

$f->forget;
$r = $t->get('/dual');
is offer($r)->{accepts}[0]{maxTimeoutSeconds}, 300, 'v2 fast: the offer of version 2';
is fast_offer($r)->{accepts}[0]{network}, 'base-sepolia', 'v2 fast: and this in the body';
is_content paid($t, '/dual'), "answer to /dual\n", 'v2 fast: paid in version 2';
is $f->order, 'verify settle', 'v2 fast: as version 2 does';
ok fast_receipt(show('/dual', evm_payment(of('/dual'))))->{txHash}, 'v2 fast: paid in this';

# --- a facilitator that fails ------------------------------------------------

for my $spec ([ status => 500, body => 'x' ], ['close']) {
    $up->forget;
    $f->verify(@$spec);
    $r = show('/premium', fast_payment(of('/premium')));
    is $r->status . $r->body, '502{"error":"facilitator_failed","charged":false}', "verify: $spec->[0]";
    is $up->hits, 0, 'never served';
}

my $log = '';
$t->wait_for(sub {
    open my $file, '<', $t->dir . '/state.log' or return 0;
    $log = join '', <$file>;
    return $log =~ /^settled eip155:421614/m;
});
like $log, qr/^verified fast:testnet 1000 fast1payer$/m, 'the log: verified';
like $log, qr/^settled eip155:421614 1000 0x/m, 'the log: settled';
$f->verify('ok');

finish;
