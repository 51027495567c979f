# SPDX-License-Identifier: Apache-2.0
# x402_sign_offers: offers and receipts carry a signature of the server, and
# x402_did_document tells everyone the keys to check it with.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();
use MIME::Base64 qw(decode_base64url);

my ($f, $up) = (facilitator(), backend());
my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    log_format receipt '$x402_signed_receipt';
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example localhost *.shop.example;
        x402_price $0.01;
        x402_protocol v2 v1;
        x402_sign_offers key=keys/new.pem;
        proxy_http_version 1.1;

        location /signed/ { access_log %%DIR%%/receipts receipt; proxy_pass http://%%BACKEND%%; }
        location /other/  { x402_sign_offers key=keys/es256.pem kid=did:web:shop.example#ec transaction=off;
                            proxy_pass http://%%BACKEND%%; }
        location /plain/  { x402_sign_offers off; proxy_pass http://%%BACKEND%%; }
        location /written/ { x402_resource https://shop.example$request_uri; proxy_pass http://%%BACKEND%%; }
        location /chosen/ { proxy_pass http://%%BACKEND%%; }
        location /upto/   { x402_protocol v2; x402_accept scheme=upto price=5; proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location = /.well-known/did.json { x402_did_document key-0=keys/old.pub; if ($arg_x) { set $seen 1; } }
    }
}
EOF
my $t = nginx($text, facilitator => $f, backend => $up);
$t->write('keys/new.pem', '');
my $keys = $t->dir;
sub run (@command) { system(@command) == 0 or die "@command" }
run("openssl genpkey -algorithm ed25519 -out $keys/keys/new.pem 2>/dev/null");
run("openssl pkey -in $keys/keys/new.pem -pubout -out $keys/keys/new.pub 2>/dev/null");
run("openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout -out $keys/keys/old.pub 2>/dev/null");
run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $keys/keys/es256.pem 2>/dev/null");
chmod 0600, "$keys/keys/new.pem", "$keys/keys/es256.pem";
$t->start;

my $json = JSON::PP->new->utf8->canonical;
sub opened ($jws) {
    my ($header, $payload, $signature) = split /\./, $jws;
    return ($json->decode(decode_base64url($header)), $json->decode(decode_base64url($payload)),
        "$header.$payload", decode_base64url($signature));
}
sub is_signed ($jws, $name) {
    my (undef, undef, $signed, $signature) = opened($jws);
    $t->write('signed', $signed);
    $t->write('signature', $signature);
    my $said = qx(openssl pkeyutl -verify -pubin -inkey $keys/keys/new.pub -rawin -in $keys/signed -sigfile $keys/signature 2>&1);
    like $said, qr/Verified Successfully/, $name;
    return;
}
sub offers ($path) { return unpaid($t, $path)->{extensions}{'offer-receipt'}{info}{offers} }

# --- offers

my $host  = 'localhost';
my $offer = offers('/signed/a?b=1')->[0];
is $offer->{format}, 'jws', 'a signed offer';
is $offer->{acceptIndex}, 0, 'of the first way to pay';
my ($header, $said) = opened($offer->{signature});
is_deeply $header, { alg => 'EdDSA', kid => 'did:web:shop.example#key-1' }, 'names its key';
my $until = delete $said->{validUntil};
is_deeply $said, {
    version => 1, resourceUrl => "http://$host/signed/a?b=1", scheme => 'exact', network => 'eip155:84532',
    asset => '0x036CbD53842c5426634e7929541eC2318f3dCF7e', payTo => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
    amount => '10000',
}, 'and says what is offered';
cmp_ok abs($until - time - 300), '<=', 5, 'until when';
is_signed($offer->{signature}, 'the signature holds');

my $begun = time;
my %seen = map { offers('/other/')->[0]{signature} => 1 } 1 .. 30;
cmp_ok scalar keys %seen, '<=', time - $begun + 2, 'an offer is signed once a second, not once a request';
is((opened((keys %seen)[0]))[0]{alg}, 'ES256', 'another key at another place');
is unpaid($t, '/plain/')->{extensions}, undef, 'off: nothing is signed';

# --- a host that a client chose

my $body = offer($t->get('/signed/a', host => 'thief.example'));
is $body->{resource}{url}, 'http://thief.example/signed/a', 'another host: an offer all the same';
is $body->{extensions}{'offer-receipt'}, undef, 'that the server does not sign';
for my $own ('shop.example', 'a.shop.example') {
    my $mine = offer($t->get('/signed/a', host => $own));
    is((opened($mine->{extensions}{'offer-receipt'}{info}{offers}[0]{signature}))[1]{resourceUrl}, "http://$own/signed/a", "$own is its name");
}
my $written = offer($t->get('/written/a', host => 'thief.example'));
is((opened($written->{extensions}{'offer-receipt'}{info}{offers}[0]{signature}))[1]{resourceUrl}, 'https://shop.example/written/a', 'x402_resource says it');
is paid($t, '/signed/a', host => 'thief.example')->status, 200, 'another host: paid';

# --- receipts

sub signed_receipt ($answer) { return receipt($answer)->{extensions}{'offer-receipt'}{info}{receipt}{signature} }

for my $path ('/signed/1', '/before/1') {
    my $paid = paid($t, $path);
    is_content $paid, "answer to $path\n", "content of $path";
    my ($named, $receipt) = opened(signed_receipt($paid));
    is $named->{kid}, 'did:web:shop.example#key-1', 'a signed receipt';
    my $plain = receipt($paid);
    cmp_ok abs(delete($receipt->{issuedAt}) - time), '<=', 5, 'of this moment';
    is_deeply $receipt, {
        version => 1, network => 'eip155:84532', resourceUrl => "http://$host$path",
        payer => $plain->{payer}, transaction => $plain->{transaction},
    }, 'says who paid for what';
    is_signed(signed_receipt($paid), 'its signature holds');
}
my $quiet = (opened(signed_receipt(paid($t, '/other/1'))))[1];
ok !exists $quiet->{transaction}, 'transaction=off leaves it out';
is receipt(paid($t, '/plain/1'))->{extensions}, undef, 'no receipt where nothing is signed';
like do { local (@ARGV, $/) = "$keys/receipts"; <> }, qr/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/m, '$x402_signed_receipt for the access log';

# As with the official packages: it says what was delivered, and names no amount.
$up->on('/upto/1', body => "SECRET\n", headers => [ 'Settlement-Overrides' => '{"amount":"0"}' ]);
$f->settle_once('paid', with => { transaction => '', amount => '0' });
my $nothing = (opened(signed_receipt(paid($t, '/upto/1', payment => permit2(unpaid($t, '/upto/1'))))))[1];
is_deeply [ sort keys %$nothing ], [qw(issuedAt network payer resourceUrl version)], 'a settlement of 0: signed, with neither amount nor transaction';

# --- a payment echoes the offer, or does not

for my $echo (offers('/signed/2'), []) {
    my $extensions = { 'offer-receipt' => { info => { offers => $echo } } };
    is paid($t, '/signed/2', payment => payment(unpaid($t, '/signed/2'), extensions => $extensions))->status, 200,
        'signed offers are no part of the echo check';
}
is paid($t, '/signed/3', payment => payment(unpaid($t, '/signed/3'), extensions => without()))->status, 200, 'nor missed in it';

# --- what did not succeed is not attested

$f->settle_once(refused => 'insufficient_funds');
my $failed = paid($t, '/signed/4');
is $failed->status, 402, 'a refused settlement';
is receipt($failed) && receipt($failed)->{extensions}, undef, 'has no signed receipt';

# --- the document

my $told = $t->get('/.well-known/did.json');
is $told->status, 200, 'the document';
is $told->header('Content-Type'), 'application/json', 'is JSON';
my $document = $json->decode($told->body);
is $document->{id}, 'did:web:shop.example', 'of the server';
is join(' ', map { $_->{id} =~ s/.*#//r } $document->{verificationMethod}->@*), 'key-1 ec key-0', 'with all keys';
unlike $told->body, qr/"d"|PRIVATE/, 'and nothing secret';
is $t->ask('POST', '/.well-known/did.json', body => 'a')->status, 405, 'for reading only';

# --- what nginx -t says

$t->allow(qr/emerg/);
sub says ($line, $like) {
    my $said = $t->config_error($text =~ s/x402_sign_offers key=keys\/new\.pem;/$line/r);
    like $said, $like, "refused: $line";
    return;
}
$t->write('keys/broken.pem', "-----BEGIN PRIVATE KEY-----\nsecretbytes\n-----END PRIVATE KEY-----\n");
chmod 0600, "$keys/keys/broken.pem";
says('x402_sign_offers key=keys/nowhere.pem;', qr/nowhere\.pem" cannot be opened/);
says('x402_sign_offers key=keys/broken.pem;',  qr/broken\.pem" cannot sign: the PEM block contains no readable/);
says('x402_sign_offers key=keys/old.pub;',     qr/old\.pub" cannot sign/);
says('x402_sign_offers kid=did:web:a.example#a;', qr/needs key=file/);
says('x402_sign_offers key=keys/new.pem kid=mine;', qr/kid "mine" is not a DID with a fragment/);
says('x402_sign_offers key=keys/new.pem transaction=maybe;', qr/transaction= is on or off/);
says('x402_sign_offers key=keys/new.pem keys=2;', qr/"keys=2" cannot be used; write key=file/);
says('x402_sign_offers key=keys/new.pem kid=did:web:shop.example#ec;', qr/two keys are called "did:web:shop\.example#ec"/);
says('x402_sign_offers key=keys/new.pem kid=did:web:shop.example#key-0;', qr/remove it from x402_did_document/);
like $t->config_error($text =~ s/server_name shop.example localhost/server_name _/r), qr/cannot make a (?:kid|DID) of this server's name/, 'a server without a name';
$t->write('own.json', '{"info":{}}');
says('x402_sign_offers key=keys/new.pem; x402_extension offer-receipt own.json;', qr/write x402_sign_offers, and no file/);
chmod 0644, "$keys/keys/new.pem";
my ($warned) = $t->test_config($text);
like $warned, qr/\[warn\].*new\.pem" is accessible to users other than its owner \(mode 0644\)/, 'a key that others may read';
unlike $warned . $t->config_error($text =~ s/new\.pem/broken.pem/r), qr/secretbytes/, 'no message contains a byte of a key';

unlike $t->log, qr/secretbytes|PRIVATE KEY/, 'nor does the log';

finish;
