# SPDX-License-Identifier: Apache-2.0
# Whatever stands in X-PAYMENT under x402_protocol fast: 402 with a fresh offer in
# the body and the right word. No call, no content, no crash. The shapes of EVM
# payments are in bad_payment_header.t.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Fast;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_protocol fast;
    x402_facilitator %%FACILITATOR%%;
    x402_network fast-testnet;
    x402_pay_to fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh;
    large_client_header_buffers 4 128k;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        http2_max_field_size 128k;
        http2_max_header_size 256k;
        location /paid { x402_price 0.001; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

my $offer = fast_offer($t->get('/paid'));
my $value = fast_payment($offer, seed => 3);
my $good  = decoded($value);
my $text  = JSON::PP->new->utf8->canonical->encode($good);

sub answer_to ($value, $error, $name, %options) {
    my $r = $t->get('/paid', %options, headers => [ 'X-PAYMENT' => $value ]);
    my $got = fast_offer($r) // {};
    ok $r->status == 402 && ($got->{error} // '') =~ /\A$error\z/ && ($got->{accepts} // [])->@* == 1
        && !$r->header('X-PAYMENT-RESPONSE') && $r->header('Cache-Control') eq 'no-store', $name
        or diag $r->summary;
}

# --- no payment at all

answer_to('', qr/X-PAYMENT header is required/, 'nothing');

my $unpaid = qr/Unreadable payment header: .*/;
for (
    [ 'garbage', '!!!' ], [ 'one character', 'A' ], [ 'raw JSON', $text ],
    [ 'a space inside', $value =~ s/\A(.{20})/$1 /r ], [ 'a comma inside', $value =~ s/\A(.{20})/$1,/r ],
    [ 'padding in the middle', "e30=$value" ], [ 'too much padding', $value =~ s/=*\z/===/r ],
    [ 'bytes above 127', "\xff\xfe$value" ], [ 'JSON null', encoded('null') ], [ 'not JSON', encoded("{'a':1}") ],
    [ 'JSON and more', encoded("$text {}") ], [ 'JSON and NUL', encoded("$text\0") ],
    [ 'half a document', encoded(substr $text, 0, length($text) / 2) ], [ 'great depth', encoded('[' x 40000) ],
    [ 'many values', encoded('[' . join(',', (0) x 5000) . ']') ],
    [ 'more than 64 KB', encoded({ %$good, filler => 'x' x 60000 }) ],
) {
    answer_to($_->[1], $unpaid, $_->[0]);
    answer_to($_->[1], $unpaid, "HTTP/2: $_->[0]", h2 => 1, port => 'h2') if length $_->[1] < 65000;
}
my $r = $t->get('/paid', headers => [ ('X-PAYMENT' => $value) x 2 ]);
is fast_offer($r)->{error}, 'Unreadable payment header: it is there more than once', 'two headers are not a payment';
$r = $t->get('/paid', headers => [ 'PAYMENT-SIGNATURE' => $value ]);
is fast_offer($r)->{error}, 'Payment in PAYMENT-SIGNATURE, but this resource takes it in X-PAYMENT', 'nor is one of version 2';

# --- another version, another offer

for ([ 'an empty object', {} ], [ 'version 2', { %$good, x402Version => 2 } ], [ 'version as text', { %$good, x402Version => '1' } ]) {
    answer_to(encoded($_->[1]), qr/Unsupported x402 version.*/, $_->[0]);
}
answer_to(encoded([]), qr/Unsupported x402 version.*/, 'a list');
my $none = qr/Unable to find matching payment requirements/;
for my $network ('fast-mainnet', 'fast', 'fast:testnet', '', 7, undef) {
    answer_to(encoded({ %$good, network => $network }), $none, 'network ' . ($network // 'null'));
}
answer_to(encoded({ %$good, network => 'base' }), qr/invalid_payload/, 'a certificate on an EVM network');
answer_to(encoded({ %$good, scheme => $_ }), $none, "scheme $_") for 'upto', 'Exact', '';

# --- a payment of another shape

my $invalid = qr/invalid_payload/;
sub changed ($name, $path, $value) {
    my $payment = decoded(encoded($text));
    my ($at, @keys) = ($payment, split /\./, $path);
    my $last = pop @keys;
    $at = $at->{$_} for @keys;
    if (ref $value && $value == without()) { delete $at->{$last} }
    else                                   { $at->{$last} = $value }
    return answer_to(encoded($payment), $invalid, $name);
}

my $in_envelope = 'payload.transactionCertificate.envelope';
changed('no payload', payload => without());
changed('payload a list', payload => []);
changed('payload empty', payload => {});
changed('another type', 'payload.type' => 'sign');
changed('no certificate', 'payload.transactionCertificate' => without());
changed('certificate a text', 'payload.transactionCertificate' => 'x');
changed('no signatures', 'payload.transactionCertificate.signatures' => []);
changed('signatures a text', 'payload.transactionCertificate.signatures' => 'x');
changed('no envelope', $in_envelope => without());
changed('no transaction', "$in_envelope.transaction" => undef);
changed('no signature', "$in_envelope.signature" => without());
changed('more in the payload', 'payload.more' => 1);
for ([ 'short' => [ 1 .. 31 ] ], [ 'long' => [ 1 .. 33 ] ], [ 'beyond a byte' => [ 1 .. 31, 256 ] ],
    [ 'negative' => [ 1 .. 31, -1 ] ], [ 'of texts' => [ ('1') x 32 ] ], [ 'an object' => {} ], [ 'a text' => 'fast1x' ]) {
    changed("sender $_->[0]", "$in_envelope.transaction.sender" => $_->[1]);
}
changed("nonce " . ($_ // 'null'), "$in_envelope.transaction.nonce" => $_) for -1, '-1', '01', '1e3', 1.5, '', undef;
changed('a second sender and nonce', "$in_envelope.transaction.claim" => { sender => [ (1) x 32 ], nonce => 1 });

is $f->calls, 0, 'the facilitator heard of none of it';
ok $up->untouched, 'nor did the backend';
$f->verify('ok', with => { payer => 'fast1payer' });
is $t->get('/paid', headers => [ 'X-PAYMENT' => $value ])->status, 200, 'and the payment was good';

finish;
