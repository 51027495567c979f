# SPDX-License-Identifier: Apache-2.0
# Content of a paid request that another location makes: one price wherever equal
# payment options are written, nothing for what a location with "x402 off" makes,
# the amount that the first upstream names, and private whatever is free.

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
    map $arg_p $by_page { 7 0.07; default 0.01; }
    map $http_x_key $member { secret 1; default ""; }
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        proxy_intercept_errors on;
        root %%DIR%%/html;

        # equal payment options, written twice
        location /shop/      { x402_price $0.01; try_files $uri @fallback; }
        location @fallback   { x402_price 0.01; proxy_pass http://%%BACKEND%%; }
        location /blog/      { x402_price $by_page; index index.php; }
        location ~ \.php$    { x402_price $by_page; proxy_pass http://%%BACKEND%%; }
        location /several/   { x402_accept network=base-sepolia price=0.02; x402_accept network=base-sepolia price=0.01; try_files /none /first.php; }
        location /cheap/     { x402_price 0.001; try_files /none /first.php; }
        location /to/other/  { x402_price 0.01; x402_pay_to 0x1111111111111111111111111111111111111111; try_files /none /first.php; }

        # pages that are marked as free
        location /fails/     { x402_price $0.01; error_page 500 =200 /maintenance; proxy_pass http://%%BACKEND%%/; }
        location /first/     { x402_price $0.01; x402_settle before; error_page 500 =200 /maintenance; proxy_pass http://%%BACKEND%%/; }
        location /sold/      { x402_price $0.01; error_page 500 =200 /page; proxy_pass http://%%BACKEND%%/; }
        location /accel/     { x402_price $0.01; proxy_pass http://%%BACKEND%%/; }
        location = /maintenance { x402 off; return 200 "soon\n"; }
        location = /page     { alias %%DIR%%/html/page.txt; }
        location /hidden/    { internal; alias %%DIR%%/html/; }
        location /gratis/    { internal; x402 off; alias %%DIR%%/html/; }

        # scheme upto
        location /upto/      { x402_accept scheme=upto price=5; proxy_pass http://%%BACKEND%%/; }
        location /inner/     { internal; proxy_pass http://%%BACKEND%%/; }

        # free for some
        location /members/   { x402_price $0.01; x402_bypass $member; proxy_pass http://%%BACKEND%%/; }
        location /any/       { x402_price $0.01; satisfy any; allow 127.0.0.1; proxy_pass http://%%BACKEND%%/; }
        location /posts/     { x402_price $0.01; x402_methods POST; proxy_pass http://%%BACKEND%%/; }
        location /open/      { proxy_pass http://%%BACKEND%%/; }
    }
}
EOF
$t->write('html/page.txt', "SECRET page\n");
$t->write('html/shop/here.txt', "SECRET file\n");
mkdir $t->dir . '/html/blog';
$t->write('html/blog/index.php', '');
$up->on('*', body => "SECRET made\n", headers => [ 'Cache-Control' => 'public, max-age=60' ]);
$up->on('/broken', status => 500, body => 'no');
$up->on('/tofree', body => '', headers => [ 'X-Accel-Redirect' => '/gratis/page.txt' ]);
my $share = '{"amount":"2500"}';
$up->on('/tofile', body => '', headers => [ 'X-Accel-Redirect' => '/hidden/page.txt', 'Settlement-Overrides' => $share ]);
$up->on('/toinner', body => '', headers => [ 'X-Accel-Redirect' => '/inner/plain', 'Settlement-Overrides' => $share ]);
$up->on('/tosaying', body => '', headers => [ 'X-Accel-Redirect' => '/inner/saying', 'Settlement-Overrides' => $share ]);
$up->on('/tonothing', body => '', headers => [ 'X-Accel-Redirect' => '/inner/saying' ]);
$up->on('/tomuch', body => '', headers => [ 'X-Accel-Redirect' => '/hidden/page.txt', 'Settlement-Overrides' => '{"amount":"5000001"}' ]);
$up->on('/tocached', body => '', headers => [ 'X-Accel-Redirect' => '/open/plain' ]);
$up->on('/saying', body => "SECRET saying\n", headers => [ 'Settlement-Overrides' => '{"amount":"77"}' ]);
$t->start;

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';

    # --- equal payment options are one price

    for ([ '/shop/none', "SECRET made\n" ], [ '/shop/here.txt', "SECRET file\n" ], [ '/blog/', "SECRET made\n" ],
        [ '/blog/?p=7', "SECRET made\n" ], [ '/blog/?p=1', "SECRET made\n" ])
    {
        my ($path, $body) = @$_;
        $f->forget;
        is_content paid($t, $path, @$via), $body, "$p$path: one price";
        is $f->order, 'verify settle', "$p$path: asked for once";
    }
    is unpaid($t, '/blog/?p=7', @$via)->{accepts}[0]{amount}, '70000', "${p}the price of that page";

    # What was paid is compared, not what might have been.
    for my $case ([ '/several/x', 1, 200 ], [ '/several/x', 0, 500 ], [ '/cheap/x', 0, 500 ], [ '/to/other/x', 0, 500 ]) {
        my ($path, $which, $status) = @$case;
        $f->forget;
        my $offer = unpaid($t, $path, @$via);
        my $payment = payment({ %$offer, accepts => [ $offer->{accepts}[$which] ] });
        my $r = paid($t, $path, payment => $payment, @$via);
        is $r->status, $status, "$p$path: option $which";
        is $f->calls('settle'), $status == 200 ? 1 : 0, "$p$path: option $which: charged or not";
        no_trace $r, 'SECRET', "$p$path: option $which: no content" if $status != 200;
    }

    # --- made where it is free

    $f->forget;
    my $r = paid($t, '/fails/broken', @$via);
    is $r->status . $r->body, "200soon\n", "${p}a page of maintenance";
    is $f->calls('settle'), 0, "${p}is not charged";
    ok !$r->header('PAYMENT-RESPONSE'), "${p}and has no receipt";
    $r = paid($t, '/accel/tofree', @$via);
    is $r->status . $r->body, "200SECRET page\n", "${p}X-Accel-Redirect to where it is free";
    is $f->calls('settle'), 0, "${p}is not charged";
    is_content paid($t, '/sold/broken', @$via), "SECRET page\n", "${p}a page that is not marked is content";

    $f->forget;
    my $before = () = $t->log =~ /payment owed: charged/g;
    $r = paid($t, '/first/broken', @$via);
    is $r->status . $r->body, "200soon\n", "${p}settled first: the page";
    is $r->header_count('PAYMENT-RESPONSE'), 1, "${p}settled first: with the receipt";
    ok $t->wait_for(sub { (() = $t->log =~ /payment owed: charged/g) == $before + 1 }), "${p}settled first: owed";

    # --- the amount that the first upstream names

    for ([ '/upto/tofile', '2500' ], [ '/upto/toinner', '2500' ], [ '/upto/tonothing', '77' ], [ '/upto/plain', '5000000' ]) {
        my ($path, $amount) = @$_;
        $f->forget;
        $r = paid($t, $path, payment => permit2(unpaid($t, $path, @$via)), @$via);
        is $r->status, 200, "$p$path: content";
        is $f->asked('settle')->{paymentRequirements}{amount}, $amount, "$p$path: what it costs";
        is $r->header_count('Settlement-Overrides'), 0, "$p$path: says it to nobody else";
    }
    for my $path ('/upto/tosaying', '/upto/tomuch') {
        $f->forget;
        $r = paid($t, $path, payment => permit2(unpaid($t, $path, @$via)), @$via);
        is $r->status, 502, "$p$path: 502";
        is $f->calls('settle'), 0, "$p$path: not charged";
    }

    # --- free for one is not free for all

    for (
        [ 'a member', GET => '/members/a', [ 'X-Key' => 'secret' ] ], [ 'a member, redirected', GET => '/members/tocached', [ 'X-Key' => 'secret' ] ],
        [ 'satisfy any', GET => '/any/a' ], [ 'another method', GET => '/posts/a' ],
        )
    {
        my ($name, $method, $path, $headers) = @$_;
        $r = $t->ask($method, $path, headers => $headers // [], @$via);
        is $r->status, 200, "$p$name: free";
        is join('|', $r->header('Cache-Control')), 'max-age=60, private', "$p$name: private";
    }
    $r = $t->get('/open/a', @$via);
    is join('|', $r->header('Cache-Control')), 'public, max-age=60', "${p}a location without a price";
}

finish;
