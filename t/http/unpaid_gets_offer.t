# SPDX-License-Identifier: Apache-2.0
# A request without money is told the price, and reaches nothing.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
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
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        server_name shop.example;

        location /free  { proxy_pass http://%%BACKEND%%; }
        location /paid  { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /words {
            x402_price $0.01;
            x402_description 'A "quoted" \\ text, mit Ümlaut';
            x402_mime_type application/json;
            x402_resource https://api.example.com/words;
            x402_timeout 60s;
            proxy_pass http://%%BACKEND%%;
        }
        location /two {
            x402_accept network=base price=0.05;
            x402_accept network=eip155:84532 price=$1.50 timeout=90s;
            proxy_pass http://%%BACKEND%%;
        }
        location /variable {
            x402_price $0.01;
            x402_description "for $arg_who";
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->start;

my $r = $t->get('/paid?a=1&b=%20', host => 'seller.example:8443');
is $r->status, 402, 'status';
is $r->body, '{"error":"Payment required","accepts":[],"message":"This costs 0.01 USDC on Base Sepolia; the header '
    . 'PAYMENT-REQUIRED has the offer.","help":"https://x402.org"}', 'body';
like $r->header('Content-Type'), qr{\Aapplication/json}, 'type';
is $r->header('Cache-Control'), 'no-store', 'not to be stored';
is $r->header_count('Cache-Control'), 1, 'said once';
is $r->header_count('PAYMENT-REQUIRED'), 1, 'one offer';
is $r->header_count('PAYMENT-RESPONSE'), 0, 'no receipt';
is $r->header_count('WWW-Authenticate'), 0, 'no other challenge';
is decode_base64(scalar $r->header('PAYMENT-REQUIRED')),
    '{"x402Version":2,"error":"Payment required","resource":{"url":'
    . '"http://seller.example:8443/paid?a=1&b=%20","description":"","mimeType":""},"accepts":['
    . '{"scheme":"exact","network":"eip155:84532","amount":"10000",'
    . '"asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",'
    . '"payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","maxTimeoutSeconds":300,'
    . '"extra":{"name":"USDC","version":"2"}}]}', 'the offer, byte by byte';
like $r->header('PAYMENT-REQUIRED'), qr{\A[A-Za-z0-9+/]+=*\z}, 'plain base64';
is length($r->header('PAYMENT-REQUIRED')) % 4, 0, 'padded';

$r = $t->get('/words');
is offer($r)->{resource}{url}, 'https://api.example.com/words', 'own resource';
is decode_base64(scalar $r->header('PAYMENT-REQUIRED')) =~ /"description":("(?:[^"\\]|\\.)*")/ && $1,
    '"A \"quoted\" \\\\ text, mit Ümlaut"',
    'description in JSON, UTF-8 as it is';
is offer($r)->{resource}{mimeType}, 'application/json', 'mime type';
is offer($r)->{accepts}[0]{maxTimeoutSeconds}, 60, 'timeout';

my @accepts = offer($t->get('/two'))->{accepts}->@*;
is join(' ', map { "$_->{network} $_->{amount} $_->{maxTimeoutSeconds}" } @accepts),
    'eip155:8453 50000 300 eip155:84532 1500000 90', 'two ways to pay, in order';
is $accepts[0]{extra}{name}, 'USD Coin', 'each with what its token needs';
is join(' ', sort keys $accepts[0]->%*),
    'amount asset extra maxTimeoutSeconds network payTo scheme', 'and exactly seven keys';

is offer($t->get('/variable?who=me'))->{resource}{description}, 'for me', 'variables in words';

# the resource URL
my $c = $t->connect;
$c->send("GET /paid HTTP/1.0\r\n\r\n");
is offer($c->answer)->{resource}{url}, 'http://shop.example:' . $t->port . '/paid',
    'without a Host: name and port of the server';
is offer($t->get('/paid'))->{resource}{url}, 'http://localhost/paid', 'a Host without a port';
for my $host ('[::1]', '[::1]:8443') {
    is offer($t->get('/paid', host => $host))->{resource}{url}, "http://$host/paid", "Host: $host";
}
$c = $t->connect;
$c->send("GET http://evil.example/paid HTTP/1.1\r\nHost: seller.example\r\nConnection: close\r\n\r\n");
like offer($c->answer)->{resource}{url}, qr{\Ahttp://\w+\.example/paid\z}, 'absolute form';

# every method, every spelling
for my $method (qw(GET POST PUT DELETE PATCH OPTIONS PROPFIND BREW)) {
    is $t->ask($method, '/paid')->status, 402, $method;
}
$r = $t->ask(HEAD => '/paid');
is $r->status, 402, 'HEAD';
is $r->body, '', 'has no body';
ok offer($r), 'but the offer';
for my $path ('/paid/', '//paid', '/./paid', '/x/../paid', '/%70aid', '/paid;x', '/paid%2Fx',
    '/paid%00x', '/paid?', '/paid#x', '/paid/..%2fpaid', '/free/../paid')
{
    my $status = $t->get($path)->status;
    ok $status == 402 || $status == 400, "$path ($status)";
}

$r = $t->get('/paid', h2 => 1, port => 'h2');
is $r->status . $r->body, '402' . plain_body($r), 'HTTP/2';
is offer($r)->{resource}{url}, 'http://localhost/paid', 'HTTP/2: the offer';

# A body that was not asked for: not invited, not read as the next request.
$c = $t->connect;
$c->send("POST /paid HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n");
$r = $c->answer;
is $r->status, 402, 'Expect: 100-continue is answered with 402';
is "@{$r->{interim}}", '', 'and not with 100';

$c = $t->connect;
my $smuggled = "GET /free HTTP/1.1\r\nHost: a\r\n\r\n";
$c->send("POST /paid HTTP/1.1\r\nHost: a\r\nContent-Length: " . length($smuggled) . "\r\n\r\n$smuggled"
    . "GET /paid HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
is $c->answer->status, 402, 'a body';
is $c->answer->status, 402, 'and the next request';
is $c->rest(1), '', 'and no third answer';

ok $up->untouched, 'the backend saw nothing of all this';
is $f->calls, 0, 'the facilitator was not asked';

# a free location is as before
$r = $t->get('/free');
is $r->status . $r->body, "200answer to /free\n", 'a free location';
ok !grep({ /payment/i } $r->{headers}->@*), 'has no payment headers';
is $up->hits, 1, 'and its backend';

finish;
