# SPDX-License-Identifier: Apache-2.0
# Client connections stay usable: pipelining, keep-alive, request bodies with
# and without 100-continue, streams beside each other.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use Digest::SHA qw(sha256_hex);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    client_max_body_size 100m;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /free/   { proxy_pass http://%%BACKEND%%/; }
        location /paid/   { x402_price $0.01; proxy_pass http://%%BACKEND%%/; }
        location /file/   { x402_price $0.01; alias %%DIR%%/html/; }
        location /direct/ { x402_price $0.01; proxy_pass http://%%BACKEND%%/; proxy_request_buffering off; }
        location /before/ { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%/; }
    }
}
EOF
$t->write('html/a', "SECRET file\n");
$up->on('*', body => "SECRET answer\n");
$t->start;

my $offer = unpaid($t, '/paid/a');
sub money () { return header_of(payment($offer)) }

# --- pipelining: paid, refused, unpaid, free, paid, in one write

for (1 .. 2) {
    my $c = $t->connect;
    $f->forget;
    $f->settle('paid');
    $f->settle_once('paid')->settle_once(refused => 'insufficient_funds');
    $c->send(join '', map { $c->head(GET => $_->[0], headers => [ $_->[1] ? money() : () ]) }
        [ '/paid/a', 1 ], [ '/file/a', 1 ], [ '/paid/a', 0 ], [ '/free/a', 0 ], [ '/file/a', 1 ], [ '/paid/x', 1 ]);
    my @answers = map { $c->answer } 1 .. 6;
    is join(' ', map { $_->status } @answers), '200 402 402 200 200 200', 'six in one write, in order';
    is_refused $answers[1], 'the refused one is refused';
    is_content $answers[0], "SECRET answer\n", 'the first is paid';
    is_content $answers[4], "SECRET file\n", 'and so is the fifth';
    is join(' ', map { $_->header_count('PAYMENT-RESPONSE') } @answers), '1 1 0 0 1 1', 'each its own receipt';
    is $f->order, 'verify settle ' x 3 . 'verify settle', 'one after the other';
    $c->hang_up;
}

# --- one connection for everything

my $c = $t->connect;
for my $n (1 .. 20) {
    my $r = $c->request(GET => '/paid/a', headers => [ $n % 2 ? money() : () ]);
    is $r->status, $n % 2 ? 200 : 402, "request $n on one connection" if $r->status != ($n % 2 ? 200 : 402);
}
ok !$c->eof, 'twenty requests on one connection';

# --- streams beside each other

$c = $t->connect(h2 => 1, port => 'h2');
$f->settle('hold');
$f->forget;
my @paid = map { $c->write_request(GET => '/paid/a', headers => [ money() ]) } 1 .. 10;
$f->wait_calls(settle => 10);
is $c->request(GET => '/free/a')->body, "SECRET answer\n", 'a free stream beside ten that settle';
is $c->request(GET => '/paid/a')->status, 402, 'an unpaid one, too';
$c->reset($paid[0]);
$f->settle('paid');
$f->release;
is scalar(grep { $c->answer($_)->status == 200 } @paid[ 1 .. 9 ]), 9, 'nine are served, one was cancelled';
ok !$c->eof && !defined $c->goaway, 'the connection lives on';

# a client that opens its window slowly
my $slow = $t->connect(h2 => 1, port => 'h2', window => 10);
my $id = $slow->write_request(GET => '/paid/a', headers => [ money() ]);
is_content $slow->answer($id), "SECRET answer\n", 'a window of ten bytes';

# --- request bodies

my $body = join '', map { sprintf "%07d\n", $_ } 1 .. 1_000_000;
my %offer_of = map { $_ => unpaid($t, "/$_/a") } qw(paid direct before);
for my $where (qw(paid direct before)) {
    for my $h2 (0, 1) {
        my %via = $h2 ? (h2 => 1, port => 'h2') : ();
        my $name = "$where" . ($h2 ? ', HTTP/2' : '');
        $up->forget;
        my $r = paid($t, "/$where/a", method => 'POST', payment => payment($offer_of{$where}), body => $body, %via);
        is_content $r, "SECRET answer\n", "$name: 8 MB up";
        is +($up->requests)[0]{sha256}, sha256_hex($body), "$name: unchanged";
        $f->settle(refused => 'insufficient_funds');
        $r = paid($t, "/$where/a", method => 'POST', payment => payment($offer_of{$where}), body => $body, %via);
        is_refused $r, "$name: 8 MB up, refused";
        no_trace $r, 'SECRET', "$name: no content";
        $f->settle('paid');
    }

    # 100-continue: invited by a payment, and only then
    $up->forget;
    $c = $t->connect;
    $c->send($c->head(POST => "/$where/a", headers => [ header_of(payment($offer_of{$where})), Expect => '100-continue',
        'Content-Length' => length $body ]));
    $t->wait_for(sub { $c->_fill(0.05); $c->raw =~ /100 Continue/ });
    like $c->raw, qr/\AHTTP\/1.1 100 Continue/, "$where: 100-continue";
    $c->send($body);
    is_content $c->answer, "SECRET answer\n", "$where: and the answer";
    is +($up->requests)[0]{size}, length $body, "$where: the whole body";
    $c->hang_up;

    $c = $t->connect;
    $c->send($c->head(POST => "/$where/a", headers => [ Expect => '100-continue', 'Content-Length' => length $body ]));
    my $r = $c->answer;
    is $r->status . "@{$r->{interim}}", '402', "$where: no 100 Continue without a payment";
    $c->hang_up;

    # chunked
    $up->forget;
    $c = $t->connect;
    $c->send($c->head(POST => "/$where/a", headers => [ header_of(payment($offer_of{$where})), 'Transfer-Encoding' => 'chunked' ])
        . "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    is_content $c->answer, "SECRET answer\n", "$where: a chunked body";
    is +($up->requests)[0]{body}, 'hello world', "$where: arrives";
    $c->hang_up;
}

# An unpaid body is thrown away, and the connection stays in step.
for my $h2 (0, 1) {
    $up->forget;
    $c = $t->connect($h2 ? (h2 => 1, port => 'h2') : ());
    is $c->request(POST => '/paid/a', body => $body)->status, 402, '8 MB without money';
    is $c->request(GET => '/free/a')->status, 200, 'then a free request on the same connection';
    is $up->hits, 1, 'the backend saw only that';
    $c->hang_up;
}

# CL beside TE, a bad chunk: never taken for two requests.
for my $head ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n",
    "Transfer-Encoding: chunked\r\n")
{
    $up->forget;
    $c = $t->connect;
    $c->send("POST /paid/a HTTP/1.1\r\nHost: a\r\n${head}\r\nzz\r\nGET /free/smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    like $c->answer->status, qr/\A(?:400|402|501)\z/, 'a body of two minds';
    $c->rest(0.1);
    is $up->hits, 0, 'hides no request';
    $c->hang_up;
}

finish;
