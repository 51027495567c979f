# SPDX-License-Identifier: Apache-2.0
# x402_error and x402_unpaid_body: the operator's texts for requests without a
# usable payment, and for no others.

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
    x402_error "Reports cost \"money\"$arg_more";
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        x402_price $0.01;
        x402_unpaid_body "text/plain; charset=utf-8" 'pay "me" for $uri
';

        location /words/ { proxy_pass http://%%BACKEND%%; }
        location /json/  { x402_unpaid_body application/problem+json '{"title":"no money"}'; charset utf-8; proxy_pass http://%%BACKEND%%; }
        location /arg/   { x402_error $arg_error; x402_unpaid_body text/plain $arg_body; proxy_pass http://%%BACKEND%%; }
        location /page/  { error_page 402 /pages/402; proxy_pass http://%%BACKEND%%; }
        location /pages/ { x402 off; alias %%DIR%%/html/; }
        location /made/  { return 200 SECRET; }
    }
}
EOF
$t->write('html/402', 'please pay');
$t->start;

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $http = $h2 ? 'HTTP/2' : 'HTTP/1.1';
    $up->forget;

    my $said = qq(pay "me" for /words/x\n);
    my %unusable = (
        nothing     => [],
        garbage     => [ 'PAYMENT-SIGNATURE' => '!!!' ],
        empty       => [ 'PAYMENT-SIGNATURE' => '' ],
        'no JSON'   => [ 'PAYMENT-SIGNATURE' => 'bm8ganNvbg==' ],
        'two of it' => [ map { pay_with($t, '/words/x', %via)->@* } 1, 2 ],
    );
    for my $what (sort keys %unusable) {
        my $r = $t->get('/words/x', %via, headers => $unusable{$what});
        is $r->status . $r->body, "402$said", "$http: $what: the body";
        is $r->header('Content-Type'), 'text/plain; charset=utf-8', "$http: $what: its type";
        like offer($r)->{error}, $what =~ /nothing|empty/ ? qr/\AReports cost "money"\z/ : qr/\AUnreadable payment header: /,
            "$http: $what: the error";
        is $r->header('Cache-Control'), 'no-store', "$http: $what: not to be stored";
        is $r->header_count('PAYMENT-REQUIRED'), 1, "$http: $what: one offer";
        like $r->header('Vary'), qr/Accept/, "$http: $what: Vary";
    }
    my $r = $t->ask(HEAD => '/words/x', %via);
    is $r->status . $r->body, '402', "$http: HEAD";
    is $r->header('Content-Length'), length $said, "$http: HEAD: as long as GET";
    is offer($r)->{error}, 'Reports cost "money"', "$http: HEAD: the error";

    is offer($t->get('/words/x?more=!', %via))->{error}, 'Reports cost "money"!', "$http: variables";
    $r = $t->get('/json/x', %via);
    is $r->body, '{"title":"no money"}', "$http: nearest wins";
    is $r->header('Content-Type'), 'application/problem+json', "$http: its type";

    $r = $t->get('/arg/x', %via);
    is $r->body, plain_body($r), "$http: an empty body is the default";
    is $r->header('Content-Type'), 'application/json', "$http: with its type";
    is offer($r)->{error}, 'Payment required', "$http: an empty error, too";
    $r = $t->get('/arg/x?error=%22%5C&body=b', %via);
    is $r->body, 'b', "$http: a body by variable";
    is offer($r)->{error}, '%22%5C', "$http: an error by variable";

    $r = $t->get('/page/x', %via);
    is $r->status . $r->body, '402please pay', "$http: error_page goes first";
    is offer($r)->{error}, 'Reports cost "money"', "$http: the error stays";
    $r = $t->get('/made/x', %via);
    is $r->status . $r->body, qq(402pay "me" for /made/x\n), "$http: content made too early";
    no_trace $r, 'SECRET', "$http: is kept";

    # --- who brought a payment is answered as ever
    $f->verify_once(invalid => 'insufficient_funds');
    $r = paid($t, '/words/x', %via);
    is $r->status . $r->body, '402' . plain_body($r), "$http: refused";
    is $r->header('Content-Type'), 'application/json', "$http: refused: type";
    is offer($r)->{error}, 'insufficient_funds', "$http: refused: its own error";
    $r = paid($t, '/words/x', %via, payment => 'eyJ4NDAyVmVyc2lvbiI6N30=');
    is $r->status . $r->body, '402' . plain_body($r), "$http: another version";
    like offer($r)->{error}, qr/\AUnsupported x402 version/, "$http: another version: its own error";
    $f->settle_once(refused => 'insufficient_funds');
    $r = paid($t, '/words/x', %via);
    is_refused $r, "$http: settlement refused";
    is $r->body, plain_body($r), "$http: settlement refused: body";
    is_content paid($t, '/words/y', %via), "answer to /words/y\n", "$http: paid";
}

finish;
