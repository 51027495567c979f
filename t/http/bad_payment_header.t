# SPDX-License-Identifier: Apache-2.0
# Whatever stands in the payment header: 402 with a fresh offer and the right
# word, or nginx's own 4xx. No call, no content, no crash.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(encode_base64);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    large_client_header_buffers 4 128k;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        http2_max_field_size 128k;
        http2_max_header_size 256k;
        location /paid { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

my $offer = unpaid($t, '/paid');
my $good  = payload($offer);
my $text  = JSON::PP->new->utf8->canonical->encode($good);

sub answer_to ($value, $error, $name, %options) {
    my $r = $t->get('/paid', %options, headers => [ 'PAYMENT-SIGNATURE' => $value ]);
    my $got = offer($r);
    ok $r->status == 402 && $r->body eq plain_body($r) && $got && $got->{error} =~ /\A$error\z/
        && !$r->header('PAYMENT-RESPONSE') && $r->header('Cache-Control') eq 'no-store', $name
        or diag $r->summary, "\nerror: ", $got && $got->{error};
}

# --- no payment at all

answer_to('', qr/Payment required/, 'nothing');

# --- what cannot be read: the error says why

my $unpaid = qr/Unreadable payment header: .*/;
for (
    [ 'garbage', '!!!' ],
    [ 'one character', 'A' ],
    [ 'raw JSON', $text ],
    [ 'data URL', 'data:application/json;base64,' . encoded($good) ],
    [ 'URL-safe alphabet', 'eyJ4NDAyVmVyc2lvbiI6MiwiYSI6IsO7w6_Cvj4-Pj8_P35-fiJ9' ],
    [ 'padding in the middle', 'e30=' . encoded($good) ],
    [ 'too much padding', encoded($good) =~ s/=*\z/===/r ],
    [ 'half of the padding', 'eyJ4NDAyVmVyc2lvbiI6MiwiYSI6IngifQ=' ],
    [ 'a space inside', encoded($good) =~ s/\A(.{20})/$1 /r ],
    [ 'a comma inside', encoded($good) =~ s/\A(.{20})/$1,/r ],
    [ 'bytes above 127', "\xff\xfe" . encoded($good) ],
    [ 'JSON null', encoded('null') ],
    [ 'not JSON', encoded("{'a':1}") ],
    [ 'a comment in it', encoded($text =~ s/\A\{/{\/**\//r) ],
    [ 'NaN in it', encoded($text =~ s/"x402Version":2/"x402Version":NaN/r) ],
    [ 'JSON and more', encoded("$text {}") ],
    [ 'JSON and NUL', encoded("$text\0") ],
    [ 'control characters in a string', encoded($text =~ s/"exact"/"exa\x01ct"/r) ],
    [ 'half a document', encoded(substr $text, 0, length($text) / 2) ],
    [ 'depth', encoded('[' x 40 . ']' x 40) ],
    [ 'great depth', encoded('[' x 40000) ],
    [ 'many keys', encoded('{' . join(',', map { qq("k$_":0) } 1 .. 1100) . '}') ],
    [ 'more than 64 KB', encoded({ %$good, filler => 'x' x 60000 }) ],
) {
    answer_to($_->[1], $unpaid, $_->[0]);
}

my $r = $t->get('/paid', headers => [ ('PAYMENT-SIGNATURE' => encoded($good)) x 2 ]);
is offer($r)->{error}, 'Unreadable payment header: it is there more than once', 'two headers are not a payment';
$r = $t->get('/paid', headers => [ 'X-PAYMENT' => encoded({ %$good, x402Version => 1 }) ]);
is offer($r)->{error}, 'Payment in X-PAYMENT, but this resource takes it in PAYMENT-SIGNATURE', 'a v1 header is not a payment here';
my $c = $t->connect;
$c->send("GET /paid HTTP/1.1\r\nHost: a\r\nPAYMENT-SIGNATURE: @{[ encoded($good) ]}\r\n \r\n folded\r\nConnection: close\r\n\r\n");
like $c->answer->status, qr/\A40[02]\z/, 'a folded header';

# --- another version

for (
    [ 'an empty object', encoded('{}') ], [ 'a number', encoded('5') ], [ 'a string', encoded('"x"') ],
    [ 'a list', encoded('[]') ], [ 'version 1', encoded({ %$good, x402Version => 1 }) ],
    [ 'version 3', encoded({ %$good, x402Version => 3 }) ],
    [ 'version as text', encoded({ %$good, x402Version => '2' }) ],
    [ 'no version', encoded({ %$good{qw(payload accepted resource)} }) ],
) {
    answer_to($_->[1], qr/Unsupported x402 version.*/, $_->[0]);
}

# --- a payment of another shape

my $invalid = qr/invalid_payload/;
sub changed ($name, $path, $value) {
    return answer_to(encoded(payload($offer, $path => $value)), $invalid, $name);
}

changed('no payload', payload => without());
changed('payload null', payload => undef);
changed('payload a list', payload => []);
changed('payload empty', payload => {});
changed('no signature', 'payload.signature' => without());
changed('signature a number', 'payload.signature' => 1);
changed('no authorization', 'payload.authorization' => without());
changed('authorization a string', 'payload.authorization' => 'x');
for my $field (qw(from to value validAfter validBefore nonce)) {
    changed("no $field",     "payload.authorization.$field" => without());
    changed("$field null",   "payload.authorization.$field" => undef);
    changed("$field an object", "payload.authorization.$field" => {});
    changed("$field empty",  "payload.authorization.$field" => '');
}
for my $field (qw(from to)) {
    changed("short $field",      "payload.authorization.$field" => '0x' . 'a' x 39);
    changed("long $field",       "payload.authorization.$field" => '0x' . 'a' x 41);
    changed("$field without 0x", "payload.authorization.$field" => 'a' x 42);
    changed("$field not hex",    "payload.authorization.$field" => '0x' . 'g' x 40);
}
changed('short nonce', 'payload.authorization.nonce' => '0x' . 'a' x 63);
changed('long nonce',  'payload.authorization.nonce' => '0x' . 'a' x 65);
for my $field (qw(value validAfter validBefore)) {
    for my $number ('01', '+1', '-1', '1.0', '1e4', '0x10', ' 1', '1 ', '1' x 79) {
        changed("$field as $number", "payload.authorization.$field" => $number);
    }
    changed("$field a fraction", "payload.authorization.$field" => 10000.5);
    changed("$field a negative number", "payload.authorization.$field" => -10000);
    changed("$field a number that is rounded", "payload.authorization.$field" => 9007199254740993);
}
answer_to(encoded(payload($offer, 'payload.authorization.value' => "10000\0")),
    qr/invalid_payload|Unreadable payment header: .*/, 'NUL in a number');
answer_to(encoded(do { my $two = payload($offer); $two->{payload}{permit2Authorization} = { nonce => '1' }; $two }),
    $invalid, 'two forms in one payload');

# --- not what was offered

sub unmatched ($name, %change) {
    return answer_to(encoded(payload($offer, %change)), qr/No matching payment requirements/, $name);
}

unmatched('amount',       'accepted.amount' => '9999');
unmatched('amount more',  'accepted.amount' => '10001');
unmatched('amount a number', 'accepted.amount' => 10000);
unmatched('amount 010000', 'accepted.amount' => '010000');
unmatched('payTo lower case', 'accepted.payTo' => lc $offer->{accepts}[0]{payTo});
unmatched('another payTo', 'accepted.payTo' => random_hex(20));
unmatched('another asset', 'accepted.asset' => random_hex(20));
unmatched('another network', 'accepted.network' => 'eip155:8453');
unmatched('network alias', 'accepted.network' => 'base-sepolia');
unmatched('another scheme', 'accepted.scheme' => 'batch-settlement');
unmatched('timeout',      'accepted.maxTimeoutSeconds' => 299);
unmatched('timeout as text', 'accepted.maxTimeoutSeconds' => '300');
unmatched('no timeout',   'accepted.maxTimeoutSeconds' => without());
unmatched('a new key',    'accepted.more' => undef);
unmatched('extra lost',   'accepted.extra' => { name => 'USDC' });
unmatched('extra changed', 'accepted.extra.version' => '1');
unmatched('extra of another type', 'accepted.extra.version' => 2);
unmatched('no extra',     'accepted.extra' => without());
unmatched('accepted null', accepted => undef);
unmatched('accepted text', accepted => 'x');
unmatched('no accepted',  accepted => without());

# What the authorization says must be what is asked: the facilitator need not be troubled.
for (
    [ 'value below the price', 'payload.authorization.value' => '9999' ],
    [ 'another recipient',     'payload.authorization.to' => random_hex(20) ],
) {
    my ($name, %change) = @$_;
    $r = $t->get('/paid', headers => [ header_of(payment($offer, %change)) ]);
    is $r->status, 402, $name;
}

# --- the same over HTTP/2

for ([ 'garbage', '!!!' ], [ 'bytes above 127', "\xff" ], [ 'depth', encoded('[' x 40000) ]) {
    answer_to($_->[1], $unpaid, "HTTP/2: $_->[0]", h2 => 1, port => 'h2');
}

is $f->calls, 0, 'the facilitator heard of none of it';
ok $up->untouched, 'nor did the backend';

# a number is a number in every spelling that JSON has
$r = $t->get('/paid', headers => [ header_of(encoded(
    $text =~ s/"maxTimeoutSeconds":300/"maxTimeoutSeconds":300.0/r =~ s/"x402Version":2/"x402Version":2e0/r)) ]);
is_content $r, "answer to /paid\n", '300.0 is 300 and 2e0 is 2';

finish;
