# SPDX-License-Identifier: Apache-2.0
# Answers of upstreams held back until they are paid for.

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
    x402_price $0.01;
    x402_settle_wait 100ms;
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    proxy_http_version 1.1;
    upstream app { server %%BACKEND%%; keepalive 8; }
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        client_max_body_size 10m;

        location /buffered/   { proxy_pass http://app/; }
        location /fresh/      { proxy_pass http://%%BACKEND%%/; }
        location /unbuffered/ { proxy_pass http://app/; proxy_buffering off; }
        location /old/        { proxy_pass http://%%BACKEND%%/; proxy_http_version 1.0; }
        location /tiny/       { proxy_pass http://app/; proxy_buffers 4 1k; proxy_buffer_size 1k; proxy_busy_buffers_size 2k; }
        location /direct/     { proxy_pass http://app/; proxy_request_buffering off; }
        location /cached/ {
            proxy_pass http://app/;
            proxy_cache cache;
            proxy_cache_valid 200 1h;
            add_header X-Cache $upstream_cache_status;
        }
    }
}
EOF

my $small = "SECRET small\n";
my $long  = join '', map { "SECRET $_\n" } 1 .. 20000;
my @headers = (ETag => '"SECRET"', 'Last-Modified' => 'Sat, 01 Jan 2022 00:00:00 GMT',
    'Set-Cookie' => 'SECRET=1', 'X-Own' => 'SECRET', 'Accept-Ranges' => 'bytes');
$up->on('/cacheable', body => $long, headers => [ ETag => '"SECRET"' ]);
$up->on('/small', body => $small, headers => \@headers);
$up->on('/long', body => $long, headers => \@headers);
$up->on('/chunked', body => $long, chunked => 1, headers => \@headers);
$up->on('/eof', body => $long, eof => 1, headers => \@headers);
$up->on('/empty', headers => \@headers);
$up->on('/none', status => 204, headers => \@headers);
$up->on('/created', status => 201, body => $small, headers => [ @headers, Location => '/SECRET' ]);
$up->on('/moved', status => 302, body => $small, headers => [ Location => '/SECRET' ]);
$up->on('/part', status => 206, body => $small, headers => [ 'Content-Range' => 'bytes 0-12/100' ]);
$up->on('/events', body => 'SECRET', sse => 5, every => 0.02);
$up->on('/push', body => 'SECRET', sse => 5, every => 0.02, headers => [ 'X-Accel-Buffering' => 'no' ]);
$up->on('/gzip', body => "\x1f\x8bSECRET not really", headers => [ 'Content-Encoding' => 'gzip' ]);
$t->start;

for my $how (qw(buffered fresh unbuffered old tiny)) {
    held($t, $f, "$how: small", "/$how/small", body => $small);
    held($t, $f, "$how: long",  "/$how/long", body => $long);
    held($t, $f, "$how: chunked", "/$how/chunked", body => $long) if $how ne 'old';
    held($t, $f, "$how: until closed", "/$how/eof", body => $long);
    held($t, $f, "$how: empty", "/$how/empty", body => '');
    held($t, $f, "$how: HEAD", "/$how/small", method => 'HEAD',
        check => sub ($r) { $r->body eq '' && $r->header('Content-Length') == length $small });
    next if $how eq 'old';
    my $events = join '', map { "data: SECRET $_\n\n" } 1 .. 5;
    held($t, $f, "$how: events", "/$how/events", body => $events);
    held($t, $f, "$how: events, X-Accel-Buffering", "/$how/push", body => $events);
}
held($t, $f, '204', '/buffered/none', body => '', status => 204);
held($t, $f, '201', '/buffered/created', body => $small, status => 201);
held($t, $f, '302', '/buffered/moved', body => $small, status => 302);
held($t, $f, '206', '/unbuffered/part', body => $small, status => 206);
held($t, $f, 'an encoded body', '/buffered/gzip', body => "\x1f\x8bSECRET not really");

# Conditions of a paid request do not reach the upstream.
$up->forget;
held($t, $f, 'If-None-Match', '/buffered/small', body => $small,
    headers => [ 'If-None-Match' => '"SECRET"', 'If-Modified-Since' => 'Sat, 01 Jan 2022 00:00:00 GMT' ]);
is join('', map { grep { /\Aif-/ } keys $_->{headers}->%* } $up->requests('/small')), '',
    'no condition reaches the upstream';

# Request bodies arrive whole, whatever becomes of the answer.
for my $how (qw(buffered direct)) {
    $up->forget;
    held($t, $f, "$how: POST", "/$how/small", method => 'POST', send => 'y' x 300_000, body => $small);
    is join(' ', map { $_->{size} } $up->requests('/small')), join(' ', (300_000) x 4), "$how: complete";
}

# The cache keeps content, not decisions about money: a hit is paid for like a miss.
$up->forget;
held($t, $f, 'cache', '/cached/cacheable', body => $long);
is $up->hits('/cacheable'), 1, 'one miss';
my $r = paid($t, '/cached/cacheable');
is $r->header('X-Cache'), 'HIT', 'then hits';
is $t->get('/cached/cacheable')->status, 402, 'and without money 402';

# After a refusal in the middle of a long answer the client connection serves on.
for my $how (qw(buffered unbuffered)) {
    $f->settle(refused => 'insufficient_funds');
    my $c = $t->connect;
    $r = $c->request(GET => "/$how/long", headers => pay_with($t, "/$how/long"));
    is_refused $r, "$how: refused on a kept connection";
    $f->settle('paid');
    $r = $c->request(GET => "/$how/small", headers => pay_with($t, "/$how/small"));
    is_content $r, $small, "$how: and paid on the same";
}

# Keep-alive connections to the upstream are not poisoned by answers that were thrown away.
$f->settle(refused => 'insufficient_funds');
paid($t, '/buffered/long') for 1 .. 3;
$f->settle('paid');
is_content paid($t, '/buffered/small'), $small, 'a clean upstream connection' for 1 .. 3;

finish;
