# SPDX-License-Identifier: Apache-2.0
# A payment follows its request through internal redirects, is asked for once,
# and gives access to nothing else.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Hold;
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
    proxy_http_version 1.1;

    # prices of locations
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        proxy_intercept_errors on;

        location /accel/   { x402_price $0.01; proxy_pass http://%%BACKEND%%/; }
        location /hidden/  { internal; alias %%DIR%%/html/; }
        location /dear/    { x402_price $5; alias %%DIR%%/html/; }
        location /same/ {
            x402_price $0.01;
            proxy_pass http://%%BACKEND%%/;
            location /same/files/ { alias %%DIR%%/html/; }
        }
        location /index/   { x402_price $0.01; alias %%DIR%%/html/; index none /hidden/small.txt; }
        location /todear/  { x402_price $0.01; alias %%DIR%%/html/; index none /dear/small.txt; }
        location /try/     { x402_price $0.01; try_files /none @named; }
        location @named    { rewrite ^ /plain break; proxy_pass http://%%BACKEND%%; }
        location /freetry/ { try_files /none /dear/small.txt; }
        location /trydear/ { x402_price $0.01; try_files /none /dear/small.txt; }
        location /rewritten/ { rewrite ^ /dear/small.txt last; }
        location /if/      { x402_price $0.01; if ($arg_a) { set $up 1; } alias %%DIR%%/html/; }
        location /limited/ { x402_price $0.01; limit_except GET { deny all; } alias %%DIR%%/html/; }

        # pages for failures
        location /free404/ { x402_price $0.01; error_page 404 /pages/404.txt; root %%DIR%%/html; }
        location /pages/   { root %%DIR%%/html; }
        location /paid404/ { x402_price $0.01; error_page 404 /dear/small.txt; root %%DIR%%/html; }
        location /self404/ { x402_price $0.01; error_page 404 /self404/own; root %%DIR%%/html; }
        location /free/    { error_page 404 /dear/small.txt; root %%DIR%%/html; }
        location /as200/   { error_page 404 =200 /dear/small.txt; root %%DIR%%/html; }
        location /denied/  { error_page 403 /dear/small.txt; deny all; }
        location /page402/ { x402_price $0.01; error_page 402 /pages/402.txt; root %%DIR%%/html; }
        location /named402/ { x402_price $0.01; error_page 402 = @shop; root %%DIR%%/html; }
        location @shop     { return 402 "the shop"; }

        # content made before access
        location /return/  { x402_price $0.01; return 200 "SECRET return"; }
        location /away/    { x402_price $0.01; return 302 /elsewhere; }
        location /gone/    { x402_price $0.01; return 404; }
        location /tryret/  { try_files /none /return/; }
    }

    # a price for the whole server
    server {
        listen 127.0.0.1:%%PORT_all%%;
        listen 127.0.0.1:%%PORT_allh2%% http2;
        x402_price $0.01;
        error_page 402 /pages/402.txt;
        error_page 404 413 /pages/404.txt;
        client_max_body_size 10;
        root %%DIR%%/html;
        location /accel/   { proxy_pass http://%%BACKEND%%/; }
        location /hidden/  { internal; alias %%DIR%%/html/; }
        location /index/   { alias %%DIR%%/html/; index none /hidden/small.txt; }
        location /return/  { return 200 "SECRET return"; }
        location /tryret/  { x402 off; try_files /none /return/; }
        location /off/     { x402 off; }
    }
}
EOF

my $small = "SECRET small\n";
$t->write("html/$_", $small) for qw(small.txt self404/own if/x);
$t->write('html/pages/404.txt', "not found, sorry\n");
$t->write('html/pages/402.txt', "please pay\n");
mkdir $t->dir . "/html/$_" for qw(index todear);
$up->on('/tofile', body => 'SECRET inner', headers => [ 'X-Accel-Redirect' => '/hidden/small.txt' ]);
$up->on('/todear', body => 'SECRET inner', headers => [ 'X-Accel-Redirect' => '/dear/small.txt' ]);
$up->on('/inner',  body => 'SECRET inner', headers => [ 'X-Accel-Redirect' => '/same/files/small.txt' ]);
$up->on('/tonamed', body => 'SECRET inner', headers => [ 'X-Accel-Redirect' => '@named' ]);
$up->on('/tonone', body => 'SECRET inner', headers => [ 'X-Accel-Redirect' => '/hidden/none' ]);
$up->on('/plain', body => "SECRET plain\n");
$t->start;

# --- covered: one payment, one settlement

held($t, $f, 'X-Accel-Redirect to a free location', '/accel/tofile', body => $small);
held($t, $f, 'X-Accel-Redirect to a named location', '/accel/tonamed', body => "SECRET plain\n");
held($t, $f, 'X-Accel-Redirect under the same offer', '/same/inner', body => $small);
held($t, $f, 'index', '/index/', body => $small);
held($t, $f, 'try_files to a named location', '/try/x', body => "SECRET plain\n");
held($t, $f, 'if', '/if/small.txt?a=1', body => $small);
held($t, $f, 'limit_except', '/limited/small.txt', body => $small);
{
    # The matrix asks on ports without and with HTTP/2 under these names.
    local $t->{ports}{''} = $t->port('all');
    local $t->{ports}{h2} = $t->port('allh2');
    held($t, $f, 'server price, X-Accel-Redirect', '/accel/tofile', body => $small);
    held($t, $f, 'server price, index', '/index/', body => $small);
}

# --- not covered: another own price is not an extension of the first

sub lost ($path, $status, $name, %options) {
    $f->forget;
    my $payment = payment(unpaid($t, $path));
    my $r = paid($t, $path, payment => $payment, %options);
    is $r->status, $status, "$name: status";
    no_trace $r, 'SECRET', "$name: no content";
    is $f->calls('settle'), 0, "$name: not charged";
    ok !$r->header('PAYMENT-RESPONSE'), "$name: no receipt";
    return $r;
}

lost('/todear/', 500, 'index into another price');
lost('/trydear/x', 500, 'try_files into another price');
lost('/accel/todear', 500, 'X-Accel-Redirect into another price');
$t->log_like(qr/\[error\].*redirected into a location with a different price/, 'the log says so');
lost('/accel/tonone', 404, 'X-Accel-Redirect to nowhere');

# --- from a free place into a priced one

for my $path (qw(/freetry/x /rewritten/x)) {
    my $r = $t->get($path);
    is $r->status, 402, "$path: asks for money";
    is offer($r)->{accepts}[0]{amount}, '5000000', 'the price of the target';
    is_content paid($t, $path), $small, "$path: paid";
}

# --- error pages

my $r = lost('/free404/none', 404, 'a failure with a page');
is $r->body, "not found, sorry\n", 'the page';
lost('/paid404/none', 404, 'a failure with a page that has its own price');
lost('/self404/none', 404, 'a failure with a page under the same price');
$f->forget;
is $t->get('/free/none')->status, 404, 'free, failed, with a page that has its own price';
is $t->get('/as200/none')->status, 402, 'the same, where the page changes the status: the offer keeps its own';
is $t->get('/denied/x')->status, 403, 'denied, with a page that has its own price';
$r = $t->get('/denied/x', headers => pay_with($t, '/dear/small.txt'));
is $r->status, 403, 'denied also with money';
no_trace $r, 'SECRET', 'no content';
is $f->calls, 0, 'nothing asked';

$r = $t->get('/page402/x');
is $r->status . $r->body, "402please pay\n", 'error_page 402';
is $r->header_count('PAYMENT-REQUIRED'), 1, 'with the offer, once';
is $r->header('Cache-Control'), 'no-store', 'not stored';
$r = $t->get('/named402/x');
is $r->status . $r->body, '402the shop', 'error_page 402 to a named location';
is $r->header_count('PAYMENT-REQUIRED'), 1, 'with the offer, once';

my %all = (port => 'all');
$r = $t->get('/small.txt', %all);
is $r->status . $r->body, "402please pay\n", 'server price: the page for 402 is not for sale';
is $r->header_count('PAYMENT-REQUIRED'), 1, 'one offer';
$r = $t->ask(POST => '/small.txt', %all, body => 'x' x 100);
is $r->status, 413, 'server price: 413 stays 413';
$f->forget;
$r = paid($t, '/none', %all);
is $r->status . $r->body, "404not found, sorry\n", 'server price: 404 is a 404';
is $f->calls('settle'), 0, 'uncharged';
$r = $t->get('/off/none', %all);
is $r->status . $r->body, "404not found, sorry\n", 'server price: a free 404';
is $r->header_count('PAYMENT-REQUIRED'), 0, 'without an offer';
is $t->get('/pages/404.txt', %all)->status, 402, 'server price: the page itself is for sale';

# --- content that was produced before the payment could be checked

for my $case ([ '/return/x' ], [ '/tryret/x' ], [ '/return/x', %all ], [ '/tryret/x', %all ]) {
    my ($path, @port) = @$case;
    for my $header ([], pay_with($t, '/accel/tofile')) {
        $f->forget;
        $r = $t->get($path, @port, headers => $header);
        is $r->status, 402, "$path: return 200 is not for nothing";
        ok offer($r), 'an offer';
        no_trace $r, 'SECRET', 'no content';
        is $f->calls('settle'), 0, 'not charged';
    }
}
is $t->get('/away/x')->status, 302, 'return 302 passes';
is $t->get('/gone/x')->status, 404, 'return 404 passes';

finish;
