# SPDX-License-Identifier: Apache-2.0
# Version 1 beside version 2: one 402 for both, each payment answered in its own words.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    log_format state "$x402_state $x402_version $x402_network $x402_amount";
    server {
        listen 127.0.0.1:%%PORT%%;
        access_log %%DIR%%/state.log state;
        location /both   { x402_price $0.01; x402_protocol v2 v1; proxy_pass http://%%BACKEND%%; }
        location /old    { x402_price $0.01; x402_protocol v1; proxy_pass http://%%BACKEND%%; }
        location /new    { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /before { x402_price $0.01; x402_protocol v2 v1; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /words  {
            x402_price $0.01; x402_protocol v2 v1; x402_error "pay first"; x402_description 'A "quoted" text';
            proxy_pass http://%%BACKEND%%;
        }
        location /two {
            x402_protocol v2 v1;
            x402_accept network=eip155:42161 price=0.05;
            x402_accept network=base price=0.05;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->start;
my $json = JSON::PP->new->canonical;

# A payment of version 1 for the first of the accepts of a body.
sub old_payment ($body, %change) {
    my $accept = $body->{accepts}[0];
    return encoded({
        x402Version => 1, scheme => $accept->{scheme}, network => $accept->{network},
        payload => {
            signature     => random_hex(65),
            authorization => {
                from        => $change{from} // random_hex(20),
                to          => $accept->{payTo},
                value       => $change{value} // $accept->{maxAmountRequired},
                validAfter  => '0',
                validBefore => '' . int(time + 300),
                nonce       => $change{nonce} // random_hex(32),
            },
        },
        ($change{top} // {})->%*,
    });
}

sub body_of ($answer)     { return $json->decode($answer->body) }
sub old_offer ($path)     { return body_of($t->get($path)) }
sub old_receipt ($answer) { return decoded(scalar $answer->header('X-PAYMENT-RESPONSE')) }

sub pay_old ($path, %change) {
    return $t->ask('GET', $path, headers => [ 'X-PAYMENT' => old_payment(old_offer($path), %change) ]);
}

# --- one 402 for both ------------------------------------------------------------

my $r = $t->get('/both?a=1', host => 'shop.example');
is $r->status, 402, 'status';
is ref offer($r), 'HASH', 'the offer of version 2 in its header';
my $body = body_of($r);
is $body->{x402Version}, 1, 'that of version 1 in the body';
is $body->{error}, 'X-PAYMENT header is required', 'error';
like $r->header('Content-Type'), qr{\Aapplication/json}, 'type';
is $json->encode($body->{accepts}[0]), $json->encode({
    scheme => 'exact', network => 'base-sepolia', maxAmountRequired => '10000',
    resource => 'http://shop.example/both?a=1', description => '', mimeType => '',
    payTo => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C', maxTimeoutSeconds => 300,
    asset => '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
    outputSchema => { input => { type => 'http', method => 'GET', discoverable => JSON::PP::true } },
    extra => { name => 'USDC', version => '2' },
}), 'the way to pay, every member';

my $words = old_offer('/words');
is $words->{error}, 'pay first', 'x402_error speaks to both';
is $words->{accepts}[0]{description}, 'A "quoted" text', 'description';

is join(' ', map { $_->{network} } old_offer('/two')->{accepts}->@*), 'base',
    'a network without a name is left out: its clients refuse the whole list';
is scalar offer($t->get('/two'))->{accepts}->@*, 2, 'and stays in version 2';

$r = $t->get('/old');
is $r->header_count('PAYMENT-REQUIRED'), 0, 'v1 alone: no header';
is body_of($r)->{x402Version}, 1, 'v1 alone: body';
like $t->get('/new')->body, qr/\A\{"error":"Payment required","accepts":\[\],"message":/, 'v2 alone: nothing to pay in the body';

# --- paying ----------------------------------------------------------------------

for my $path ('/both', '/old', '/before') {
    $f->forget; $up->forget;
    $r = pay_old($path);
    is $r->status, 200, "$path paid in version 1";
    is $r->header_count('X-PAYMENT-RESPONSE'), 1, "$path: its receipt";
    is $r->header_count('PAYMENT-RESPONSE'), 0, "$path: no other";
    ok old_receipt($r)->{success}, "$path: success";
    my $asked = $f->asked($path eq '/before' ? 'settle' : 'verify');
    is $asked->{x402Version}, 1, "$path: the facilitator is asked in version 1";
    is $asked->{paymentPayload}{network}, 'base-sepolia', "$path: payload as sent";
    is $asked->{paymentRequirements}{maxAmountRequired}, '10000', "$path: requirement of version 1";
    like $asked->{paymentRequirements}{resource}, qr{\Ahttp://[^/]+\Q$path\E\z}, "$path: resource";
    is $up->hits, 1, "$path: content once";
}

$f->forget; $up->forget;
is paid($t, '/both')->status, 200, 'paid in version 2 at the same place';
is $f->asked('verify')->{x402Version}, 2, 'asked in version 2';
my $log = '';
$t->wait_for(sub {
    open my $file, '<', $t->dir . '/state.log' or return 0;
    $log = join '', <$file>;
    return $log =~ /^settled 2/m;
});
like $log, qr/^settled 1 eip155:84532 10000$/m, 'the log names the network one way';
like $log, qr/^settled 2 eip155:84532 10000$/m, 'in both versions';

# --- one payment is one payment in both versions ---------------------------------

$f->forget; $up->forget;
my ($nonce, $from) = (random_hex(32), random_hex(20));
is pay_old('/both', nonce => $nonce, from => $from)->status, 200, 'paid in version 1';
$r = paid($t, '/both', payment => payment(unpaid($t, '/both'), nonce => $nonce, from => $from));
is $r->status, 402, 'the same authorization in version 2 is used';
is offer($r)->{error}, 'payment_already_used', 'and said so';
is $up->hits, 1, 'content once';
$r = pay_old('/both', nonce => $nonce, from => $from);
is body_of($r)->{error}, 'payment_already_used', 'said in version 1 too';

# --- both headers ----------------------------------------------------------------

$f->forget;
$r = $t->ask('GET', '/both', headers => [
    'X-PAYMENT' => old_payment(old_offer('/both')), 'PAYMENT-SIGNATURE' => payment(unpaid($t, '/both')) ]);
is $r->status, 200, 'both headers';
is $f->asked('verify')->{x402Version}, 2, 'the newer counts';
is $r->header_count('PAYMENT-RESPONSE'), 1, 'and has the receipt';
is $r->header_count('X-PAYMENT-RESPONSE'), 0, 'alone';

# --- what is refused -------------------------------------------------------------

$f->forget; $up->forget;
is body_of(pay_old('/both', top => { network => 'base' }))->{error},
    'Unable to find matching payment requirements', 'another network, in the words of version 1';
like body_of(pay_old('/both', top => { x402Version => 2 }))->{error},
    qr/\AUnsupported x402 version: 2/, 'version 2 in the header of version 1';
is body_of(pay_old('/both', value => '9999'))->{error},
    'invalid_exact_evm_payload_authorization_value_mismatch', 'too little';
is body_of($t->ask('GET', '/both', headers => [ 'X-PAYMENT' => '!!!' ]))->{error},
    'Unreadable payment header: it is not base64 (RFC 4648, standard alphabet, no blanks)', 'no base64: said so';
my @two = map { ('X-PAYMENT' => old_payment(old_offer('/both'))) } 1, 2;
is $t->ask('GET', '/both', headers => \@two)->status, 402, 'two headers: none is picked';
$r = $t->ask('GET', '/new', headers => [ 'X-PAYMENT' => old_payment(old_offer('/both')) ]);
is $r->status, 402, 'v1 off: its header is not a payment';
is offer($r)->{error}, 'Payment in X-PAYMENT, but this resource takes it in PAYMENT-SIGNATURE', 'which is said';
is $r->body, plain_body($r), 'and its client finds an empty list';
is scalar $f->calls, 0, 'no facilitator was asked';
ok $up->untouched, 'the backend saw nothing';

# The facilitator's refusal, and a refused settlement.
$f->verify(invalid => 'insufficient_funds');
$body = body_of(pay_old('/both'));
is $body->{error}, 'insufficient_funds', 'refused by the facilitator';
is scalar $body->{accepts}->@*, 1, 'with a fresh offer';
$f->verify('ok');
$f->settle(refused => 'insufficient_funds');
$r = pay_old('/both');
is $r->status, 402, 'settlement refused';
is body_of($r)->{error}, 'insufficient_funds', 'the reason in the body';
ok !old_receipt($r)->{success}, 'the receipt says so';

# --- the facilitator is asked in the version it lists -----------------------------

for my $case ([ 2, 'eip155:84532', 'v1' ], [ 2, 'eip155:84532', 'v2' ], [ 1, 'base-sepolia', 'v1' ],
    [ 1, 'base-sepolia', 'v2' ])
{
    my ($version, $network, $client) = @$case;
    my $name = "listed in version $version, paid in $client";
    $_->forget for $f, $up;
    $f->settle('paid');
    $f->supported(kinds => [ [ $version, 'exact', $network ] ]);
    $t->quit;
    $t->start;
    $f->wait_calls(supported => 1);
    sleep 0.3;
    my $answer = $client eq 'v1' ? pay_old('/both') : paid($t, '/both');
    is $answer->status, 200, $name;
    for my $call (qw(verify settle)) {
        my $said = $f->asked($call);
        is "$said->{x402Version} $said->{paymentPayload}{x402Version}", "$version $version", "$name: $call";
        is $said->{paymentRequirements}{network}, $network, "$name: $call, its network";
        ok $said->{paymentPayload}{payload}{authorization}{nonce}, "$name: $call, the signed part";
    }
    ok $answer->header($client eq 'v1' ? 'X-PAYMENT-RESPONSE' : 'PAYMENT-RESPONSE'), "$name: the client's own receipt";
}

finish;
