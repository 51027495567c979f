# SPDX-License-Identifier: Apache-2.0
# What repeats is made once: the offers of equal locations, those of the same
# values of variables, and texts that differ in their URL. None of it may show.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP qw(decode_json);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    map $arg_who $receiver { bob 0x2222222222222222222222222222222222222222; default 0x209693Bc6afc0C5328bA36FaF03C514EF312287C; }
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /one    { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /other  { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /words  { x402_price $0.01; x402_description "words"; proxy_pass http://%%BACKEND%%; }
        location /error  { x402_price $0.01; x402_error "pay first"; proxy_pass http://%%BACKEND%%; }
        location /dear   { x402_price $0.02; proxy_pass http://%%BACKEND%%; }
        location /late   { x402_price $0.01; x402_timeout 90s; proxy_pass http://%%BACKEND%%; }
        location /before { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /both   { x402_price $0.01; x402_protocol v2 v1; proxy_pass http://%%BACKEND%%; }
        location /bazaar { x402_price $0.01; x402_extension bazaar bazaar.json; proxy_pass http://%%BACKEND%%; }
        location /plain  { x402_price $0.01; x402_extension plain bazaar.json; proxy_pass http://%%BACKEND%%; }
        location /vary   { x402_price $arg_price; x402_pay_to $receiver; proxy_pass http://%%BACKEND%%; }
        location /vary2  { x402_price $arg_price; x402_pay_to $receiver; x402_timeout 90s; proxy_pass http://%%BACKEND%%; }
        location /rows   { x402_accept price=$arg_price pay_to=$receiver; x402_accept price=$arg_second network=base; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->write('bazaar.json', '{"info":{"input":{"type":"http"}},"schema":{"type":"object"}}');
$t->start;

# --- equal offers

my %of = map { $_ => unpaid($t, "/$_") } qw(one other words error dear late before bazaar plain);
is_deeply $of{one}{accepts}, $of{$_}{accepts}, "/$_ has the offer of /one" for qw(other words error bazaar plain);
like $of{$_}{resource}{url}, qr{^http://[^/]+/$_$}, "/$_ has a URL of its own" for sort keys %of;
is $of{words}{resource}{description}, 'words', 'and a description';
is $of{one}{resource}{description} // '', '', 'which others lack';
is $of{error}{error}, 'pay first', 'and an error';
is $of{dear}{accepts}[0]{amount}, '20000', 'another price is another offer';
is $of{late}{accepts}[0]{maxTimeoutSeconds}, 90, 'another time, too';
is $of{before}{accepts}[0]{extra}{paymentFlow} // '', 'upfront', 'another flow, too';
is $of{one}{extensions}, undef, 'no extension where none is written';
ok $of{plain}{extensions}{plain}, 'its own where one is';

my $payment = payment($of{one});
is_content paid($t, '/one', payment => $payment), "answer to /one\n", 'a payment buys at one of two equal locations';
my $again = paid($t, '/other', payment => $payment);
isnt $again->status, 200, 'and then not at the other';

# --- the method

for my $method (qw(GET POST PUT GET)) {
    my $offer = unpaid($t, '/bazaar', method => $method);
    is $offer->{extensions}{bazaar}{info}{input}{method}, $method, "bazaar says $method";
}
for my $path ('/both', '/both?a="b"\\c', '/both/prepared:url') {
    for my $method (qw(GET POST)) {
        my $body = decode_json($t->ask($method, $path)->body);
        is $body->{accepts}[0]{outputSchema}{input}{method}, $method, "version 1 says $method at $path";
        like $body->{accepts}[0]{resource}, qr{^http://[^/]+\Q$path\E$}, 'and the URL';
    }
}

# --- variables

sub first ($path) {
    my $way = unpaid($t, $path)->{accepts}[0];
    return "$way->{amount} $way->{payTo} $way->{maxTimeoutSeconds}";
}
my $alice = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
my $bob   = '0x' . '2' x 40;
for my $turn (1, 2) {
    is first('/vary?price=0.01'),         "10000 $alice 300", "turn $turn: a price";
    is first('/vary?price=0.02'),         "20000 $alice 300", 'another price';
    is first('/vary?price=0.01&who=bob'), "10000 $bob 300",   'another receiver';
    is first('/vary2?price=0.01'),        "10000 $alice 90",  'another location';
    is $t->get('/vary?price=')->status,    500, 'no price';
    is $t->get('/vary?price=1.2.3')->status, 500, 'no number';
    is $t->get('/vary?price=free')->body, "answer to /vary\n", 'free';
}
# The texts of both rows are the same ones, put together.
my $rows = unpaid($t, '/rows?price=0.1&second=0.11')->{accepts};
is_deeply [ map { $_->{amount} } @$rows ], [ 100_000, 110_000 ], 'two rows of values';
$rows = unpaid($t, '/rows?price=0.11&second=0.1')->{accepts};
is_deeply [ map { $_->{amount} } @$rows ], [ 110_000, 100_000 ], 'and the other way round';

finish;
