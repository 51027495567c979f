# SPDX-License-Identifier: Apache-2.0
# Subrequests skip the access phase: they must not lead to paid content,
# and are not charged on their own.

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
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        ssi_types *;

        location /free/   { alias %%DIR%%/html/; ssi on; }
        location /before/ { alias %%DIR%%/html/; add_before_body /dear/up; addition_types *; }
        location /auth/   { auth_request /dear/up; alias %%DIR%%/html/; }
        location /mirror/ { mirror /dear/up; alias %%DIR%%/html/; }
        location /dear/   { x402_price $5; proxy_pass http://%%BACKEND%%/; }
        location /paid/   { x402_price $0.01; alias %%DIR%%/html/; ssi on; }
        location /gate/ {
            x402_price $0.01;
            auth_request /check;
            alias %%DIR%%/html/;
        }
        location = /check { proxy_pass http://%%BACKEND%%/check; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
    }
    server {
        listen 127.0.0.1:%%PORT_all%%;
        x402_price $0.01;
        ssi on;
        ssi_types *;
        location /         { root %%DIR%%/html; }
        location /up       { proxy_pass http://%%BACKEND%%; }
        location /off/     { x402 off; alias %%DIR%%/html/; }
    }
}
EOF
$t->write('html/page', 'page[<!--#include virtual="/dear/up" -->]');
$t->write('html/all', 'page[<!--#include virtual="/up" -->]');
$t->write('html/plain', "plain\n");
$up->on('/up', body => 'SECRET');
$up->on('/check', status => 200, body => '');
$t->start;

# A free request gets nothing out of a priced location.
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    for my $path ('/free/page', '/before/plain') {
        my $r = $t->get($path, @$via);
        no_trace $r, 'SECRET', "$path: no paid content in a free page";
    }
    is $t->get('/auth/plain', @$via)->status, 403, 'a priced location as auth_request says no';
    is $t->get('/mirror/plain', @$via)->body, "plain\n", 'a mirror';
}
is $up->hits('/up'), 0, 'and the backend of the priced location was never asked';
is $f->calls, 0, 'nor the facilitator';

# In a request that is paid it is part of what was bought.
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    $f->forget;
    is_content paid($t, '/paid/page', @$via), 'page[SECRET]', 'an include in a paid page';
    is $f->order, 'verify settle', 'is paid for with it';
}

$f->forget;
is_content paid($t, '/all', port => 'all'), 'page[SECRET]', 'the same under one price';
is $f->order, 'verify settle', 'once';

# The price of the server is inherited by what a free page includes.
$up->forget;
my $r = $t->get('/off/all', port => 'all');
is $r->status, 200, 'a free page there';
is $r->header_count('PAYMENT-REQUIRED'), 0, 'has no offer';

# A request without access is not asked for money, and money does not replace the ticket.
$f->forget;
$up->forget;
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    $_->forget for $f, $up;
    $up->on('/check', status => 200, body => '');
    is $t->get('/gate/plain', @$via)->status, 402, 'auth_request said yes: money is asked for';
    is $up->hits('/check'), 1, 'after the check';
    is_content paid($t, '/gate/plain', @$via), "plain\n", 'both';
    ok !grep({ $_->{headers}{'payment-signature'} } $up->requests('/check')), 'the check never sees a payment';
    $up->on('/check', status => 403, body => '');
    $f->forget;
    is $t->get('/gate/plain', @$via, headers => pay_with($t, '/paid/plain'))->status, 403, 'auth_request said no';
    is $f->calls, 0, 'the facilitator is not asked';
}

finish;
