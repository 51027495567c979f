# SPDX-License-Identifier: Apache-2.0
# A 402 written by hand and PayAI's facilitator (docs/migrating.md): every member of
# the offer as the operator wrote it, no call for it, and a token with each
# call. Rows 4.4: 1 same 402, 2 no call, 3 token, 4 no token, 5 refused, 6 when due.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(encode_base64 decode_base64url);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    map $arg_free $free { default ""; yes 1; }
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_accept network=eip155:84532 amount=10000 asset=0x036CbD53842c5426634e7929541eC2318f3dCF7e
            pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C timeout=60s 'extra={"name":"USDC","version":"2"}';
        x402_accept network=solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d amount=1000000
            asset=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v pay_to=2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4
            timeout=60s 'extra={"feePayer":"EwWqGE4ZFKLofuestmU4LDdK7XM1N4ALgdZccwYugwGd"}';
        x402_resource https://api.example.com/weather;
        x402_description "Weather data";
        x402_mime_type application/json;
        x402_error "PAYMENT-SIGNATURE header is required";
        x402_unpaid_body application/json '{"error":"Payment required"}';
        x402_bypass $free;
        location /weather { x402_facilitator_auth payai payai.key; proxy_pass http://%%BACKEND%%; }
        location /tier    { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
chmod 0600, $t->write('payai.key', "id = my-id\nsecret = payai_sk_"
    . encode_base64(pack('H*', '302e020100300506032b657004220420') . 'x' x 32, '') . "\n");
my $json = JSON::PP->new->utf8->canonical;
$t->allow(qr/does not list/);
$t->start;

# 1. The same 402.
my $r = $t->get('/weather?city=a');
is $r->status, 402, '4.4.1 unpaid';
is $r->body, '{"error":"Payment required"}', '4.4.1 the body';
like $r->header('Content-Type'), qr{\Aapplication/json}, '4.4.1 its type';
my $offer = offer($r);
is $json->encode($offer), $json->encode({
    x402Version => 2, error => 'PAYMENT-SIGNATURE header is required',
    resource => { url => 'https://api.example.com/weather', description => 'Weather data', mimeType => 'application/json' },
    accepts => [
        {   scheme => 'exact', network => 'eip155:84532', amount => '10000', maxTimeoutSeconds => 60,
            asset => '0x036CbD53842c5426634e7929541eC2318f3dCF7e', payTo => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
            extra => { name => 'USDC', version => '2' } },
        {   scheme => 'exact', network => 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d', amount => '1000000',
            maxTimeoutSeconds => 60, asset => 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
            payTo => '2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4',
            extra => { feePayer => 'EwWqGE4ZFKLofuestmU4LDdK7XM1N4ALgdZccwYugwGd' } },
    ],
}), '4.4.1 every member, the network as it was written';

# 2. No call was made, at start or since.
sleep 1;
is $f->count('supported') + $f->calls, 0, '4.4.2 no facilitator was asked';

# 3. A token with each call, used again while it is fresh. Signature and renewal: facilitator_auth.t.
is paid($t, '/weather')->status, 200, '4.4.3 paid';
is $f->order, 'verify settle', '4.4.3 at the facilitator';
is paid($t, '/weather')->status, 200, '4.4.3 and again';
my @tokens = map { $_->{headers}{authorization} } $f->requests;
is scalar(grep { $_ eq $tokens[0] } @tokens), 4, '4.4.3 one token for all of them';
my ($head, $claims) = map { $json->decode(decode_base64url($_)) } (split /[ .]/, $tokens[0])[1, 2];
is "$head->{alg} $head->{typ} $head->{kid}", 'EdDSA JWT my-id', '4.4.3 its head';
is "$claims->{iss} $claims->{sub}", 'payai-merchant my-id', '4.4.3 its claims';
is $claims->{exp} - $claims->{iat}, 120, '4.4.3 its life';
like $claims->{jti}, qr/\A[0-9a-f]{8}-[0-9a-f]{4}-4/, '4.4.3 its number';

# 4. Without credentials there is no such header.
$f->forget;
is paid($t, '/tier')->status, 200, '4.4.4 paid on the free tier';
is scalar(grep { defined $_->{headers}{authorization} } $f->requests), 0, '4.4.4 without a token';

# 5. Refused and expired: 402, and the offer again.
$f->verify(invalid => 'invalid_exact_evm_payload_signature');
$r = paid($t, '/weather');
is $r->status, 402, '4.4.5 refused';
is offer($r)->{error}, 'invalid_exact_evm_payload_signature', '4.4.5 with the reason';
is $json->encode(offer($r)->{accepts}), $json->encode($offer->{accepts}), '4.4.5 and the offer again';
is paid($t, '/weather', change => { valid => -5 })->status, 402, '4.4.5 expired';

# 6. When payment is due is the operator's to say.
$_->forget for $f, $up;
is $t->get('/weather?free=yes')->status, 200, '4.4.6 free by a variable';
is $t->get('/weather?free=no')->status, 402, '4.4.6 due by a variable';
is $f->calls, 0, '4.4.6 no facilitator was asked';

finish;
