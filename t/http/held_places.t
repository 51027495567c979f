# SPDX-License-Identifier: Apache-2.0
# A verified payment costs its payer nothing until its content is complete. Clients that send a request body a byte now
# and then, or buy content that takes its time, hold places among the payments in flight: others are served all the
# while, and each such payment has an end.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(sleep time);
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_processes 1;
events { worker_connections 1024; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_max_calls 64;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    client_max_body_size 100m;
    proxy_read_timeout 300s;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /       { proxy_pass http://%%BACKEND%%; }
        location /brief  { x402_timeout 2s; proxy_pass http://%%BACKEND%%; }
        location /stream { x402_timeout 2s; proxy_request_buffering off; proxy_pass http://%%BACKEND%%; }
        location /sorry  { x402_timeout 2s; error_page 504 /late.txt; proxy_pass http://%%BACKEND%%; }
        location = /late.txt { x402 off; return 200 "late\n"; }
        location /off    { x402_settle off; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;
my $offer = unpaid($t, '/a');

# A POST of which the head and one byte are there.
sub drag ($path, $payment, %options) {
    my $c = $t->connect(from => $options{from} // '127.0.0.1');
    $c->send("POST $path HTTP/1.1\r\nHost: 127.0.0.1\r\nPAYMENT-SIGNATURE: $payment\r\n"
        . ($options{chunked} ? "Transfer-Encoding: chunked\r\n\r\n5\r\nx" : "Content-Length: 50000000\r\n\r\nx"));
    return $c;
}

# --- 28 wallets of a cent, and nothing that they have to pay for

my @wallets = map { random_hex(20) } 1 .. 28;
my @dragged;
ROUND: for my $round (1 .. 6) {
    for my $wallet (@wallets) {
        push @dragged, drag("/upload?$round", payment($offer, from => $wallet));
        $f->wait_count(verify => scalar @dragged, 10) or last ROUND;
    }
}
my $charged = $f->calls('settle');
cmp_ok $charged, '>', 28 * 4, "of @{[ scalar @dragged ]} payments that wait for a body, $charged are settled before it";
$_->send('x') for @dragged;

my @seconds;
for my $n (1 .. 20) {
    my $begun = time;
    is_content paid($t, "/honest?$n", from => $n % 2 ? '127.0.0.1' : '127.0.0.2',
        payment => payment($offer, from => random_hex(20))), "SECRET\n", 'an honest payer is served'
        or last;
    push @seconds, time - $begun;
}
is paid($t, '/post', method => 'POST', body => 'x' x 1000, payment => payment($offer, from => random_hex(20)))->status,
    200, 'and one that sends a body';
cmp_ok +(sort { $a <=> $b } @seconds)[-1], '<', 5, 'none has to wait for it';
$t->leave($_) for @dragged;

# --- wallets of a cent and addresses without number: each has one place, and all together leave some

{
    my $from = sub { return "127.0.1.$_[0]" };
    $f->forget;
    my @crowd = map { drag("/crowd?$_", payment($offer, from => random_hex(20)), from => $from->($_)) } 1 .. 64;
    $f->wait_count(verify => 64, 10);
    cmp_ok $f->calls('settle'), '>', 8, 'of a crowd, the last pay before the rest of their body is there';
    is_content paid($t, "/honest?$_", from => "127.0.2.$_", payment => payment($offer, from => random_hex(20))), "SECRET\n",
        "an honest payer is served beside a crowd, $_"
        for 1 .. 5;
    $t->leave($_) for @crowd;
}

# --- an end: as long as the payment may take

for (['/brief', 'Content-Length'], ['/brief', 'chunked', chunked => 1], ['/stream', 'not buffered']) {
    my ($path, $name, %how) = @$_;
    $_->forget for $f, $up;
    my $wallet = random_hex(20);
    my $payment = payment(unpaid($t, $path), from => $wallet, valid => 100);
    my $begun = time;
    my $c = drag($path, $payment, %how);
    $f->wait_calls(verify => 1);
    for (1 .. 3) { sleep 0.3; $c->send('x') }
    ok $c->wait_eof(20), "$name: a body that does not come ends the request";
    cmp_ok time - $begun, '<', 15, "$name: soon";
    is $f->calls('settle'), 0, "$name: uncharged";
    $t->log_like(qr/request body within x402_timeout/, "$name: it is said");
}

$_->forget for $f, $up;
$up->on('/brief', hold => 1);
$up->on('/sorry', hold => 1);
my $payment = payment(unpaid($t, '/brief'), valid => 100);
my $r = paid($t, '/brief', payment => $payment);
is $r->status . $r->body, '504{"error":"content_timeout","charged":false}', 'content that comes too late';
is $f->calls('settle'), 0, 'is not charged';
is paid($t, '/sorry', payment => payment(unpaid($t, '/sorry'), valid => 100))->body, "late\n", 'the operator has its own words for it';
$t->log_like(qr/\[error\].*x402_timeout.*not charged: raise x402_timeout/, 'the operator is told what to do');
$up->release;
$up->on('/brief', body => "SECRET\n");
is_content paid($t, '/brief', payment => payment(unpaid($t, '/brief'), valid => 100)), "SECRET\n", 'the next one is served';

# --- where nothing is settled, nothing is in flight after verify

$up->on('/off', hold => 1);
my @off;
for my $n (1 .. 70) {
    push @off, $t->connect;
    $off[-1]->write_request(GET => '/off', headers => [ header_of(payment($offer, from => random_hex(20))) ]);
    $up->wait_count('/off', $n) or last;
}
is $up->count('/off'), 70, 'settle off: content under way holds no place';
is_content paid($t, '/b', payment => payment($offer, from => random_hex(20))), "SECRET\n", 'another is served';
$up->release;

finish;
