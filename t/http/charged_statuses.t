# SPDX-License-Identifier: Apache-2.0
# What an answer costs: content is charged, failure is not, and what costs
# nothing passes at once and leaves the payment good.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { DEAD => dead_url() });
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
        proxy_http_version 1.1;

        location / {
            x402_price $0.01;
            location /up/   { proxy_pass http://%%BACKEND%%/; }
            location /now/  { proxy_pass http://%%BACKEND%%/; proxy_buffering off; }
            location /file/ { alias %%DIR%%/html/; }
            location /dead/ { proxy_pass %%DEAD%%; }
            location /slow/ { proxy_pass http://%%BACKEND%%/; proxy_read_timeout 200ms; }
            location /page/ { proxy_pass http://%%BACKEND%%/; proxy_intercept_errors on; error_page 404 /sorry; }
            location /else/ { proxy_pass http://%%BACKEND%%/; proxy_intercept_errors on; error_page 404 = /sorry; }
        }
        location = /sorry { return 200 "sorry\n"; }
    }
}
EOF
mkdir $t->dir . '/html';
$t->write('html/dir/x', 'x');
for my $status (400, 401, 403, 404, 410, 416, 422, 429, 500, 502, 503, 504) {
    $up->on("/$status", status => $status, body => "failed $status", headers => [ 'X-Own' => 'kept' ]);
}
$up->on('/402', status => 402, body => 'pay another', headers => [
    'PAYMENT-REQUIRED' => 'e30=', 'Payment-Response' => 'e30=', 'X-Own' => 'kept' ]);
$up->on('/304', status => 304, headers => [ ETag => '"a"' ]);
$up->on("/$_", status => $_, body => '', headers => [ Location => 'http://signed.example/' ])
    for 301, 302, 303, 307, 308;
$up->on("/$_", status => $_, body => $_ == 204 ? '' : "SECRET\n") for 200 .. 206, 226, 299, 300;
$up->on('/103', status => 103, eof => 1, headers => [ Link => '</SECRET>; rel=preload' ]);
$up->on('/grpc', body => '', headers => [ 'Content-Type' => 'application/grpc', 'grpc-status' => '5' ]);
$up->on('/never', hold => 1);
$t->start;

sub free_of_charge ($path, $status, $body, $name, %options) {
    for my $h2 (0, 1) {
        my %via = $h2 ? (h2 => 1, port => 'h2') : ();
        $f->forget;
        my $payment = payment(unpaid($t, $path));
        for my $time ('first', 'second') {
            my $r = paid($t, $path, payment => $payment, %options, %via);
            ok $r->status == $status && $r->complete && $r->body =~ $body
                && !$r->header('PAYMENT-RESPONSE') && !$r->header('PAYMENT-REQUIRED'),
                "$name, $time time" . ($h2 ? ', HTTP/2' : '') or diag $r->summary;
        }
        is $f->order, 'verify verify', "$name: never settled";
    }
    return;
}

for my $how (qw(up now)) {
    free_of_charge("/$how/$_", $_, qr/\Afailed $_\z/, "$how: $_")
        for 400, 401, 403, 404, 410, 416, 422, 429, 500, 502, 503, 504;
    free_of_charge("/$how/402", 402, qr/\Apay another\z/, "$how: the upstream's own 402");
    free_of_charge("/$how/304", 304, qr/\A\z/, "$how: an unasked 304");
}
is paid($t, '/up/404')->header('X-Own'), 'kept', 'headers of a failure pass';
free_of_charge('/file/none', 404, qr/404 Not Found/, 'a missing file');
free_of_charge('/file/dir', 301, qr/301 Moved/, 'a directory redirect');
free_of_charge('/dead/', 502, qr/502 Bad Gateway/, 'a dead upstream');
free_of_charge('/slow/never', 504, qr/504 Gateway/, 'a silent upstream');
free_of_charge('/up/grpc', 200, qr/\A\z/, 'a failed gRPC call');
$up->release;

# A failure with a nicer page is a failure; a fallback that answers 200 is content.
free_of_charge('/page/404', 404, qr/\Asorry\n\z/, 'error_page 404 to a free page');
is_content paid($t, '/else/404'), "sorry\n", 'error_page 404 = with an answer of its own';

# Early hints announce what may never come and cannot be held: nginx of before 1.29
# takes a 103 for the answer, which is refused; later ones wait for another.
free_of_charge("/$_/103", 502, qr/upgrade_not_served|502 Bad Gateway/, "$_: early hints") for qw(up now);

# What an upstream made is content: any success, and any redirect.
for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';
    for my $status (200, 201, 202, 203, 204, 205, 206, 226, 299, 300, 301, 302, 303, 307, 308) {
        for my $how (qw(up now)) {
            $f->forget;
            my $r = paid($t, "/$how/$status", %via);
            ok $r->status == $status && $r->complete && receipt($r)->{success}
                && ($status < 301 || $r->header('Location')), "${p}$how: $status is charged" or diag $r->summary;
            is $f->order, 'verify settle', "${p}$how: $status is settled";
        }
    }

    # Each part of a file is a payment of its own; a paid request gets no 304.
    for my $range ('bytes=0-0', 'bytes=0-0,2-2') {
        $f->forget;
        my $r = paid($t, '/file/dir/x', %via, headers => [ Range => $range ]);
        is $r->status, 206, "${p}$range";
        is $f->order, 'verify settle', "${p}$range: is charged";
    }
    $f->forget;
    my $r = paid($t, '/file/dir/x', %via, headers => [ 'If-Modified-Since' => 'Fri, 01 Jan 2100 00:00:00 GMT' ]);
    is $r->status . $r->body, '200x', "${p}a condition: content all the same";
    is $f->order, 'verify settle', "${p}a condition: charged";
}

finish;
