# SPDX-License-Identifier: Apache-2.0
# x402_methods: what is listed must pay, what is not is free, GET means HEAD, too.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_http_version 1.1;
        location /all/  { proxy_pass http://%%BACKEND%%; }
        location /get/  { x402_methods GET; proxy_pass http://%%BACKEND%%; }
        location /post/ { x402_methods POST PUT; proxy_pass http://%%BACKEND%%; location /post/in/ { proxy_pass http://%%BACKEND%%; } }
    }
}
EOF
$t->start;

my %paid = (
    all  => { map { $_ => 1 } qw(GET HEAD POST PUT DELETE OPTIONS PATCH PROPFIND BREW get) },
    get  => { map { $_ => 1 } qw(GET HEAD) },
    post => { map { $_ => 1 } qw(POST PUT) },
    'post/in' => { map { $_ => 1 } qw(POST PUT) },
);
for my $where (sort keys %paid) {
    for my $method (qw(GET HEAD POST PUT DELETE OPTIONS PATCH PROPFIND BREW)) {
        $up->forget;
        my $r = $t->ask($method, "/$where/x");
        my $must = $paid{$where}{$method} || 0;
        is $r->status, $must ? 402 : 200, "$where: $method " . ($must ? 'must pay' : 'is free');
        is $up->hits, $must ? 0 : 1, "$where: $method and the backend";
        ok !$r->header('PAYMENT-REQUIRED') == !$must, "$where: $method and the offer";
    }
}

# A free method stays free with a payment in hand.
my $r = $t->ask(POST => '/get/x', headers => pay_with($t, '/get/x'));
is $r->status, 200, 'a payment nobody asked for';
is $f->calls, 0, 'is not used';
ok !$r->header('PAYMENT-RESPONSE'), 'and has no receipt';

# A method that has a price keeps it, whatever overrides it behind nginx.
$up->forget;
for my $name (qw(X-HTTP-Method-Override X-Method-Override X-HTTP-Method)) {
    is $t->get('/get/x', headers => [ $name => 'OPTIONS' ])->status, 402, $name;
}
is $up->hits, 0, 'the backend saw none of these';

# A free method that frameworks turn into one that has a price is not free.
for my $name (qw(X-HTTP-Method-Override X-Method-Override X-HTTP-Method)) {
    for my $value ('GET', 'get', 'Head', ' GET', 'POST, GET', 'GET;q=1') {
        is $t->ask(POST => '/get/x', headers => [ $name => $value ], body => 'x')->status, 402, "POST, $name: $value";
    }
    is $t->get('/post/in/x', headers => [ $name => 'PUT' ])->status, 402, "GET, $name: PUT";
    is $t->ask(DELETE => '/post/x', headers => [ $name => 'POST' ])->status, 402, "DELETE, $name: POST";
}
is $up->hits, 0, 'the backend saw none of these either';
is $t->ask(POST => '/get/x', headers => [ 'X-HTTP-Method-Override' => 'PATCH' ], body => 'x')->status, 200, 'POST as PATCH: both are free';
is $t->ask(POST => '/get/x', headers => [ 'X-HTTP-Method-Override' => 'TARGET' ], body => 'x')->status, 200, 'a word with a method in it';
is_content paid($t, '/get/x', method => 'POST', body => 'x', headers => [ 'X-HTTP-Method' => 'GET' ]), "answer to /get/x\n", 'paid, it is served';

is_content paid($t, '/post/x', method => 'POST', body => 'order'), "answer to /post/x\n", 'a paid POST';
is +($up->requests)[-1]{body}, 'order', 'and its body';

finish;
