# SPDX-License-Identifier: Apache-2.0
# A payment that echoes a way to pay word for word, as JavaScript clients do, is
# read without reading that again; it buys what any other wording buys, and no
# text buys anything by having our words in another place.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    map $uri $price { default 0.03; }
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Payment $x402_payment always;
        add_header X-Said "$x402_amount $x402_asset $x402_network" always;

        location /paid     { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /variable { x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /off      { x402_price $0.01; x402_settle off; proxy_pass http://%%BACKEND%%; }
        location /before   { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /two {
            x402_accept network=base price=0.05;
            x402_accept network=base-sepolia price=0.02 timeout=90s;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->start;

my $json = JSON::PP->new->utf8->canonical;

# The ways as they stand in the offer, byte for byte.
sub ways ($path) {
    my $text = decode_base64(scalar $t->get($path)->header('PAYMENT-REQUIRED'));
    my ($list) = $text =~ /"accepts":\[(.*?)\](?:,|\})/ or die $text;
    return split /(?<=\}\}),/, $list;
}

# A payment for one way in which our words stand where `$where` puts them.
sub worded ($path, $which, $where) {
    my $payload  = payload(unpaid($t, $path), accept => $which);
    my $accepted = delete $payload->{accepted};
    my $text     = $json->encode($payload);
    chop $text;
    return $text . ',' . $where->((ways($path))[$which], $accepted) . '}';
}

sub echo ($way, $) {return qq("accepted":$way)}

for (['/paid', 0, '10000'], ['/two', 0, '50000'], ['/two', 1, '20000'], ['/variable', 0, '30000'], ['/before', 0, '10000']) {
    my ($path, $which, $amount) = @$_;
    $f->forget;
    my $text = worded($path, $which, \&echo);
    my $r    = paid($t, $path, payment => encoded($text));
    is_content $r, "answer to $path\n", "$path, way $which: an echo";
    is $f->calls, $path eq '/before' ? 1 : 2, 'is asked about as any other';
    for my $call ($f->requests) {
        like $call->{body}, qr/"paymentPayload":\Q$text\E,/, 'with the text as it was sent';
    }
    my $offer = unpaid($t, $path);
    is_deeply $f->asked('settle')->{paymentRequirements}, $offer->{accepts}[$which], 'and our requirement';
    is $r->header('X-Said'), join(' ', $amount, $offer->{accepts}[$which]->@{qw(asset network)}), 'known by its way';
    is_deeply $json->decode($r->header('X-Payment')), $json->decode($text), 'the variable has all of it';
    my $again = $t->get($path, headers => [ 'PAYMENT-SIGNATURE' => encoded($json->decode($text)) ]);
    is $again->status, 402, 'in other words it is the same payment';
}
is paid($t, '/off', payment => encoded(worded('/off', 0, \&echo)))->status, 200, 'without a settlement';

my %refused = (
    'deeper'                        => sub ($way, $) {qq("x":{"accepted":$way})},
    'deeper, beside another'        => sub ($way, $) {qq("x":{"accepted":$way},"accepted":{})},
    'deeper, beside one in escapes' => sub ($way, $) {qq("x":{"accepted":$way},"\\u0061ccepted":1)},
    'beside the mark'               => sub ($way, $) {qq("x":{"accepted":$way},"accepted":9007199254740993)},
    'under a longer name'           => sub ($way, $) {qq("not \\"accepted":$way)},
    'in a string'                   => sub ($way, $) { '"x":' . JSON::PP->new->allow_nonref->encode(qq("accepted":$way)) },
    'twice'                         => sub ($way, $) {qq("accepted":$way,"accepted":$way)},
    'with more behind it'           => sub ($way, $) {qq("accepted":${way}1)},
    'with another amount'           => sub ($way, $) { '"accepted":' . $way =~ s/"10000"/"10001"/r },
    'of another location'           => sub ($, $) { '"accepted":' . (ways('/two'))[1] },
);
$f->forget;
for my $what (sort keys %refused) {
    my $r = paid($t, '/paid', payment => encoded(worded('/paid', 0, $refused{$what})));
    is $r->status, 402, "our words $what";
    is $r->header_count('PAYMENT-RESPONSE'), 0, 'buy nothing';
}
is $f->calls, 0, 'no facilitator was asked about any of them';

finish;
