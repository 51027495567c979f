# SPDX-License-Identifier: Apache-2.0
# x402_paywall: a page for browsers that bring no payment, JSON for all
# others; the offer stays in its header.

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
    x402_paywall on;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        x402_price $0.01;

        location /wallet/ { x402_paywall wallet; proxy_pass http://%%BACKEND%%; }
        location /ours/  { x402_description "Weather & <tides>"; proxy_pass http://%%BACKEND%%; }
        location /words/ { x402_error "Members: $arg_why"; x402_unpaid_body text/plain JSON; proxy_pass http://%%BACKEND%%; }
        location /off/   { x402_paywall off; x402_unpaid_body text/plain JSON; proxy_pass http://%%BACKEND%%; }
        location /file/  { x402_paywall page.html; set $mine 'a"b'; proxy_pass http://%%BACKEND%%; }
        location /page/  { error_page 402 /pages/402.html; proxy_pass http://%%BACKEND%%; }
        location /pages/ { x402 off; alias %%DIR%%/html/; }
        location /made/  { return 200 SECRET; }
    }
}
EOF
$t->write('html/402.html', 'error page');
$t->write('page.html', <<'EOF');
<p title="$arg_q">$5 is not $x402_price, ${x402_amount}$x402_asset|$x402_network|$x402_pay_to|$x402_scheme</p>
<b>$mine $(x) ${ $x402_state</b>$uri
EOF
$t->start;

my @browser = (Accept => 'text/html,application/xhtml+xml,*/*;q=0.8', 'User-Agent' => 'Mozilla/5.0 (X11; Linux)');
my @others = (
    [ 'no Accept'         => 'User-Agent' => 'Mozilla/5.0' ],
    [ 'any Accept'        => Accept => '*/*', 'User-Agent' => 'Mozilla/5.0' ],
    [ 'capital TEXT/HTML' => Accept => 'TEXT/HTML', 'User-Agent' => 'Mozilla/5.0' ],
    [ 'no User-Agent'     => Accept => 'text/html' ],
    [ 'a program'         => Accept => 'text/html', 'User-Agent' => 'curl/8' ],
    [ 'small mozilla'     => Accept => 'text/html', 'User-Agent' => 'mozilla/5.0' ],
);

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $http = $h2 ? 'HTTP/2' : 'HTTP/1.1';
    $_->forget for $f, $up;
    my $see = sub ($path, %o) { return $t->get($path, %via, headers => \@browser, %o) };

    # --- ours
    my $r = $see->('/ours/x?a="<script>');
    is $r->status, 402, "$http: a browser";
    is $r->header('Content-Type'), 'text/html; charset=utf-8', "$http: gets HTML";
    is $r->header('Cache-Control'), 'no-store', "$http: not to be stored";
    is $r->header_count('PAYMENT-REQUIRED'), 1, "$http: with the offer";
    is offer($r)->{accepts}[0]{amount}, '10000', "$http: the usual one";
    like $r->header('Vary'), qr/Accept/, "$http: Vary";
    my $page = $r->body;
    like $page, qr/\A<!DOCTYPE html>\n<html lang="en">/, "$http: a document";
    like $page, qr{</html>\n\z}, "$http: to its end";
    is length $page, $r->header('Content-Length'), "$http: all of it";
    like $page, qr/\Q$_\E/, "$http: it says $_"
        for '0.01 USDC', 'Base Sepolia', '0x209693Bc6afc0C5328bA36FaF03C514EF312287C', 'Weather &amp; &lt;tides&gt;',
        '/ours/x?a=&quot;&lt;script&gt;';
    unlike $page, qr/<script/, "$http: and nothing else";
    $r = $t->ask(HEAD => '/ours/x?a="<script>', %via, headers => \@browser);
    is $r->status . $r->body, '402', "$http: HEAD";
    is $r->header('Content-Type'), 'text/html; charset=utf-8', "$http: HEAD: its type";
    is $r->header('Content-Length'), length $page, "$http: HEAD: as long as GET";
    like $see->('/ours/x', headers => [ @browser, 'PAYMENT-SIGNATURE' => '!!!' ])->body, qr/<!DOCTYPE/,
        "$http: what cannot be read is not a payment";
    like $see->('/ours/x', headers => [ Accept => 'image/png', @browser ])->body, qr/<!DOCTYPE/, "$http: two Accepts";

    # --- not a browser
    for (@others) {
        my ($who, @headers) = @$_;
        $r = $t->get('/ours/x', %via, headers => \@headers);
        is $r->header('Content-Type') . $r->body, 'application/json' . plain_body($r), "$http: $who gets JSON";
    }

    # --- what goes first
    $r = $see->('/words/x?why=<b>');
    like $r->body, qr/Members: &lt;b&gt;/, "$http: the reason is on the page";
    is offer($r)->{error}, 'Members: <b>', "$http: and in the offer";
    is $t->get('/words/x', %via)->body, 'JSON', "$http: others get the other body";
    is $see->('/off/x')->body, 'JSON', "$http: off";
    is $see->('/page/x')->body, 'error page', "$http: error_page goes first";
    $r = $see->('/made/x');
    like $r->body, qr/<!DOCTYPE/, "$http: content made too early";
    no_trace $r, 'SECRET', "$http: is kept";

    # --- the operator's
    $r = $see->('/file/x?q="><b>\'');
    is $r->status, 402, "$http: a page of one's own";
    is $r->header('Content-Type'), 'text/html; charset=utf-8', "$http: its type";
    is $r->body, <<'EOF', "$http: with its variables";
<p title="&quot;&gt;&lt;b&gt;&#39;">$5 is not 0.01, 100000x036CbD53842c5426634e7929541eC2318f3dCF7e|eip155:84532|0x209693Bc6afc0C5328bA36FaF03C514EF312287C|exact</p>
<b>a&quot;b $(x) ${ challenged</b>/file/x
EOF
    is +($r = $t->get('/file/x', %via))->body, plain_body($r), "$http: for browsers only";

    # --- browsers that pay, or try to
    is $f->calls . $up->hits, '00', "$http: no facilitator was asked for that";
    $f->verify_once(invalid => 'insufficient_funds');
    $r = paid($t, '/ours/x', %via, headers => \@browser);
    is $r->status . $r->body, '402' . plain_body($r), "$http: refused: JSON";
    $f->settle_once(refused => 'insufficient_funds');
    $r = paid($t, '/ours/x', %via, headers => \@browser);
    is_refused $r, "$http: settlement refused";
    is $r->body, plain_body($r), "$http: settlement refused: JSON";
    is_content paid($t, '/ours/y', %via, headers => \@browser), "answer to /ours/y\n", "$http: paid";
}

# With a wallet: the same, and a script. t/e2e/wallet.test.mjs pays with it.
{
    my $r = $t->get('/wallet/x', headers => \@browser);
    like $r->body, qr{<h1>This costs .*<script>\n'use strict';.*</script>}s, 'a page that can pay';
    like $r->body, qr/script-src 'sha256-[^';]+'; connect-src 'self'/, 'and nothing else can';
    is +($r = $t->get('/wallet/x'))->body, plain_body($r), 'for browsers only';
}

finish;
