# SPDX-License-Identifier: Apache-2.0
# Files held back until they are paid for.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Hold;
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    root %%DIR%%/html;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        location /sendfile/ { alias %%DIR%%/html/; sendfile on; }
        location /read/     { alias %%DIR%%/html/; sendfile off; }
        location /threads/  { alias %%DIR%%/html/; sendfile off; aio threads; }
        location /cached/   { alias %%DIR%%/html/; open_file_cache max=10; }
        location /slow/     { alias %%DIR%%/html/; limit_rate 100k; limit_rate_after 50k; }
        location /typed/    { alias %%DIR%%/html/; expires 1h; add_header X-Own "SECRET header"; }
        location /try/      { try_files $uri $uri.txt /html/none @named; }
        location @named     { rewrite ^ /small.txt break; }
        location /index/    { alias %%DIR%%/html/; index small.txt; }
        location /list/     { alias %%DIR%%/html/; autoindex on; }
        location /random/   { alias %%DIR%%/one/; random_index on; }
        location /dav/      { alias %%DIR%%/upload/; dav_methods PUT DELETE; create_full_put_path on; }
    }
}
EOF

my $small  = "SECRET small\n";
my $medium = join '', map { "SECRET $_\n" } 1 .. 12000;
my ($etag, $date);
$t->write('html/small.txt', $small);
$t->write('html/medium', $medium);
$t->write('html/empty', '');
$t->write('html/try/there.txt', $small);
$t->write('one/only', $small);
mkdir $t->dir . '/upload';
$t->start;

for my $how (qw(sendfile read threads cached)) {
    held($t, $f, "$how: small", "/$how/small.txt", body => $small);
    held($t, $f, "$how: medium", "/$how/medium", body => $medium);
}
held($t, $f, 'an empty file', '/read/empty', body => '');
held($t, $f, 'limit_rate', '/slow/medium', body => $medium);
held($t, $f, 'HEAD', '/sendfile/medium', method => 'HEAD',
    check => sub ($r) { $r->body eq '' && $r->header('Content-Length') == length $medium });
held($t, $f, 'try_files', '/try/there', body => $small);
held($t, $f, 'try_files, named location', '/try/missing', body => $small);
held($t, $f, 'index', '/index/', body => $small);
held($t, $f, 'autoindex', '/list/', marker => 'medium', check => sub ($r) { $r->body =~ /medium/ });
held($t, $f, 'random index', '/random/', body => $small);
held($t, $f, 'expires and add_header', '/typed/small.txt',
    check => sub ($r) { $r->body eq $small && $r->header('X-Own') });

# --- ranges: each part is a payment

held($t, $f, 'a range', '/sendfile/medium', headers => [ Range => 'bytes=7-19' ], status => 206,
    body => substr($medium, 7, 13));
held($t, $f, 'a range, read', '/read/medium', headers => [ Range => 'bytes=-100' ], status => 206,
    body => substr($medium, -100));
held($t, $f, 'two ranges', '/sendfile/medium', headers => [ Range => 'bytes=0-9,100-109' ],
    status => 206, check => sub ($r) {
        $r->header('Content-Type') =~ m{multipart/byteranges}
            && index($r->body, substr $medium, 100, 10) > 0 });

# A range that cannot be served is found out after settlement: a clean 416 with the receipt.
$f->forget;
my $r = paid($t, '/sendfile/medium', headers => [ Range => 'bytes=99999999-' ]);
is $r->status, 416, 'an impossible range';
is $f->calls('settle'), $r->header_count('PAYMENT-RESPONSE'), 'has a receipt if it was settled';

# --- conditions: a paid request gets a body

$r    = paid($t, '/sendfile/small.txt');
$etag = $r->header('ETag');
$date = $r->header('Last-Modified');
ok $etag && $date, 'validators';
held($t, $f, 'If-None-Match', '/sendfile/small.txt', headers => [ 'If-None-Match' => $etag ], body => $small);
held($t, $f, 'If-Modified-Since', '/read/small.txt', headers => [ 'If-Modified-Since' => $date ], body => $small);
$r = $t->get('/sendfile/small.txt', headers => [ 'If-None-Match' => $etag, Range => 'bytes=0-1' ]);
is $r->status, 402, 'without money neither a 304 nor a range';

# --- what a method does is paid for, too

held($t, $f, 'PUT', '/dav/new', method => 'PUT', send => 'x' x 1000,
    check => sub ($r) { $r->body eq '' }, status => 204) if -e $t->write('upload/new', 'x');

# --- HTTP/1.0

my $c = $t->connect;
my @payment = pay_with($t, '/sendfile/small.txt')->@*;
$c->send("GET /sendfile/small.txt HTTP/1.0\r\nHost: localhost\r\n$payment[0]: $payment[1]\r\n\r\n");
is_content $c->answer, $small, 'HTTP/1.0';

finish;
