# SPDX-License-Identifier: Apache-2.0
# The harness itself, against nginx without the module: what the other tests
# take for granted about clients, fake peers and the life of nginx.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use Digest::SHA qw(sha256_hex);

# Every byte a header may carry, so that each Huffman code is seen once.
my $words = join '', map { chr } grep { $_ != 34 && $_ != 36 && $_ != 92 } 33 .. 126, 128 .. 255;

# nginx only uses the code where it saves space: short codes pay for the long ones.
$words .= ' ' . 'a' x 1000;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', module => 0, backend => $up, holes => { WORDS => $words });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        client_max_body_size 100m;

        location /402   { return 402; }
        location /words { add_header X-Words "%%WORDS%%"; return 200 "short"; }
        location /big   { root %%DIR%%/html; }
        location /      { proxy_pass http://%%BACKEND%%; proxy_http_version 1.1; proxy_buffering off; }
    }
}
EOF

my $big = join '', map { sprintf "%063d\n", $_ } 1 .. 50 * 1024 * 1024 / 64;
$t->write('html/big/50m', $big);
$t->write('html/big/1m', substr $big, 0, 1 << 20);
$up->on('/plain', body => 'PLAIN', headers => [ 'X-From' => 'backend' ]);
$up->on('/chunked', body => 'chunk ' x 1000, chunked => 1);
$up->on('/sse', body => 'tick', sse => 3);
$up->on('/endless', body => 'for ever ', endless => 1);
$up->on('/held', body => 'HELD', hold => 1);
$up->on('/half', body => 'x' x 1000, die_after => 400);
$t->start;

# --- clients

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $name = $h2 ? 'HTTP/2' : 'HTTP/1.1';

    my $r = $t->get('/402', %via);
    is $r->status, 402, "$name: status";
    ok $r->complete, "$name: complete";

    $r = $t->get('/plain', %via);
    is $r->body, 'PLAIN', "$name: body";
    is $r->header('x-FROM'), 'backend', "$name: header";
    like $r->raw, qr/PLAIN/, "$name: raw bytes";

    is $t->get('/words', %via)->header('X-Words'), $words, "$name: every byte in a header";
    is $t->get('/chunked', %via)->body, 'chunk ' x 1000, "$name: chunked";
    is $t->get('/sse', %via)->body, join('', map { "data: tick $_\n\n" } 1 .. 3), "$name: events";

    my $start = time;
    is $t->get('/big/50m', %via)->body, $big, "$name: 50 MB down";
    $r = $t->ask(POST => '/post', body => $big, %via);
    is $r->body, "answer to /post\n", "$name: 50 MB up";
    is +($up->requests('/post'))[-1]{sha256}, sha256_hex($big), "$name: unchanged";
    cmp_ok time - $start, '<', 100, "$name: at a reasonable speed";

    $r = $t->ask(HEAD => '/plain', %via);
    is $r->status . $r->body, '200', "$name: HEAD has no body";

    ok !$t->get('/half', %via)->complete, "$name: a cut body is not complete";

    my $c = $t->connect(%via);
    my $id = $c->write_request(GET => '/endless');
    $r = $c->answer($h2 ? $id : (), until => qr/for ever/);
    like $r->body, qr/for ever/, "$name: a part of an endless body";
    $h2 ? $c->reset($id) : $c->abort;
    ok $up->wait_gone('/endless'), "$name: the backend sees the client leave";
    $up->forget;
}

my $c = $t->connect;
$c->send($c->head(GET => '/plain') . $c->head(GET => '/402') . $c->head(GET => '/plain', close => 1));
is join(' ', map { $c->answer->status } 1 .. 3), '200 402 200', 'pipelining';
ok $c->wait_eof, 'the end of the connection';

$c = $t->connect(h2 => 1, port => 'h2');
my @ids = map { $c->write_request(GET => $_) } qw(/plain /402 /held /plain);
is $c->answer($ids[3])->body, 'PLAIN', 'a later stream first';
ok $up->wait_count('/held', 1), 'the held request has arrived';
$up->release('/held');
is $c->answer($ids[2])->body, 'HELD', 'released';

# a window smaller than the body
$c = $t->connect(h2 => 1, port => 'h2', window => 20000);
is length $c->request(GET => '/big/1m')->body, 1 << 20, 'window updates';
$c = $t->connect(h2 => 1, port => 'h2', window => 1000, frozen => 1);
$c->answer($c->write_request(GET => '/big/1m'), until => qr/\A.{1000}/s);
$c->rest(0.1);
is length $c->data, 1000, 'a frozen window';

# --- facilitator

my $payload = payload({ resource => { url => 'u' }, accepts => [ {
    scheme => 'exact', network => 'eip155:84532', amount => '10000', asset => '0xA',
    payTo => '0xB', maxTimeoutSeconds => 300, extra => {} } ] });
my $json = JSON::PP->new->utf8;
my $body = $json->encode({ x402Version => 2, paymentPayload => $payload,
    paymentRequirements => $payload->{accepted} });

sub call ($c, $what) { return $c->request(POST => "/$what", body => $body) }

$c = X402::Http->new($f->port);
is_deeply $json->decode(call($c, 'verify')->body),
    { isValid => bool_true, payer => $payload->{payload}{authorization}{from} }, 'verify';
is_deeply $json->decode(call($c, 'settle')->body),
    { success => bool_true, payer => $payload->{payload}{authorization}{from},
      network => 'eip155:84532',
      transaction => $f->transaction($payload->{payload}{authorization}{nonce}) }, 'settle';
$f->settle(refused => 'insufficient_funds')->settle_once('paid', with => { payer => undef });
like call($c, 'settle')->body, qr/"payer":null.*true/, 'once';
like call($c, 'settle')->body, qr/"insufficient_funds"/, 'then the standing answer';
for ([ 'chunked' ], [ 'trickle' ], [ 'interim' ], [ huge => 5000 ]) {
    $f->settle(paid => 1, @$_ == 1 ? (@$_, 1) : @$_);
    like call($c, 'settle')->body, qr/"success":true/, "settle, $_->[0]";
}
$f->settle(status => 500, body => 'x');
is call($c, 'settle')->status, 500, 'a status';
$f->settle(redirect => 'http://127.0.0.1:1');
is call($c, 'settle')->header('Location'), 'http://127.0.0.1:1/settle', 'a redirect';
$f->settle('stale');
is call($c, 'settle')->status, 0, 'closed on a used connection';
$c = X402::Http->new($f->port);
is call($c, 'settle')->status, 200, 'but not on a fresh one';
$f->settle('hold');
$c->write_request(POST => '/settle', body => $body);
ok $f->wait_calls(settle => 12), 'a held call is counted';
is $c->answer(timeout => 0.05)->status, 0, 'and not answered';
$f->release('settle');
is $c->answer->status, 200, 'until released';
$f->settle('reset');
is call($c, 'settle')->status, 0, 'reset';
is $f->calls('settle'), 13, 'all counted';
is +($f->order =~ s/ .*//r), 'verify', 'in order';
is $f->asked('settle')->{paymentRequirements}{amount}, '10000', 'with their bodies';

# --- payer

my $refused = X402::Answer->new(headers => [ 'Payment-Required' => encoded({ a => 1 }) ]);
is offer($refused)->{a}, 1, 'an offer is decoded';
is receipt($refused), undef, 'no receipt';
my $changed = decoded(payment({ resource => {}, accepts => [ { payTo => 'x', amount => 1,
    maxTimeoutSeconds => 9 } ] }, 'accepted.payTo' => without(), 'payload.signature' => '0x'));
ok !exists $changed->{accepted}{payTo}, 'a field removed';
is $changed->{payload}{signature}, '0x', 'a field replaced';

# --- nginx

like $t->config_error(<<'EOF'), qr/unknown directive "nonsense" in \S+:3/, 'a refused configuration';
%%GLOBALS%%
events { }
nonsense;
EOF

my @old = $t->workers;
is scalar @old, 1, 'one worker';
$t->reload;
ok $t->wait_exit(@old), 'a reload replaces it';
is $t->get('/402')->status, 402, 'and serves on';
$up->close_idle;
$up->forget;
$t->get('/402');
ok $up->untouched, 'a backend nobody talked to';

finish;
