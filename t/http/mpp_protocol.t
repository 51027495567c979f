# SPDX-License-Identifier: Apache-2.0
# x402_protocol v2 mpp: one 402 for two protocols. A credential in Authorization
# pays like a payment of x402, and is the same payment in either dialect.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Mpp;
use JSON::PP ();
use MIME::Base64 qw(encode_base64 encode_base64url decode_base64url);

my ($f, $up) = (facilitator(), backend());
my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_mpp key=mpp.key;
    map $x402_body_tier $by_body { dear 1.00; default 0.01; }
    log_format dialect '$x402_protocol $x402_state';
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_other%%;
        x402_price $0.01;
        x402_protocol v2 mpp;
        access_log %%DIR%%/dialects dialect;

        location /a/       { proxy_pass http://%%BACKEND%%; }
        location /dear/    { x402_price $1.00; proxy_pass http://%%BACKEND%%; }
        location /alone/   { x402_protocol mpp; x402_mpp key=mpp.key realm=shop.example; proxy_pass http://%%BACKEND%%; }
        location /plain/   { x402_protocol v2; proxy_pass http://%%BACKEND%%; }
        location /passed/  { x402_forward_payment on; proxy_pass http://%%BACKEND%%; }
        location /before/  { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /read/    { x402_read_body 4k; x402_price $by_body; proxy_pass http://%%BACKEND%%; }
        location /free/    { x402 off; proxy_pass http://%%BACKEND%%; }
        location /browser/ { x402_paywall on; proxy_pass http://%%BACKEND%%; }
        location /several/ {
            x402_accept network=base-sepolia; x402_accept network=solana-devnet pay_to=2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
my $t = nginx($text, facilitator => $f, backend => $up);
my ($key, $other_key) = ('a' x 40, 'b' x 40);
chmod 0600, $t->write('mpp.key', "$key\n");
$t->start;

sub pays ($path, %o) {
    my $credential = delete $o{credential} // credential(challenge($t->get($path)), %{ delete $o{change} // {} });
    return $t->get($path, headers => [ Authorization => $credential, @{ delete $o{headers} // [] } ], %o);
}

sub backend_saw () { return +(($up->requests)[-1] // { headers => {} })->{headers}{authorization} }

# --- the challenge

my $unpaid    = $t->get('/a/1');
my $challenge = challenge($unpaid);
is $unpaid->status, 402, 'an unpaid request';
is offer($unpaid)->{accepts}[0]{amount}, '10000', 'has the offer of x402';
is plain_body($unpaid), $unpaid->body, 'and the body that it had before';
is join(' ', sort keys %$challenge), 'expires id intent method opaque realm request', 'and a challenge';
is_deeply [ @$challenge{qw(method intent realm)} ], [ 'evm', 'charge', 'localhost' ], 'of a charge';
is_deeply request_of($challenge), {
    amount => '10000', currency => '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
    recipient => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
    methodDetails => { chainId => 84532, credentialTypes => ['authorization'], decimals => 6 },
}, 'for this money';
like $challenge->{expires}, qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z\z/, 'with an end';
isnt challenge($t->get('/a/1'))->{id}, $challenge->{id}, 'the next one is another payment';
is scalar(challenges($t->get('/several/1'))), 1, 'one challenge for each way to pay on EVM';
is scalar(challenges($t->get('/plain/1'))), 0, 'none where MPP is not spoken';
like $t->get('/browser/1', headers => [ Accept => 'text/html', 'User-Agent' => 'Mozilla/5.0' ])->body, qr/<html/, 'browsers see their page';

# --- a payment

for my $path ('/a/2', '/before/2', '/alone/2', '/several/2') {
    $f->forget;
    my $r = pays($path);
    is $r->status . $r->body, "200answer to $path\n", "$path: content";
    is $r->header('PAYMENT-RESPONSE'), undef, "$path: no receipt of x402";
    my $receipt = mpp_receipt($r);
    like delete $receipt->{timestamp}, qr/\A\d{4}-.*Z\z/, "$path: a receipt of MPP";
    is_deeply $receipt, { method => 'evm', status => 'success', reference => $f->transaction($f->asked('settle')->{paymentPayload}{payload}{authorization}{nonce}) },
        "$path: names the transaction";
    is $f->calls('settle'), 1, "$path: one settlement";
    my $asked = $f->asked('settle');
    is_deeply $asked->{paymentPayload}{accepted}, $asked->{paymentRequirements}, "$path: the facilitator hears x402";
    is backend_saw(), undef, "$path: the backend does not see the credential";
}
is pays('/passed/2')->status, 200, 'x402_forward_payment on';
like backend_saw(), qr/^Payment /, 'hands the credential on';
is receipt(paid($t, '/a/3'))->{success}, JSON::PP::true, 'a payment of x402 gets the receipt of x402';

# --- other schemes belong to the backend

my $basic = 'Basic ' . encode_base64('me:word', '');
is $t->get('/a/4', headers => [ Authorization => $basic ])->status, 402, 'another scheme pays nothing';
is paid($t, '/a/4', headers => [ Authorization => $basic ])->status, 200, 'and does not disturb a payment';
is backend_saw(), $basic, 'the backend gets it';
$t->get('/free/1', headers => [ Authorization => 'Payment abc' ]);
is backend_saw(), 'Payment abc', 'so does one without a price';
paid($t, '/plain/4', headers => [ Authorization => 'Payment abc' ]);
is backend_saw(), 'Payment abc', 'and one without MPP';

# --- refusals: a clear 402 for this dialect, no content, no settlement

sub refused ($name, $type, $path, $credential, %o) {
    $f->forget;
    $up->forget;
    my $r = pays($path, credential => $credential, %o);
    is $r->status, 402, "$name: 402";
    is $r->header('Content-Type'), 'application/problem+json', "$name: a problem";
    my $problem = mpp_problem($r);
    is $problem->{type}, "https://paymentauth.org/problems/$type", "$name: $type" or diag $r->summary;
    is $problem->{status}, 402, "$name: its status";
    is scalar(challenges($r)), 1, "$name: a fresh challenge";
    is mpp_receipt($r), undef, "$name: no receipt";
    is $f->calls('settle'), 0, "$name: nothing is charged";
    is $up->hits, 0, "$name: nothing is made";
    return;
}

my $fresh = sub ($path = '/a/5') { challenge($t->get($path)) };
sub changed_request (%change) {
    my $challenge = $fresh->();
    my $request = { %{ request_of($challenge) }, %change };
    return { %$challenge, request => encode_base64url(JSON::PP->new->utf8->canonical->encode($request)) };
}
refused('rubbish', 'malformed-credential', '/a/5', 'Payment dGhpcyBpcyBnYXJiYWdl');
refused('no token', 'malformed-credential', '/a/5', 'Payment ');
refused('a token of bytes', 'malformed-credential', '/a/5', "Payment \xff\xfe");
refused('an array', 'malformed-credential', '/a/5', 'Payment ' . encode_base64url('[]'));
refused('a lower amount', 'invalid-challenge', '/a/5', credential(changed_request(amount => '1')));
refused('another recipient', 'invalid-challenge', '/a/5', credential(changed_request(recipient => '0x' . '1' x 40)));
refused('another id', 'invalid-challenge', '/a/5', credential({ %{ $fresh->() }, id => 'A' x 43 }));
refused('an id cut short', 'invalid-challenge', '/a/5', credential({ %{ $fresh->() }, id => '' }));
refused('a later end', 'invalid-challenge', '/a/5', credential({ %{ $fresh->() }, expires => '2099-01-01T00:00:00.000Z' }));
refused('another realm', 'invalid-challenge', '/a/5', credential({ %{ $fresh->() }, realm => 'evil.example' }));
refused('another intent', 'invalid-challenge', '/a/5', credential({ %{ $fresh->() }, intent => 'session' }));
refused('a digest that was not asked for', 'invalid-challenge', '/a/5', credential({ %{ $fresh->() }, digest => 'sha-256=AA' }));
refused('a challenge of another path', 'invalid-challenge', '/a/5', credential($fresh->('/a/6')));
refused('a challenge of another price', 'invalid-challenge', '/dear/5', credential($fresh->('/a/5')));
refused('a challenge of another Host', 'invalid-challenge', '/a/5', credential(challenge($t->get('/a/5', host => 'b.example'))));
refused('a challenge of another port', 'invalid-challenge', '/a/5', credential($fresh->('/a/5')), port => 'other');
refused('another value', 'invalid-payload', '/a/5', credential($fresh->(), 'payload.value' => '1'));
refused('another receiver', 'invalid-payload', '/a/5', credential($fresh->(), 'payload.to' => '0x' . '1' x 40));
refused('another nonce', 'invalid-payload', '/a/5', credential($fresh->(), 'payload.nonce' => random_hex(32)));
refused('longer than its challenge', 'invalid-payload', '/a/5', credential($fresh->(), valid => 4000));
refused('another source', 'invalid-payload', '/a/5', credential($fresh->(), source => 'did:pkh:eip155:84532:0x' . '1' x 40));
refused('another type', 'invalid-payload', '/a/5', credential($fresh->(), 'payload.type' => 'hash'));
refused('no signature', 'invalid-payload', '/a/5', credential($fresh->(), 'payload.signature' => without()));
refused('nearly over', 'payment-expired', '/a/5', credential($fresh->(), valid => 3));
refused('over', 'payment-expired', '/a/5', credential($fresh->(), valid => -3));
$f->verify_once(invalid => 'invalid_exact_evm_payload_signature');
my $forged = pays('/a/7');
is $forged->status . ' ' . mpp_problem($forged)->{type}, '402 https://paymentauth.org/problems/verification-failed', 'a forged signature';
$f->settle_once(refused => 'insufficient_funds');
my $poor = pays('/a/7');
is $poor->status . ' ' . (mpp_problem($poor)->{detail} // ''), '402 insufficient_funds', 'a refused settlement';
is mpp_receipt($poor), undef, 'has no receipt';

# --- used once, in whichever dialect

my $credential = credential($fresh->('/a/8'), from => '0x' . '5' x 40);
is pays('/a/8', credential => $credential)->status, 200, 'a credential';
$f->forget;
my $again = pays('/a/8', credential => $credential);
is $again->status, 402, 'the same again';
like $again->body, qr/payment_already_used/, 'is used';
my %wire = %{ JSON::PP::decode_json(decode_base64url($credential =~ s/Payment //r)) };
my %authorization = %{ $wire{payload} };
my $signature = delete $authorization{signature};
delete $authorization{type};
my $same = payment(unpaid($t, '/a/8'), 'payload.authorization' => \%authorization, 'payload.signature' => $signature);
my $x402 = paid($t, '/a/8', payment => $same);
is $x402->status . ' ' . offer($x402)->{error}, '402 payment_already_used', 'as a payment of x402 it is used, too';
is $f->calls, 0, 'and the facilitator is not asked';

# --- a body that the price is read from belongs to its challenge

my @json = ('Content-Type' => 'application/json');
my $post = sub ($body, @headers) { $t->ask(POST => '/read/1', body => $body, headers => [ @json, @headers ]) };
my $cheap = challenge($post->('{"tier":"a"}'));
$f->forget;
$up->forget;
for my $other ('{"tier":"b"}', '{"tier":"dear"}', undef) {
    is $post->($other, Authorization => credential($cheap))->status, 402, 'another body: 402';
}
is $f->calls('settle') . $up->hits, '00', 'nothing is charged, and nothing is made';
my $read = $post->('{"tier":"a"}', Authorization => credential($cheap));
is $read->status . $read->body, "200answer to /read/1\n", 'the body that was asked about';
is request_of(challenge($post->('{"tier":"dear"}')))->{amount}, '1000000', 'another body has its own price';

# --- two dialects in one request

$f->forget;
my $both = $t->get('/a/9', headers => [ Authorization => credential($fresh->('/a/9')), 'PAYMENT-SIGNATURE' => payment(unpaid($t, '/a/9')) ]);
is $both->status, 402, 'both at once';
like offer($both)->{error}, qr/two protocols/, 'says what is wrong';
is $f->calls, 0, 'neither is charged';
my $twice = $t->get('/a/9', headers => [ Authorization => credential($fresh->('/a/9')), Authorization => credential($fresh->('/a/9')) ]);
like $twice->status, qr/^40[02]$/, 'two credentials';
is $f->calls, 0, 'are not charged either';

# --- an outcome that is unknown demands no money

$f->settle_once(close => 1);
my $open = credential($fresh->('/a/10'));
my $unknown = pays('/a/10', credential => $open);
is $unknown->status, 503, 'an unknown outcome';
is scalar(challenges($unknown)), 0, 'asks for nothing';
is pays('/a/10', credential => $open)->body, "answer to /a/10\n", 'the same credential brings the content';

# --- keys: the former one counts while it is in the file

my $before = credential($fresh->('/a/11'));
chmod 0600, $t->write('mpp.key', "# new first\n$other_key\n$key\n");
$t->reload;
is pays('/a/11', credential => $before)->status, 200, 'a challenge under the former key';
is pays('/a/11')->status, 200, 'and one under the new key';
my $late = credential($fresh->('/a/12'));
chmod 0600, $t->write('mpp.key', "$key\n");
$t->reload;
refused('a key that is gone', 'invalid-challenge', '/a/12', $late);

# --- without a key of its own it is made from those of x402_seal_key

chmod 0600, $t->write("$_.seal", $_ x 64 . "\n") for qw(a b);
$t->conf($text =~ s/x402_mpp key=mpp.key;/x402_seal_key %%DIR%%\/a.seal;/r)->reload;
my $sealed = credential($fresh->('/a/13'));
$t->conf($text =~ s/x402_mpp key=mpp.key;/x402_mpp realm=shop; x402_seal_key %%DIR%%\/b.seal %%DIR%%\/a.seal;/r)->reload;
refused('another realm', 'invalid-challenge', '/a/13', $sealed);
$t->conf($text =~ s/x402_mpp key=mpp.key;/x402_seal_key %%DIR%%\/b.seal %%DIR%%\/a.seal;/r)->reload;
is pays('/a/13', credential => $sealed)->status, 200, 'the former key of x402_seal_key';
is pays('/a/13')->status, 200, 'and its new one';

# --- without any key one is made, and lasts until nginx is restarted

my $bare = $text =~ s/x402_mpp key=mpp.key;//r;
$t->allow(qr/\[warn\].*"x402_protocol mpp" has no key in a file/);
$t->conf($bare)->reload;
is $t->log_count(qr/\[warn\].*has no key in a file.*write x402_mpp key=file/), 1, 'nginx says what that means';
my $early = credential($fresh->('/a/14'));
is pays('/a/15')->status, 200, 'a payment';
refused('a challenge under a key that was there before', 'invalid-challenge', '/a/13', $sealed);
$f->settle_once(close => 1);
is pays('/a/14', credential => $early)->status, 503, 'an unknown outcome';
$t->reload;
is pays('/a/14', credential => $early)->body, "answer to /a/14\n", 'is finished after a reload, with the same challenge';
$t->conf($text)->reload;

like do { local (@ARGV, $/) = $t->dir . '/dialects'; <> }, qr/^mpp settled$/m, '$x402_protocol';

# --- what nginx -t says

$t->allow(qr/emerg/);
sub says ($change, $like) {
    my $said = $t->config_error($change);
    like $said, $like, "refused: $like";
    unlike $said, qr/$key|$other_key/, 'without the key';
    return;
}
says($bare =~ s/x402_pay_to/x402_zone x402:10m journal=journal; x402_pay_to/r, qr/needs a key for its challenges, where payments outlive nginx; write x402_seal_key with a file, or x402_mpp key=file/);
says($bare =~ s/x402_pay_to/x402_store redis:\/\/127.0.0.1:1; x402_pay_to/r, qr/needs a key for its challenges/);
like +($t->test_config($text =~ s/x402_price \$0\.01;/x402_price \$arg_price;/r))[0], qr/test is successful/, 'a price of variables';
says($text =~ s/x402_mpp key=mpp.key;/x402_mpp key=none.key;/r, qr/none\.key" cannot be opened/);
ok +($t->test_config($text =~ s/x402_mpp key=mpp.key;/x402_mpp realm=a;/r))[1], 'a realm alone';
says($text =~ s/x402_mpp key=mpp.key;/x402_mpp key=;/r, qr/"key=" cannot be used; write key=file/);
says($text =~ s/x402_mpp key=mpp.key;/x402_mpp key=mpp.key "realm=a b";/r, qr/cannot be used; write key=file, and a realm without spaces/);
says($text =~ s/x402_protocol v2 mpp/x402_protocol mpp v2/r, qr/write "v2 mpp"/);
chmod 0600, $t->write('short.key', "abc\n"), $t->write('empty.key', "\n"), $t->write('three.key', join "\n", ($key) x 3);
says($text =~ s/key=mpp.key/key=short.key/r, qr/short\.key" has a key that is too short/);
says($text =~ s/key=mpp.key/key=empty.key/r, qr/empty\.key" has no key/);
says($text =~ s/key=mpp.key/key=three.key/r, qr/three\.key" has more than two keys/);
chmod 0644, $t->dir . '/mpp.key';
like +($t->test_config($text))[0], qr/\[warn\].*mpp\.key" is accessible to users other/, 'a key that others may read';
unlike $t->log, qr/$key|$other_key/, 'no key in the log';

finish;
