# SPDX-License-Identifier: Apache-2.0
# Requests of a client that looks for a gap: a payment where none is read, one payment in two requests, numbers at
# the edge of their types, and the parts of nginx that make content in their own way.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $has = `@{[ X402::Nginx::binary() ]} -V 2>&1`;
my ($slice, $addition) = map { $has =~ /with-http_${_}_module/ } qw(slice addition);
my $push = $has =~ m{nginx/1\.(?:1\d|2[0-4])\.} ? 'http2_push_preload on;' : '';
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => {
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    underscores_in_headers on;
    proxy_cache_path %%DIR%%/temp/cache keys_zone=parts:1m;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        %%PUSH%%
        location /sold { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /file/ { x402_price $0.01; alias %%DIR%%/html/; }
        location /first { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /post { x402_price $0.01; x402_methods POST; proxy_pass http://%%BACKEND%%; }
        location /free { proxy_pass http://%%BACKEND%%; }
        %%SLICE%%
        %%ADDITION%%
    }
}
EOF
    PUSH  => $push,
    SLICE => $slice
    ? 'location /slice { x402_price $0.01; slice 4; proxy_cache parts; proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range;'
        . ' proxy_cache_valid 200 206 1h; proxy_pass http://' . $up->address . '; }'
    : '',
    ADDITION => $addition ? 'location /added/ { addition_types *; add_before_body /file/a; add_after_body /file/a; alias html/; }' : '',
});
$t->write('html/a', "SECRET\n");
$t->write('html/page', "page\n");
$up->on('*', body => "SECRET\n");
$t->start;
my $offer = unpaid($t, '/sold');

sub unpaid_too ($r, $name) {
    is $r->status, 402, $name or diag $r->summary;
    no_trace $r, 'SECRET', "$name: no content";
    is $f->order, '', "$name: nothing is asked";
    ok $up->untouched, "$name: nothing is made";
    $_->forget for $f, $up;
    return;
}

# --- where a payment is, and what stands in it

my $c = $t->connect;
$c->send("POST /sold HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: PAYMENT-SIGNATURE\r\n\r\n"
        . "3\r\nabc\r\n0\r\nPAYMENT-SIGNATURE: @{[ payment($offer) ]}\r\n\r\n");
unpaid_too($c->answer, 'a payment in a trailer');

for my $number ('18446744073709551616', '18446744073709551617', '9223372036854775808', '4294967296', '9' x 77) {
    unpaid_too($t->get('/sold', headers => [ header_of(payment($offer, "payload.authorization.$_" => $number)) ]), "$_ $number")
        for 'validBefore', 'validAfter', 'value';
}
unpaid_too($t->get('/sold', headers => [ header_of(payment($offer, 'payload.authorization.value' => "\x{661}0000")) ]), 'digits of another script');
unpaid_too($t->get('/sold', headers => [ header_of(payment($offer, 'payload.authorization.from' => '0X' . 'a' x 40)) ]), 'an address that begins with 0X');
unpaid_too($t->get('/sold', headers => [ header_of(payment($offer, 'payload.authorization.more' => '')) ]), 'a member more in what is signed');

# --- one payment, two requests

my $payment = payment(unpaid($t, '/file/a'));
is $t->ask(HEAD => '/file/a', headers => [ header_of($payment) ])->status, 200, 'HEAD is sold';
is $f->order, 'verify settle', 'and charged';
$f->forget;
unpaid_too($t->get('/file/a', headers => [ header_of($payment) ]), 'GET with the payment of a HEAD');

$payment = payment($offer);
$c = $t->connect;
$c->send("GET /sold HTTP/1.1\r\nHost: localhost\r\nPAYMENT-SIGNATURE: $payment\r\n\r\n" x 3);
is join(' ', map { $c->answer->status } 1 .. 3), '200 402 402', 'three in one write: one is served';
is $up->hits, 1, 'and made';
$_->forget for $f, $up;

# --- a method that is free, until something behind nginx reads another one

for my $name ('X_HTTP_Method_Override', 'X_HTTP_METHOD', 'X-Method_Override') {
    unpaid_too($t->ask(PUT => '/post', body => '', headers => [ $name => 'POST' ]), "$name, for scripts the same as with hyphens");
}

# --- content that other parts of nginx make

for my $path ('/sold', '/first') {
    $up->on($path, body => '', headers => [ 'X-Accel-Redirect' => $path ]);
    $payment = payment(unpaid($t, $path));
    my $r = $t->get($path, headers => [ header_of($payment) ]);
    is $r->status, 500, "$path: a redirect that leads to itself";
    my $charged = $path eq '/first';
    is !!(receipt($r) // {})->{success}, $charged, "$path: with a receipt where the money has moved";
    $up->on($path, body => "SECRET\n");
    $f->forget;
    is_content $t->get($path, headers => [ header_of($payment) ]), "SECRET\n", "$path: and then content for that payment";
    is $f->order, $charged ? '' : 'verify settle', "$path: charged once";
    $_->forget for $f, $up;
}

$up->on('/free', body => "free\n", headers => [ Link => '</sold>; rel=preload; as=fetch, </file/a>; rel=preload; as=fetch' ]);
my $r = $t->get('/free', h2 => 1, port => 'h2');
is $r->body, "free\n", 'a free page that names what is sold';
no_trace $r, 'SECRET', 'no content is pushed with it';

$_->forget for $f, $up;
SKIP: {
    skip 'no slice module', 3 if !$slice;
    $up->on('/slice', status => 206, body => 'SECR', headers => [ 'Content-Range' => 'bytes 0-3/4', ETag => '"a"' ]);
    is_content paid($t, '/slice'), 'SECR', 'a slice is sold';
    $_->forget for $f, $up;
    unpaid_too($t->get('/slice', headers => $_), "and not free from the cache: @$_") for [], [ Range => 'bytes=0-1' ];
}
SKIP: {
    skip 'no addition module', 2 if !$addition;
    $r = $t->get('/added/page');
    no_trace $r, 'SECRET', 'a free page is not made whole with what is sold';
    is $f->order, '', 'and nothing is charged';
}

finish;
