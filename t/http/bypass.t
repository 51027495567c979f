# SPDX-License-Identifier: Apache-2.0
# x402_bypass: a bypassed request is free, also with a payment, and the values are
# evaluated once.

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
    map $http_x_key $member { default 0; secret 1; }
    map $sent_http_content_type $early { volatile; "" 1; default ""; }
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        ssi_types *;

        location /up/    { x402_price $0.01; x402_bypass $member $arg_free; proxy_pass http://%%BACKEND%%; }
        location /in/    {
            x402_price $0.01;
            x402_bypass $member;
            location /in/here/ { proxy_pass http://%%BACKEND%%; }
            location /in/own/  { x402_bypass $arg_own; proxy_pass http://%%BACKEND%%; }
        }
        location /early/ { x402_price $0.01; x402_bypass $early; proxy_pass http://%%BACKEND%%; }
        location /made/  { x402_price $0.01; x402_bypass $member; return 200 MADE; }
        location /any/   { x402_price $0.01; x402_bypass $member; satisfy any; deny all; proxy_pass http://%%BACKEND%%; }
        location /page/  { x402_price $0.01; x402_bypass $member; ssi on; alias %%DIR%%/html/; }
        location /first/ { x402_price $0.01; x402_settle before; x402_bypass $member; proxy_pass http://%%BACKEND%%; }
        location /gone/  { error_page 404 /sold/sorry; alias %%DIR%%/html/; }
        location /sold/  { x402_price $0.01; x402_bypass $member; alias %%DIR%%/html/; }
    }
}
EOF
$t->write('html/page', 'page[<!--#include virtual="/page/part" -->]');
$t->write('html/part', 'part');
$t->write('html/sorry', 'sorry');
$t->start;

my @member = ('X-Key' => 'secret');

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $http = $h2 ? 'HTTP/2' : 'HTTP/1.1';

    $f->forget;
    $up->forget;
    my $r = $t->get('/up/x', %via);
    is $r->status, 402, "$http: nothing";
    is $t->get('/up/x?free=0', %via)->status, 402, "$http: 0";
    is $t->get('/up/x?free=', %via)->status, 402, "$http: empty";
    is $up->hits, 0, "$http: and no backend";

    for my $path ('/up/x?free=1', '/up/x?free=00', '/up/x?free=no') {
        is $t->get($path, %via)->status, 200, "$http: $path";
    }
    $r = $t->get('/up/x', %via, headers => [@member]);
    is $r->status . $r->body, "200answer to /up/x\n", "$http: a member";
    ok !grep({ /payment/i } $r->{headers}->@*), "$http: hears nothing of payments";

    # A payment in hand is not touched, and still good afterwards.
    my $payment = pay_with($t, '/up/x', %via);
    $f->forget;
    $up->forget;
    for my $where (qw(up first)) {
        $r = $t->get("/$where/x", %via, headers => [ @member, $payment->@* ]);
        is $r->status, 200, "$http, $where: bypass beats a payment";
        is $r->header_count('PAYMENT-RESPONSE'), 0, "$http, $where: no receipt";
        is $f->calls, 0, "$http, $where: no facilitator was asked";
    }
    ok !grep({ $_->{headers}{'payment-signature'} } $up->requests), "$http: the backend does not see it";
    is_content $t->get('/up/x', %via, headers => $payment), "answer to /up/x\n", "$http: it still buys";
    is $f->order, 'verify settle', "$http: once";

    $r = $t->ask(HEAD => '/up/x', %via, headers => [@member]);
    is $r->status . $r->body, '200', "$http: HEAD";
    is $t->ask(HEAD => '/up/x', %via)->status, 402, "$http: HEAD without";
}

# inherited, replaced
is $t->get('/in/here/x', headers => [@member])->status, 200, 'inherited';
is $t->get('/in/own/x', headers => [@member])->status, 402, 'replaced';
is $t->get('/in/own/x?own=1')->status, 200, 'by the nearer one';

# Asked once: what changes while the content is made does not change the answer.
is $t->get('/early/x')->status, 200, 'free in the access phase, free to the end';

my $r = $t->get('/made/x', headers => [@member]);
is $r->status . $r->body, '200MADE', 'content made before the access phase is free to members';
$r = $t->get('/made/x');
is $r->status, 402, 'and to nobody else';
no_trace $r, 'MADE', 'not a byte of it';

# A bypass lifts the price, and no other restriction.
is $t->get('/any/x', headers => [@member])->status, 403, 'satisfy any stays closed';
is_content paid($t, '/any/x'), "answer to /any/x\n", 'and opens to money';

is $t->get('/page/page', headers => [@member])->body, 'page[part]', 'a free page with its parts';
is $t->get('/gone/x', headers => [@member])->body, 'sorry', 'free as an error page, too';
no_trace $t->get('/gone/x'), 'sorry', 'for others it is none';

finish;
