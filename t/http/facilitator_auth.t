# SPDX-License-Identifier: Apache-2.0
# Credentials for the facilitator come from a file, are checked when nginx is,
# prove themselves with every call, and appear nowhere else.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64 decode_base64url encode_base64url);
use X402::Test;

# Public test keys: Ed25519 with the seed 00..1f, P-256 of RFC 7515, A.3.
my $seed   = pack 'C*', 0 .. 31;
my $public = pack 'H*', '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8';
my $cdp    = encode_base64($seed . $public, '');
my $payai  = 'payai_sk_' . encode_base64(pack('H*', '302e020100300506032b657004220420') . $seed, '');
my $sec1   = <<'EOF';
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END EC PRIVATE KEY-----
EOF
my $ec_public = <<'EOF';
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END PUBLIC KEY-----
EOF
my $ed_public = "-----BEGIN PUBLIC KEY-----\n"
    . encode_base64(pack('H*', '302a300506032b6570032100') . $public) . "-----END PUBLIC KEY-----\n";
my $json = JSON::PP->new->utf8->canonical;

my ($f, $other) = (facilitator(), facilitator());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%/v2/;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_facilitator_auth bearer keys/bearer;
    root %%DIR%%/html;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /bearer/ { }
        location /cdp/    { x402_facilitator_auth cdp keys/cdp; x402_facilitator_header X-Also 1; }
        location /es256/  { x402_facilitator_auth cdp %%DIR%%/keys/es256; }
        location /portal/ { x402_facilitator_auth cdp keys/portal.json; }
        location /payai/  { x402_facilitator_auth payai keys/payai; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, level => 'debug');

sub key_file ($name, $text, $mode = 0600) {
    my $path = $t->write("keys/$name", $text);
    chmod $mode, $path;
    return $path;
}

key_file(bearer => "bearer-secret-1\n");
key_file(cdp => "id = organizations/x/apiKeys/y\nsecret = $cdp\n");
key_file(es256 => "# of the portal\nid = the-es256-id\nsecret =\n$sec1");
key_file('portal.json' => $json->encode({ name => 'the-portal-id', privateKey => $sec1 }));
key_file(payai => "id = the-payai-id\nsecret = $payai\n");
$t->write("html/$_/a", "SECRET\n") for qw(bearer cdp es256 portal payai);
$t->start;

# The header Authorization of the last call of a kind.
sub authorization ($kind) { return (($f->requests($kind))[-1] // { headers => {} })->{headers}{authorization} // '' }

sub jwt ($kind) {
    my ($token) = authorization($kind) =~ /\ABearer (\S+)\z/ or return {};
    my ($header, $claims, $signature) = split /[.]/, $token;
    return {
        token  => $token,
        header => $json->decode(decode_base64url($header)),
        claims => $json->decode(decode_base64url($claims)),
        signature => decode_base64url($signature),
        signed    => "$header.$claims",
    };
}

sub der_integer ($bytes) {
    $bytes =~ s/\A\0+(?=.)//s;
    $bytes = "\0$bytes" if ord $bytes >= 0x80;
    return pack 'CC/a', 2, $bytes;
}

# By openssl, with the public key alone.
sub verifies ($jwt, $pem) {
    my $signature = $jwt->{signature};
    my @how = qw(-rawin);
    if ($jwt->{header}{alg} eq 'ES256') {
        my ($r, $s) = map { der_integer($_) } unpack 'a32 a32', $signature;
        $signature = pack 'CC/a', 0x30, $r . $s;
        push @how, qw(-digest sha256);
    }
    my ($key, $sig, $in) = ($t->write('v/key', $pem), $t->write('v/sig', $signature), $t->write('v/in', $jwt->{signed}));
    my $said = `openssl pkeyutl -verify -pubin -inkey $key -sigfile $sig -in $in @how 2>&1`;
    return $said =~ /Verified Successfully/ || diag $said;
}

# --- bearer

is_content paid($t, '/bearer/a'), "SECRET\n", 'paid with a bearer token, inherited';
is authorization($_), 'Bearer bearer-secret-1', "sent with $_" for qw(verify settle);

# --- what is supported, with each of them

ok $f->wait_calls(supported => 5), 'asked with each of five credentials';
my %supported = map { $_->{headers}{authorization} => 1 } $f->requests('supported');
is scalar(keys %supported), 5, 'another one each time';
ok $supported{'Bearer bearer-secret-1'}, 'the bearer token';
my @for = map { /\ABearer [^.]+[.]([^.]+)[.]/ ? $json->decode(decode_base64url($1))->{uris} // () : () } keys %supported;
is_deeply \@for, [ ([ 'GET ' . $f->address . '/v2/supported' ]) x 3 ], 'and JWTs for this endpoint alone';

# --- cdp

my $start = time;
is_content paid($t, '/cdp/a'), "SECRET\n", 'paid with a CDP key';
my %first;
for my $kind (qw(verify settle)) {
    my $jwt = $first{$kind} = jwt($kind);
    like $jwt->{header}{nonce}, qr/\A[0-9a-f]{32}\z/, "$kind: a nonce";
    is_deeply [ $jwt->{header}->@{qw(alg kid typ)} ], [ 'EdDSA', 'organizations/x/apiKeys/y', 'JWT' ], "$kind: header";
    my $claims = $jwt->{claims};
    is_deeply $claims->{uris}, [ 'POST ' . $f->address . "/v2/$kind" ], "$kind: for this endpoint alone";
    is_deeply [ $claims->@{qw(iss sub)} ], [ 'cdp', 'organizations/x/apiKeys/y' ], "$kind: claims";
    cmp_ok abs($claims->{iat} - $start), '<=', 10, "$kind: made now";
    is_deeply [ $claims->{nbf} - $claims->{iat}, $claims->{exp} - $claims->{iat} ], [ 0, 120 ], "$kind: for two minutes";
    ok verifies($jwt, $ed_public), "$kind: the signature is good";
    is((($f->requests($kind))[-1])->{headers}{'x-also'}, 1, "$kind: beside a header of the operator's");
}
is_content paid($t, '/cdp/a'), "SECRET\n", 'paid again';
is jwt($_)->{token}, $first{$_}{token}, "$_: the token is kept" for qw(verify settle);

is_content paid($t, '/es256/a'), "SECRET\n", 'paid with an EC key';
for my $kind (qw(verify settle)) {
    my $jwt = jwt($kind);
    is_deeply [ $jwt->{header}->@{qw(alg kid)} ], [ 'ES256', 'the-es256-id' ], "$kind: header";
    is length $jwt->{signature}, 64, "$kind: r and s";
    ok verifies($jwt, $ec_public), "$kind: the signature is good";
    $jwt->{signed} .= 'x';
}
is_content paid($t, '/portal/a'), "SECRET\n", 'paid with the file of the portal';
is jwt('settle')->{header}{kid}, 'the-portal-id', 'its name';

# --- payai

is_content paid($t, '/payai/a'), "SECRET\n", 'paid with a PayAI key';
my $jwt = jwt('verify');
is_deeply $jwt->{header}, { alg => 'EdDSA', typ => 'JWT', kid => 'the-payai-id' }, 'header';
is_deeply [ $jwt->{claims}->@{qw(iss sub)} ], [ 'payai-merchant', 'the-payai-id' ], 'claims';
is $jwt->{claims}{exp} - $jwt->{claims}{iat}, 120, 'for two minutes';
like $jwt->{claims}{jti}, qr/\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z/, 'a UUID';
ok verifies($jwt, $ed_public), 'the signature is good';
is jwt('settle')->{token}, $jwt->{token}, 'one token for all endpoints';

# --- it is sent nowhere else

$t->allow(qr/crit/);
$f->verify_once(redirect => $other->url);
my $r = paid($t, '/bearer/a');
is $r->status, 502, 'a redirect elsewhere: 502';
no_trace $r, 'SECRET', 'no content';
is $other->calls, 0, 'no other facilitator is asked';
$t->log_like(qr/\[crit\].*credentials are configured/, 'crit in the log');
$f->forget;
$f->verify_once(redirect => $f->url . '/moved');
is_content paid($t, '/cdp/a'), "SECRET\n", 'moved on the same server';
is_deeply jwt('verify')->{claims}{uris}, [ 'POST ' . $f->address . '/moved/verify' ], 'the token is for the new place';

# A facilitator that does not know us.
$f->verify_once(status => 401, body => '{}');
$r = paid($t, '/bearer/a');
is $r->status, 502, '401: 502';

# --- a reload reads the file again; a bad file keeps the old configuration

key_file(bearer => "bearer-secret-2\r\n");
$t->wait_exit($t->reload);
is_content paid($t, '/bearer/a'), "SECRET\n", 'after a reload';
is authorization('settle'), 'Bearer bearer-secret-2', 'the new token';
key_file(bearer => "Bearer bearer-secret-3\n");
ok $t->reload_refused(qr/\[emerg\].*bearer token is one line/), 'a reload with a bad file is refused';
is_content paid($t, '/bearer/a'), "SECRET\n", 'the old one goes on';
is authorization('settle'), 'Bearer bearer-secret-2', 'with the old token';
key_file(bearer => "bearer-secret-1\n");

# --- what -t says

my $frame = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    server {
        listen 127.0.0.1:%%PORT%%;
        location / {
            x402_price $0.01; x402_network base-sepolia; x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
            LINE
        }
    }
}
EOF
my $ask = 'x402_facilitator http://127.0.0.1:1;';

sub check ($line) { return $t->test_config($frame =~ s/LINE/$line/r) }

sub refused ($kind, $text, $says, $name) {
    key_file(tested => $text);
    my ($said, $passed) = check("$ask x402_facilitator_auth $kind keys/tested;");
    ok !$passed && $said =~ /\[emerg\].*\Q$says\E.*tested\.conf:9$/m, "refused: $name" or diag $said;
    return;
}

my $short = encode_base64($seed, '');
refused(bearer => '', 'one line of visible characters', 'an empty bearer file');
refused(bearer => "a\nb\n", 'one line of visible characters', 'two lines of token');
refused(cdp => "secret = $cdp\n", 'the id is missing', 'no id');
refused(cdp => "id = a\n", 'the secret is missing', 'no secret');
refused(cdp => "$cdp\n", 'write two lines, "id = ..." and "secret = ..."', 'the secret alone');
refused(cdp => "id = a\nsecret = $short\n", '64 bytes in base64 (Ed25519) or a PEM block with an EC P-256', 'half a CDP key');
refused(cdp => "id = a\nsecret = $payai\n", '64 bytes in base64', 'a PayAI key for CDP');
refused(cdp => "id = a\nsecret = -----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 'EC P-256', 'a broken PEM block');
refused(cdp => '{"id":"a"}', '"privateKey"', 'JSON without a key');
refused(payai => "id = a\nsecret = $cdp\n", 'PKCS#8 DER in base64', 'a CDP key for PayAI');
refused(payai => "id = a\nsecret = $short\n", 'PKCS#8 DER in base64', 'half a PayAI key');
refused(bearer => 'a' x 70000, 'more than 65536 bytes', 'a large file');

for my $case (
    [ "$ask x402_facilitator_auth bearer keys/nowhere;", 'nowhere" cannot be opened; correct the path \(2: No such file' ],
    [ "$ask x402_facilitator_auth bearer keys;",         'not a regular file' ],
    [ "$ask x402_facilitator_auth bearer '';",           'needs a name' ],
    [ "$ask x402_facilitator_auth basic keys/bearer;",   'unknown kind "basic"; write bearer, cdp or payai' ],
    [ "$ask x402_facilitator_auth bearer;",              'number of arguments' ],
    [ "$ask x402_facilitator_auth bearer keys/bearer; x402_facilitator_auth bearer keys/bearer;", 'duplicate' ],
    [ "$ask x402_facilitator_auth bearer keys/bearer; x402_facilitator_header authorization a;", 'both write the header Authorization' ],
) {
    my ($line, $says) = @$case;
    my ($said, $passed) = check($line);
    ok !$passed && $said =~ /\[emerg\].*$says.*tested\.conf:\d+$/m, "refused: $line" or diag $said;
}

# The secret itself where its file belongs.
my $slip = 'eyJhbGciOiJub25lIn0.c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1yZWFk';
for my $line ("x402_facilitator_auth bearer $slip;", "x402_seal_key $slip;", "x402_pass time=1h key_file=$slip;",
    "x402_facilitator_proxy http://127.0.0.1:1 user=a password=$slip;") {
    my ($said, $passed) = check("$ask $line");
    ok !$passed && $said =~ /\[emerg\] this file cannot be opened; the name may be the secret itself.*tested\.conf:9$/m,
        'refused: ' . $line =~ s/=?\Q$slip\E.*//r or diag $said;
    unlike $said, qr/c2VjcmV0/, 'and not repeated';
}

for my $mode (0640, 0604, 0660, 0644) {
    key_file(open => "bearer-secret-1\n", $mode);
    my ($said, $passed) = check("$ask x402_facilitator_auth bearer keys/open;");
    my $octal = sprintf '%04o', $mode;
    ok $passed && $said =~ /\[warn\].*open" is accessible to users other than its owner \(mode $octal\)/, "a warning for mode $octal" or diag $said;
}
for my $mode (0600, 0400) {
    key_file(closed => "bearer-secret-1\n", $mode);
    my ($said, $passed) = check("$ask x402_facilitator_auth bearer keys/closed;");
    ok $passed && $said !~ /\[warn\]/, sprintf('none for mode %04o', $mode) or diag $said;
}

my $plain = qr/\[warn\].*credentials for facilitator.*unencrypted/;
for my $case (
    [ 'http://x402.example',    1 ], [ 'http://127.example:80', 1 ], [ 'http://10.1.2.3', 1 ],
    [ 'https://x402.example',   0 ], [ 'http://localhost:4021', 0 ], [ 'http://[::1]:1', 0 ], [ 'http://127.0.0.1', 0 ],
) {
    my ($url, $warned) = @$case;
    for my $what ('x402_facilitator_auth bearer keys/bearer;', 'x402_facilitator_header Authorization abc;') {
        my ($said, $passed) = check("x402_facilitator $url; $what");
        ok $passed && ($said =~ $plain ? 1 : 0) == $warned, ($warned ? 'a warning: ' : 'none: ') . "$url with $what" or diag $said;
    }
}
my ($said) = check('x402_facilitator http://x402.example; x402_facilitator_header X-Trace abc;');
unlike $said, $plain, 'none for any other header';

# --- the secrets are nowhere

my @secrets = (qw(bearer-secret-1 bearer-secret-2 bearer-secret-3), $cdp, $payai, 'MHcCAQEEII6b', map { $_->{token} } values %first, $jwt);
my $log  = $t->log . $t->output;
my $dir  = $t->dir;
local $ENV{LD_PRELOAD} = $ENV{X402_PRELOAD} // '';
my $dump = `@{[ X402::Nginx::binary() ]} -T -p $dir -c $dir/nginx.conf -e $dir/logs/tested.log 2>&1`;
like $dump, qr{x402_facilitator_auth bearer keys/bearer;}, 'nginx -T shows the path';
open my $tested, '<', "$dir/logs/tested.log";
$log .= join '', <$tested>;
is_deeply [ grep { index($log, $_) >= 0 } @secrets ], [], 'no secret and no token in the log at level debug';
is_deeply [ grep { index($dump, $_) >= 0 } @secrets ], [], 'nor in nginx -T';
my $offer = $t->get('/bearer/a');
is_deeply [ grep { index($offer->raw . $r->raw, $_) >= 0 } @secrets ], [], 'nor in a 402 or a 502';
$t->allow(qr/bearer token is one line/);

finish;
