# SPDX-License-Identifier: Apache-2.0
# Caches below us keep content and nothing about money, caches above us keep
# nothing that was paid for, and neither is read without a payment.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use File::Find ();

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    proxy_cache_path %%DIR%%/below keys_zone=below:1m;
    proxy_cache_path %%DIR%%/above keys_zone=above:1m;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location / {
            x402_price $0.01;
            proxy_pass http://%%BACKEND%%;
            proxy_cache below;
            proxy_cache_key $uri;
            proxy_cache_valid 200 1h;
            proxy_cache_lock on;
            proxy_cache_use_stale updating error timeout http_500;
            proxy_cache_background_update on;
            add_header X-Cache $upstream_cache_status always;
        }
        location /kept/ { x402_price $0.01; proxy_cache below; proxy_cache_valid 200 1h; proxy_pass http://%%BACKEND%%; }
        location /kept/first/ { x402_price $0.01; x402_settle before; proxy_cache below; proxy_cache_valid 200 1h; proxy_pass http://%%BACKEND%%; }
        location /public/ { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT_front%%;
        listen 127.0.0.1:%%PORT_fronth2%% http2;
        location / {
            proxy_pass http://127.0.0.1:%%PORT%%;
            proxy_set_header Host $host;
            proxy_cache above;
            proxy_cache_key $uri;
            proxy_cache_valid any 1h;
        }
    }
}
EOC
$up->on($_, body => "SECRET\n") for qw(/a /a2);
# For the cache below alone, a second.
$up->on($_, body => "SECRET\n", headers => [ 'X-Accel-Expires' => 1 ]) for qw(/stale /stale2);
$up->on('/public/a', body => "SECRET\n", headers => [ 'Cache-Control' => 'public, max-age=3600, s-maxage=3600' ]);
$up->on('/public/b', body => "SECRET\n", headers => [ 'X-Accel-Expires' => '3600', Vary => '*' ]);
$up->on('/locked', body => "SECRET\n", hold => 1);
$t->start;

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my ($p, $path) = @$via ? ('HTTP/2, ', '/a2') : ('', '/a');
    for my $expected (qw(MISS HIT)) {
        $f->forget;
        my $r = paid($t, $path, @$via);
        is_content $r, "SECRET\n", "${p}$expected: paid";
        is $r->header('X-Cache'), $expected, "${p}$expected: from the cache";
        is $f->order, 'verify settle', "${p}$expected: charged";
    }
}
is_content paid($t, $_), "SECRET\n", "$_: into the cache" for qw(/stale /stale2);
sleep 2.1;    # nginx counts the age of content in whole seconds
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my ($p, $path) = @$via ? ('HTTP/2, ', '/stale2') : ('', '/stale');
    my $r = $t->get($path, @$via);
    is $r->status, 402, "${p}stale, unpaid";
    is $r->header('X-Cache') // '', '', "${p}stale, unpaid: the cache is not asked";
    no_trace $r, 'SECRET', "${p}stale, unpaid: no content";
    is $up->hits($path), 1, "${p}stale, unpaid: nothing is updated";

    $f->forget;
    $r = paid($t, $path, @$via);
    is_content $r, "SECRET\n", "${p}stale, paid";
    is $r->header('X-Cache'), 'STALE', "${p}stale, paid: as it is";
    ok $up->wait_count($path, 2), "${p}and updated in the background";
    is $f->order, 'verify settle', "${p}which costs nothing";

    # refused by settle: nothing of the cache either
    $f->settle_once(refused => 'insufficient_funds');
    $r = paid($t, $path, @$via);
    is_refused $r, "${p}a hit, refused";
    no_trace $r, 'SECRET', "${p}a hit, refused: no content";
}

# What the client has from before does not turn paid content into "not modified", which is nothing.
for my $path (qw(/kept/a /kept/first/a)) {
    my @tags = (ETag => '"1"', 'Last-Modified' => 'Sat, 01 Jan 2022 00:00:00 GMT');
    $up->on($path, body => "SECRET\n", headers => \@tags);
    is_content paid($t, $path), "SECRET\n", "$path: into the cache";
    for my $condition ([ 'If-None-Match' => '"1"' ], [ 'If-None-Match' => '*' ], [ 'If-Modified-Since' => $tags[3] ],
        [ 'If-Match' => '"2"' ], [ 'If-Unmodified-Since' => 'Fri, 01 Jan 2021 00:00:00 GMT' ])
    {
        is_content paid($t, $path, headers => $condition), "SECRET\n", "$path, @$condition: paid, so the content";
    }
    is $up->hits($path), 1, "$path: from the cache";
}

# One fills the cache, another waits for it: each has paid.
$f->forget;
my @both = map { my $c = $t->connect; $c->write_request(GET => '/locked', headers => pay_with($t, '/locked')); $c } 1 .. 2;
ok $f->wait_calls(verify => 2) && $up->wait_count('/locked', 1), 'cache lock: two pay, one is made';
$up->release('/locked');
is_content $_->answer, "SECRET\n", 'cache lock: content' for @both;
is $up->hits('/locked'), 1, 'cache lock: made once';
is $f->calls('settle'), 2, 'cache lock: settled twice';

# What lies on the disk knows of no payment.
my $kept = '';
File::Find::find({ no_chdir => 1, wanted => sub { $kept .= do { local (@ARGV, $/) = $_; <> } if -f } }, $t->dir . '/below');
like $kept, qr/SECRET/, 'the cache below keeps content';
unlike $kept, qr/payment/i, 'and nothing of payments';

# --- a shared cache in front, which ignores Vary as much as it can

for my $port (qw(front fronth2)) {
    my @via = (port => $port, $port =~ /h2/ ? (h2 => 1) : ());
    for my $path (qw(/public/a /public/b /a)) {
        is $t->get($path, @via)->status, 402, "$port, $path: an offer";
        $f->forget;
        is_content paid($t, $path, @via), "SECRET\n", "$port, $path: is not kept, paid";
        my $r = $t->get($path, @via);
        is $r->status, 402, "$port, $path: nor is what was paid for";
        no_trace $r, 'SECRET', "$port, $path: no content for the next";
        is $f->order, 'verify settle', "$port, $path: once";
    }
}
ok !-d $t->dir . '/above' || !length join('', glob($t->dir . '/above/*')), 'the cache above is empty';

finish;
