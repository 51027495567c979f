# SPDX-License-Identifier: Apache-2.0
# What nginx can be told beside a price (limit_except, if, internal, named
# locations, post_action, dav) neither opens what is for sale nor charges twice.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /limited/  { x402_price $0.01; proxy_pass http://%%BACKEND%%; limit_except GET { deny all; } }
        location /allowed/  { x402_price $0.01; proxy_pass http://%%BACKEND%%; limit_except GET { allow all; } }
        location /if/ {
            x402_price $0.01;
            set $part a;
            if ($arg_b) { set $part b; }
            if ($arg_c) { add_header X-If c always; }
            if ($arg_d) { proxy_pass http://%%BACKEND%%; }
            if ($arg_e) { return 403; }
            if ($arg_f) { return 200 "SECRET early"; }
            if ($arg_g) { rewrite ^ /free/x last; }
            proxy_pass http://%%BACKEND%%;
        }
        location /free/     { return 200 "free"; }
        location /goto/     { error_page 418 = @sold; return 418; }
        location /named/    { error_page 418 @sold; return 418; }
        location @sold      { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /chain/    { x402_price $0.01; try_files /none @first; }
        location @first     { proxy_intercept_errors on; error_page 404 = @second; rewrite ^ /lost break; proxy_pass http://%%BACKEND%%; }
        location @second    { rewrite ^ /found break; proxy_pass http://%%BACKEND%%; }
        location /post/     { x402_price $0.01; post_action /hook; proxy_pass http://%%BACKEND%%/; }
        location = /hidden  { post_action /limited/hidden; proxy_pass http://%%BACKEND%%/open; }
        location = /hook    { internal; proxy_pass http://%%BACKEND%%/hook; }
        location /dav/      { x402_price $0.01; alias %%DIR%%/upload/; dav_methods PUT DELETE MKCOL COPY MOVE; }
        location /mirrored/ { x402_price $0.01; mirror /copy; proxy_pass http://%%BACKEND%%/; }
        location = /copy    { internal; proxy_pass http://%%BACKEND%%/copied; }
    }
}
EOC
$t->write('upload/there', "SECRET\n");
$up->on('*', body => "SECRET\n");
$up->on('/open', body => "open\n");
$up->on('/lost', status => 404, body => 'lost');
$up->on('/found', body => "SECRET found\n");
$t->start;

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';

    # path => what is paid for comes from there
    my %sold = ('/limited/a' => "SECRET\n", '/allowed/a' => "SECRET\n", '/if/a' => "SECRET\n", '/if/a?b=1' => "SECRET\n",
        '/if/a?c=1' => "SECRET\n", '/if/a?d=1' => "SECRET\n", '/chain/a' => "SECRET found\n", '/mirrored/a' => "SECRET\n",
        '/goto/a' => "SECRET\n", '/post/a' => "SECRET\n");
    for my $path (sort keys %sold) {
        $_->forget for $f, $up;
        my $r = $t->get($path, @$via);
        is $r->status, 402, "$p$path: unpaid";
        is scalar(grep { $_->{key} ne '/hook' } $up->requests), 0, "$p$path: the backend saw nothing";
        $up->forget;
        is_content paid($t, $path, @$via), $sold{$path}, "$p$path: paid";
        is $f->order, 'verify settle', "$p$path: once";
    }
    ok $up->wait_count('/hook', 1), "${p}post_action runs behind a paid answer";
    is $f->calls, 2, "${p}and costs nothing";

    # What it asks for is never seen by a client, whether it has a price or not.
    $_->forget for $f, $up;
    my $c = $t->connect(@$via ? (h2 => 1, port => 'h2') : ());
    my $open = $c->request(GET => '/hidden');
    ok $up->wait_count('/limited/hidden', 1), "${p}post_action to what has a price is the operator's own";
    $c->rest(0.1);
    is $open->body, "open\n", "${p}post_action to what has a price: the answer";
    no_trace $c->raw, 'SECRET', "${p}post_action to what has a price: no content";
    is $f->calls, 0, "${p}post_action to what has a price: and no charge";
    $c->hang_up;

    # A method that is not let in is not asked for money, and money does not let it in.
    $_->forget for $f, $up;
    is $t->ask(POST => '/limited/a', @$via, body => 'x')->status, 403, "${p}limit_except: not let in";
    my $r = $t->ask(POST => '/limited/a', @$via, body => 'x', headers => pay_with($t, '/limited/a'));
    is $r->status, 403, "${p}limit_except: nor with money";
    is $r->header_count('PAYMENT-RESPONSE'), 0, "${p}limit_except: no receipt";
    is $t->ask(POST => '/allowed/a', @$via, body => 'x')->status, 402, "${p}limit_except: who is let in pays";
    is $t->get('/if/a?e=1', @$via)->status, 403, "${p}if: return 403";
    $r = $t->get('/if/a?f=1', @$via);
    is $r->status, 402, "${p}if: return 200 is not for nothing";
    no_trace $r, 'SECRET', "${p}if: return 200: no content";
    is $t->get('/if/a?g=1', @$via)->body, 'free', "${p}if: a way to what is free is free";
    is $f->calls . $up->hits, '00', "${p}no facilitator was asked for that";

    # A failure is not for sale: the plain error, whatever page it has.
    $_->forget for $f, $up;
    for my $headers ([], pay_with($t, '/limited/a')) {
        $r = $t->get('/named/a', @$via, headers => $headers);
        is $r->status, 418, "${p}error_page to a named location with a price";
        no_trace $r, 'SECRET', "${p}error_page to a named location with a price: no content";
    }
    is $f->calls . $up->hits, '00', "${p}error_page to a named location with a price: no facilitator is asked";

    # dav: nothing is written, moved or deleted without money, or when settlement fails before it.
    for my $case ([ PUT => 'new' ], [ DELETE => 'there' ], [ MKCOL => 'dir/' ], [ MOVE => 'there' ], [ COPY => 'there' ]) {
        my ($method, $name) = @$case;
        $r = $t->ask($method, "/dav/$name", @$via, headers => [ Destination => 'http://localhost/dav/else' ],
            $method eq 'PUT' ? (body => 'x') : ());
        is $r->status, 402, "${p}dav: $method, unpaid";
    }
    is join(' ', map {s{.*/}{}r} glob $t->dir . '/upload/*'), 'there', "${p}dav: nothing has changed";
}

finish;
