# SPDX-License-Identifier: Apache-2.0
# Content of an upstream that is not buffered, whose settlement takes longer than
# proxy_read_timeout; and a client that reads for longer than that. Nothing is
# cut, and what the client has whole is not delivered once more.

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
    x402_price $0.01;
    x402_settle_wait 50ms;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_read_timeout 1500ms;
    server {
        listen 127.0.0.1:%%PORT%% sndbuf=16k;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /          { proxy_pass http://%%BACKEND%%; }
        location /pages/    { ssi on; ssi_types *; send_timeout 1500ms; proxy_buffering on; proxy_read_timeout 5s; proxy_pass http://%%BACKEND%%; }
        location /big/      { ssi on; ssi_types *; send_timeout 1500ms; x402_settle_wait 10s; proxy_buffering on; proxy_read_timeout 5s; proxy_pass http://%%BACKEND%%; }
        location /part/     { send_timeout 1500ms; proxy_buffering on; proxy_read_timeout 5s; proxy_pass http://%%BACKEND%%; }
        location /raw/      { send_timeout 1500ms; proxy_pass http://%%BACKEND%%; }
        location /roomy     { proxy_buffer_size 2m; proxy_buffers 4 2m; proxy_busy_buffers_size 4m; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $long = 'SECRET ' x 30_000;
$up->on('/small', body => "SECRET\n");
$up->on('/chunked', body => "SECRET\n", chunked => 1);
$up->on('/eof', body => "SECRET\n", eof => 1);
$up->on('/long', body => $long);
$up->on('/parts', body => $long, chunked => 1);
$up->on('/roomy', body => $long x 4);
$up->on('/pages/parts', body => 'a<!--#include virtual="/part/one" -->b<!--#include virtual="/part/late" -->c');
$up->on('/pages/raw', body => 'a<!--#include virtual="/raw/one" -->b<!--#include virtual="/raw/chunks" -->c<!--#include virtual="/raw/big" -->d');
$up->on('/raw/one', body => "SECRET\n");
$up->on('/raw/chunks', body => "SECRET\n", chunked => 1);
$up->on('/raw/big', body => 'x' x 300_000);
$up->on('/pages/none', body => 'a<!--#echo var="host" -->b');
$up->on('/big/page', body => 'a<!--#include virtual="/part/big" -->b<!--#include virtual="/part/late" -->c');
$up->on('/part/big', body => 'x' x 300_000);
$up->on('/part/one', body => "SECRET\n");
$up->on('/part/late', body => "SECRET late\n", delay => 0.6);
$t->start;

# --- the settlement takes longer

# All at once, because each takes three seconds: what is asked for, and the answers.
sub slowly ($via, @paths) {
    $_->forget for $f, $up;
    my %payment = map { $_ => payment(unpaid($t, $_)) } @paths;
    $f->settle('paid', delay => 3);
    my @asked = map { my $c = $t->connect(@$via); [ $c, $c->write_request(GET => $_, headers => [ header_of($payment{$_}) ]) ] } @paths;
    my %answer;
    for my $path (@paths) { my ($c, $id) = (shift @asked)->@*; $answer{$path} = $c->answer(@$via ? $id : ()) }
    $f->settle('paid');
    return (\%payment, \%answer);
}

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';
    my @paths = qw(/small /chunked /eof /long /parts);
    my ($payment, $answer) = slowly($via, @paths);
    for my $path (@paths) {
        is_content $answer->{$path}, $path =~ /long|parts/ ? $long : "SECRET\n", "$p$path: whole, after a slow settlement";
        is paid($t, $path, payment => $payment->{$path}, @$via)->status, 402, "$p$path: and then it is used";
        is $up->hits($path), 1, "$p$path: made once";
    }
}

# A page of parts, for longer than send_timeout.
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my %page = ('/pages/parts' => "aSECRET\nbSECRET late\nc", '/pages/none' => 'alocalhostb',
        '/big/page' => 'a' . 'x' x 300_000 . "bSECRET late\nc", '/pages/raw' => "aSECRET\nbSECRET\nc" . 'x' x 300_000 . 'd');
    my (undef, $answer) = slowly($via, sort keys %page);
    my $p = @$via ? 'HTTP/2, ' : '';
    is_content $answer->{$_}, $page{$_}, "$p$_: a page, whole, after a slow settlement" for sort keys %page;
}
$t->log_unlike(qr/client timed out/, 'no client is given up while it is sent nothing');
$t->log_unlike(qr/upstream timed out/, 'no upstream is given up while its content is held');
$t->log_unlike(qr/owed/, 'and nothing is owed');

# An upstream that is slow itself is given up as ever, before it is charged.
$up->on('/slow', body => $long, hold_after => 100);
$f->forget;
my $r = paid($t, '/slow');
is $f->calls('settle'), 1, 'content that has begun is settled';
ok !$r->complete, 'and cut by proxy_read_timeout once it was released';
$t->log_like(qr/upstream timed out.*while reading upstream/, 'as a line says');
$t->log_like(qr/owed: charged, content not delivered/, 'what came of it is owed');

# So is one of a part, also while the page is settled.
$up->on('/pages/hung', body => 'a<!--#include virtual="/raw/one" -->b<!--#include virtual="/raw/hung" -->c');
$up->on('/raw/hung', body => "SECRET\n", delay => 60);
$f->settle_once('paid', delay => 1);
my $begun = time;
$r = paid($t, '/pages/hung');
like $r->body, qr/\AaSECRET\nb.*c\z/s, 'a part that does not answer';
cmp_ok time - $begun, '<', 15, 'is not waited for without end';

# --- the client reads for longer

$_->forget for $f, $up;
my $payment = payment(unpaid($t, '/roomy'));
my $timed = $t->log_count(qr/upstream timed out/);
my $owed  = $t->log_count(qr/owed: charged/);
my $c = $t->connect;
$c->write_request(GET => '/roomy', headers => [ header_of($payment) ]);
ok $t->wait_for(sub { $t->log_count(qr/upstream timed out/) > $timed }), 'a client that does not read';
is_content $c->answer, $long x 4, 'has it all in the end';
is paid($t, '/roomy', payment => $payment)->status, 402, 'and not once more';
is $t->log_count(qr/owed: charged/), $owed, 'nothing is owed';
is $up->hits, 1, 'made once';

finish;
