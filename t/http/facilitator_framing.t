# SPDX-License-Identifier: Apache-2.0
# Where an answer of the facilitator ends: an answer that two readers could
# understand differently is rejected. verify fails then, settle has an unknown outcome,
# and no connection is used on which more may come.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    # It fails far more often here than a breaker lets pass.
    x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; }
    x402_facilitator patient;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /        { root %%DIR%%/html; }
        location /before/ { x402_settle before; alias %%DIR%%/html/; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

my $ok = "HTTP/1.1 200 OK\r\n";
my $json = "Content-Type: application/json\r\n";

# --- read

sub good ($name, @spec) {
    for my $path (qw(/a /before/a)) {
        $f->verify(@spec);
        $f->settle(@spec);
        is_content paid($t, $path), "SECRET\n", "$path: $name";
    }
    return;
}

good('a length', raw => "$ok${json}Content-Length: %SIZE%\r\n\r\n%JSON%");
good('odd letters and blanks', raw => "${ok}CONTENT-length:\t %SIZE% \t\r\n\r\n%JSON%");
good('no words after the status', raw => "HTTP/1.1 200\r\nContent-Length: %SIZE%\r\n\r\n%JSON%");
good('a chunk with extension and trailer',
    raw => "${ok}Transfer-Encoding: Chunked\r\n\r\n%HEX%;a=\"b\"\r\n%JSON%\r\n0\r\nX: y\r\n\r\n");
good('HTTP/1.0', raw => "HTTP/1.0 200 OK\r\nContent-Length: %SIZE%\r\n\r\n%JSON%");
good('HTTP/1.0, kept', raw => "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: %SIZE%\r\n\r\n%JSON%");
good('byte by byte', 'trickle');
good('chunks byte by byte', trickle => 1, chunked => 1);
good('interim answers', 'interim');
good('a body of 200 KB', huge => 200 << 10);

# --- not read

sub bad ($name, @spec) {
    $f->verify(@spec);
    $f->forget;
    my $r = paid($t, '/a');
    ok $r->status == 502 && $r->body =~ /facilitator_failed/, "verify: $name" or diag $r->summary;
    no_trace $r, 'SECRET', "verify: $name: no content";
    $f->forget;
    $f->settle(@spec);
    my $payment = payment(unpaid($t, '/before/a'));
    $r = paid($t, '/before/a', payment => $payment);
    ok $r->status == 503 && $r->body =~ /settlement_unknown/, "settle: $name" or diag $r->summary;
    no_trace $r, 'SECRET', "settle: $name: no content";
    is $f->calls('settle'), 1, "settle: $name: once";
    $f->verify('ok');
    $f->settle('paid');
    is_content paid($t, '/before/a', payment => $payment), "SECRET\n", "settle: $name: and is finished later";
    return;
}

my $length = "Content-Length: %SIZE%\r\n";
my $chunks = "%HEX%\r\n%JSON%\r\n0\r\n\r\n";
bad('both framings', raw => "$ok${length}Transfer-Encoding: chunked\r\n\r\n$chunks");
bad('both framings, the other way', raw => "${ok}Transfer-Encoding: chunked\r\n$length\r\n$chunks");
bad('two lengths', raw => "$ok${length}Content-Length: 5\r\n\r\n%JSON%");
bad('a list of lengths', raw => "${ok}Content-Length: %SIZE%, %SIZE%\r\n\r\n%JSON%");
bad('a length with a sign', raw => "${ok}Content-Length: +%SIZE%\r\n\r\n%JSON%");
bad('chunked twice', raw => "${ok}Transfer-Encoding: chunked, chunked\r\n\r\n$chunks");
bad('another coding', raw => "${ok}Transfer-Encoding: gzip, chunked\r\n\r\n$chunks");
bad('a chunk without a size', raw => "${ok}Transfer-Encoding: chunked\r\n\r\n\r\n%JSON%\r\n0\r\n\r\n");
bad('a folded line', raw => "${ok}A: b\r\n c\r\n$length\r\n%JSON%");
bad('a bare LF', raw => "${ok}A: b\n$length\r\n%JSON%");
bad('a bare CR', raw => "${ok}A: b\rc\r\n$length\r\n%JSON%");
bad('a NUL', raw => "${ok}A: b\0\r\n$length\r\n%JSON%");
bad('a blank before the colon', raw => "${ok}Content-Length : %SIZE%\r\n\r\n%JSON%");
bad('compressed', raw => "${ok}Content-Encoding: gzip\r\n$length\r\n%JSON%");
bad('another protocol', raw => "HTTP/1.1 101 Switching Protocols\r\n\r\n$ok$length\r\n%JSON%");
bad('interim answers without end', raw => "HTTP/1.1 102 Processing\r\n\r\n" x 100 . "$ok$length\r\n%JSON%");
bad('no HTTP', raw => '%JSON%' . "\r\n");
bad('a head without end', raw => $ok . "A: bcdefgh\r\n" x 2000);
bad('a huge length', raw => "${ok}Content-Length: 99999999\r\n\r\n%JSON%");

# --- 100 MB: cut after what may be kept

$f->forget;
$f->verify(flood => 100 << 20);
is paid($t, '/a')->status, 502, '100 MB';
cmp_ok $f->ask(do => 'counts')->{sent}, '<', 20 << 20, '100 MB: nginx hung up';
$f->verify('ok');

# --- what comes behind an answer is not the answer to something else

my $evil = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"isValid\":true}";
for my $spec ([ at_once => raw => "$ok$length\r\n%JSON%$evil" ], [ later => more => $evil ]) {
    my ($name, @spec) = @$spec;
    $f->close_idle;
    $f->settle_once(paid => 1, @spec);
    is_content paid($t, '/a'), "SECRET\n", "$name: an answer with something behind it";
    ok $t->wait_for(sub { !$f->open_connections }), "$name: its connection is closed";
    $f->verify(invalid => 'insufficient_funds');
    $f->forget;
    is paid($t, '/a')->status, 402, "$name: the next payment is not paid by that";
    is $f->order, 'verify', "$name: but asked about";
    ok !($f->requests)[0]{reused}, "$name: on a connection of its own";
    $f->verify('ok');
}

finish;
