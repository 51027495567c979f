# SPDX-License-Identifier: Apache-2.0
# x402_pass: content that was paid for brings a pass, and requests that show it
# are free for a time or a number of requests, where it was bought and for what
# was paid. Everything else is asked for money.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(encode_base64 decode_base64);
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $bad  = '0x' . 'bad0' x 10;
my $text = <<'EOF';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price 0.01;
    x402_seal_key %%DIR%%/new.key;
    x402_pass time=1h requests=3;
    x402_ledger logs/ledger;
    map $http_x_tier $tiered { dear 5.00; default 0.01; }
    map $x402_payer $refused_payer { default 0; BAD 1; }
    log_format pass "$uri $x402_state $x402_payer $x402_pass_left $x402_pass_expires";
    server {
        access_log %%DIR%%/pass.log pass;
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_two%%;
        server_name shop other.example;
        add_header X-State "$x402_state $x402_reason $x402_pass_left" always;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /files/ { proxy_force_ranges on; proxy_pass http://%%BACKEND%%; }
        location /alice/ { location ~ \.mp3$ { proxy_pass http://%%BACKEND%%; } }
        location /bob/   { location ~ \.mp3$ { proxy_pass http://%%BACKEND%%; } }
        location /again/ { x402_settle before; x402_redeliver_key $http_x_who; x402_pass time=2s; proxy_pass http://%%BACKEND%%; }
        location /batch/ { x402_read_body 4k; x402_batch sum; proxy_pass http://%%BACKEND%%; }
        location = /one { x402_pass time=1h requests=3 scope=url; proxy_pass http://%%BACKEND%%; }
        location /url/  { x402_pass time=1h scope=url; proxy_pass http://%%BACKEND%%; }
        location /whole/a { x402_pass time=1h scope=server; proxy_pass http://%%BACKEND%%; }
        location /whole/b { x402_pass time=1h scope=server; proxy_pass http://%%BACKEND%%; }
        location /whole/dear { x402_price 1.00; x402_pass time=1h scope=server; proxy_pass http://%%BACKEND%%; }
        location /whole/cheap { x402_price 0.001; x402_pass time=1h scope=server; proxy_pass http://%%BACKEND%%; }
        location /whole/other { x402_pay_to 0x1111111111111111111111111111111111111111; x402_pass time=1h scope=server; proxy_pass http://%%BACKEND%%; }
        location /whole/real { x402_network base; x402_pass time=1h scope=server; proxy_pass http://%%BACKEND%%; }
        location /tier  { x402_price $tiered; proxy_pass http://%%BACKEND%%; }
        location /short { x402_pass time=5s; proxy_pass http://%%BACKEND%%; }
        location /header { x402_pass time=1h token=header; proxy_pass http://%%BACKEND%%; }
        location /cookie { x402_pass time=1h token=cookie; proxy_pass http://%%BACKEND%%; }
        location /none  { x402_pass off; proxy_pass http://%%BACKEND%%; }
        location /named { x402_pass time=1h scope=archive; proxy_pass http://%%BACKEND%%; }
        location /bound { x402_pass time=1h key=$http_x_device; proxy_pass http://%%BACKEND%%; }
        location /before { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /shadow { x402 shadow; proxy_pass http://%%BACKEND%%; }
        location /any   { satisfy any; deny all; proxy_pass http://%%BACKEND%%; }
        location /free  { x402 off; proxy_pass http://%%BACKEND%%; }
        location /deny  { x402_deny $refused_payer; proxy_pass http://%%BACKEND%%; }
        location /limit { x402_limit_payer zone=slow:64k rate=1r/m burst=1; proxy_pass http://%%BACKEND%%; }
        location /moved { try_files /nothing @app; }
        location @app   { x402_price 0.01; proxy_pass http://%%BACKEND%%; }
        location /moved-dear { try_files /nothing @dear; }
        location /moved-bare { try_files /nothing @bare; }
        location @bare  { x402_pass off; proxy_pass http://%%BACKEND%%; }
        location @dear  { x402_price 9.00; proxy_pass http://%%BACKEND%%; }
        location /full  { x402_pass time=1h requests=1 zone=tiny:32k; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name elsewhere;
        location / { x402_pass time=1h scope=server; proxy_pass http://%%BACKEND%%; }
        location /named { x402_pass time=1h scope=archive; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$text =~ s/BAD/$bad/;
my $t = nginx($text, facilitator => $f, backend => $up);
chmod 0600, $t->write("$_.key", substr($_, 0, 1) x 64 . "\n") for qw(new old);
$up->on('*', body => "SECRET\n");
$t->start;

sub pass_of ($r) { return scalar $r->header('X402-Pass') }
sub with ($path, $pass, @headers) {
    my %options = @headers && $headers[0] eq 'Host' ? (host => (splice @headers, 0, 2)[1]) : ();
    return $t->get($path, %options, headers => [ 'X402-Pass' => $pass, @headers ]);
}
sub ledger_lines () { return map { JSON::PP::decode_json($_) } split /\n/, X402::Nginx::_slurp($t->dir . '/logs/ledger') }
sub access_log () { return X402::Nginx::_slurp($t->dir . '/pass.log') }
sub is_free ($r, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $good = $r->status == 200 && $r->body eq "SECRET\n" && !$r->header_count('PAYMENT-RESPONSE')
        && ($r->header('Cache-Control') // '') eq 'private';
    return ok($good, $name) || diag $r->summary;
}
sub is_asked ($r, $reason, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $r->status . ' ' . ((offer($r) // {})->{error} // ''), "402 $reason", $name;
    no_trace $r, 'SECRET', "$name: no content";
}

# --- a pass is bought, used, and used up -------------------------------------------------

my $payer = '0x' . 'ab' x 20;
my $r = paid($t, '/files/a', change => { from => $payer });
is_content $r, "SECRET\n", 'paid';
my $pass = pass_of($r);
ok $pass && length $pass < 400, 'with a pass';
is $r->header('X-State'), 'settled  3', 'that is good for three requests';
my ($cookie) = $r->header('Set-Cookie');
like $cookie, qr{\Ax402_pass_[0-9a-f]{8}=[A-Za-z0-9+/=]+; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax\z}, 'and a cookie';
my ($pair) = $cookie =~ /\A([^;]+)/;

$f->forget;
is_free with('/files/b', $pass), 'a page asset';
is_free $t->get('/files/c', headers => [ Cookie => "a=b; $pair; c=d" ]), 'by cookie';
$r = $t->ask('HEAD', '/files/a', headers => [ 'X402-Pass' => $pass ]);
is $r->status . ' ' . $r->header('X-State'), '200 pass  0', 'a HEAD counts too';
is $f->order, '', 'no facilitator was asked';
is_asked with('/files/a', $pass), 'pass_used_up', 'the fourth';
is_asked $t->get('/files/a', headers => [ Cookie => $pair ]), 'pass_used_up', 'nor by cookie';
my @seen = grep { $_->{path} =~ m{^/files/} } $up->requests;
is scalar(grep { grep { /x402-pass/i } keys $_->{headers}->%* } @seen), 0, 'the backend sees no pass in a header';

my @events;
$t->wait_for(sub { @events = grep { $_->{resource} =~ m{/files/} } ledger_lines(); @events >= 5 });
is join(' ', map { $_->{event} } @events), 'settled delivered returned returned returned', 'the ledger has what left by the pass, and not what did not';
is_deeply { map { $_ => $events[2]{$_} } qw(payer method reason delivered amount payment_id transaction network) }, {
    payer => $payer, method => 'GET', reason => 'pass', delivered => JSON::PP::true(), amount => undef, payment_id => undef,
    transaction => undef, network => undef }, 'by whom, and that no money moved';
like $events[2]{request_id}, qr/^[0-9a-f]{32}$/, 'with the id of its request';
like $events[2]{resource}, qr{^http://localhost(?::\d+)?/files/b$}, 'and its URL';

my ($line) = grep { m{^/files/b } } split /\n/, access_log();
like $line, qr{\A/files/b pass $payer 2 \d{10}\z}, 'variables';

# A request without content is not counted.
$pass = pass_of(paid($t, '/files/a'));
$up->on('/files/404', status => 404, body => 'none');
$up->on('/files/304', status => 304, body => '');
is with('/files/404', $pass)->status, 404, 'content that is not there' for 1 .. 5;
is with('/files/304', $pass)->status, 304, 'nor modified' for 1 .. 5;
is with('/files/a', $pass)->header('X-State'), 'pass  2', 'is not counted';

$pass = pass_of(paid($t, '/files/a'));
is with('/files/ranged', $pass, Range => 'bytes=999-')->status, 416, 'a part that is not there' for 1 .. 3;
is_asked with('/files/a', $pass), 'pass_used_up', 'has made the backend work';

# A client that hangs up has made the backend work.
$pass = pass_of(paid($t, '/files/a'));
$up->on('/files/slow', body => "SECRET\n", hold => 1);
for my $n (1 .. 3) {
    my $c = $t->connect;
    $c->write_request(GET => '/files/slow', headers => [ 'X402-Pass' => $pass ]);
    $up->wait_count('/files/slow', $n);
    $t->leave($c);
}
$t->wait_for(sub { !grep { !$_->{gone} } $up->requests('/files/slow') });
is_asked with('/files/a', $pass), 'pass_used_up', 'and is counted';

# Locations of one name, in others.
$pass = pass_of(paid($t, '/alice/a.mp3'));
is_free with('/alice/b.mp3', $pass), 'a location in another';
is_asked with('/bob/b.mp3', $pass), 'pass_for_another_place', 'not its namesake elsewhere';

# A batch is as many requests as it has elements.
my @three = (method => 'POST', body => '[{},{},{}]');
$pass = pass_of(paid($t, '/batch/', @three, payment => payment(offer($t->ask(POST => '/batch/', @three[2, 3])))));
my @shown = (headers => [ 'X402-Pass' => $pass ]);
is_free $t->ask(POST => '/batch/', body => '[{},{}]', @shown), 'a batch of two';
is_asked $t->ask(POST => '/batch/', body => '[{},{}]', @shown), 'pass_used_up', 'another one is too much';
is_free $t->ask(POST => '/batch/', body => '[{}]', @shown), 'one is left';

# A repeated delivery sells nothing.
$up->on('/again/cut', body => 'x', size => 100, die_after => 10);
my $owed  = payment(unpaid($t, '/again/cut'));
my @again = (payment => $owed, headers => [ 'X-Who' => 'me' ]);
ok pass_of(paid($t, '/again/cut', @again)), 'content that broke off brings a pass';
sleep 3.1;
$r = paid($t, '/again/cut', @again);
is $r->status . (pass_of($r) // ' no pass') . ($r->header('Set-Cookie') // ''), '200 no pass', 'delivered again when the first is over, it brings none';

# At once: no more than it is good for.
$pass = pass_of(paid($t, '/files/a'));
my @open = map { my $c = $t->connect; $c->write_request(GET => '/files/a', headers => [ 'X402-Pass' => $pass ]); $c } 1 .. 12;
is scalar(grep { $_->answer->status == 200 } @open), 3, 'many at once share the count';

# --- theft ------------------------------------------------------------------------------------

$pass = pass_of(paid($t, '/'));
is_free with('/', $pass), 'good where it was bought';
is_asked with('/files/a', $pass), 'pass_for_another_place', 'another location';
is_asked with('/one', $pass), 'pass_for_another_place', 'an exact one';
is_asked with('/', $pass, Host => 'other.example'), 'pass_for_another_place', 'another host of the server';
is_asked $t->ask('GET', '/', port => 'two', headers => [ 'X402-Pass' => $pass ]), 'pass_for_another_place', 'another port';
is_asked with('/', $pass, Host => 'elsewhere'), 'pass_for_another_place', 'another server';
is_asked with('/none', $pass), 'Payment required', 'a location without passes';
my $bytes = decode_base64($pass);
for my $at (0, 1, 9, 20, 40, 80, 120, length($bytes) - 1) {
    substr(my $forged = $bytes, $at, 1) ^.= "\x01";
    is_asked with('/', encode_base64($forged, '')), 'pass_invalid', "forged at $at";
}
is_asked with('/', $_), 'pass_malformed', 'no pass: ' . substr $_, 0, 20 for 'x', '%%%', 'A' x 5000, encode_base64('short', '');
is_asked with('/', ''), 'pass_malformed', 'an empty one';
is_free $t->get('/', headers => [ 'X402-Pass' => 'x', 'X402-Pass' => $pass ]), 'a good one beside a bad one';

$pass = pass_of(paid($t, '/url/a?x=1'));
is_free with('/url/a?x=1', $pass), 'one URL, as often as wanted' for 1 .. 5;
is_free $t->ask('GET', '/url/a?x=1', headers => [ 'X402-Pass' => $pass, Range => 'bytes=2-' ]), 'a range';
is_asked with('/url/a?x=2', $pass), 'pass_for_another_place', 'another query';
is_asked with('/url/b', $pass), 'pass_for_another_place', 'another path';
like paid($t, '/url/a?x=1')->header('Set-Cookie'), qr{; Path=/url/a; }, 'its cookie is sent there only';

# --- price --------------------------------------------------------------------------------------

$pass = pass_of(paid($t, '/whole/a'));
is_free with('/whole/b', $pass), 'the whole server';
is_free with('/whole/cheap', $pass), 'what costs less';
is_asked with('/whole/dear', $pass), 'pass_for_another_price', 'not what costs more';
is_asked with('/whole/other', $pass), 'pass_for_another_price', 'nor what another receiver sells';
is_asked with('/whole/real', $pass), 'pass_for_another_price', 'nor what costs real money';
$pass = pass_of(paid($t, '/tier'));
is_free with('/tier', $pass), 'a price from a variable';
is_asked with('/tier', $pass, 'X-Tier' => 'dear'), 'pass_for_another_price', 'that is another one now';
$pass = pass_of(paid($t, '/named'));
is_free with('/named', $pass, Host => 'elsewhere'), 'a name spans servers';
$pass = pass_of(paid($t, '/bound', headers => [ 'X-Device' => 'mine' ]));
is_free with('/bound', $pass, 'X-Device' => 'mine'), 'bound to what the client shows';
is_asked with('/bound', $pass, 'X-Device' => 'thine'), 'pass_for_another_place', 'a thief shows something else';
is_asked with('/bound', $pass), 'pass_for_another_place', 'or nothing';

# --- ways to carry it -----------------------------------------------------------------------------

$r = paid($t, '/header');
is_deeply [ $r->header_count('X402-Pass'), $r->header_count('Set-Cookie') ], [ 1, 0 ], 'header only';
$r = paid($t, '/cookie');
is_deeply [ $r->header_count('X402-Pass'), $r->header_count('Set-Cookie') ], [ 0, 1 ], 'cookie only';
($pair) = $r->header('Set-Cookie') =~ /\A([^;]+)/;
is_free $t->get('/cookie', headers => [ Cookie => $pair ]), 'and back';
(my $in_header) = $pair =~ /=(.*)/;
is_free with('/cookie', $in_header), 'in a header, too';
is_asked $t->get('/header', headers => [ Cookie => $pair ]), 'Payment required', 'no cookie where there is none';

# --- when one is issued ------------------------------------------------------------------------------

is pass_of($t->get('/files/a')), undef, 'not with a 402';
$up->on('/files/broken', status => 500, body => 'x');
$r = paid($t, '/files/broken');
is $r->status . (pass_of($r) // ''), 500, 'not with content that failed';
$f->settle_once(refused => 'insufficient_funds');
$r = paid($t, '/files/a');
is $r->status . (pass_of($r) // ''), 402, 'not with a settlement that is refused';
$r = paid($t, '/before');
ok pass_of($r), 'where money moves first';
$up->on('/before/broken', status => 503, body => 'x');
$r = paid($t, '/before/broken');
is $r->status . (pass_of($r) // ''), 503, 'not with content that is owed';
is $r->header_count('Set-Cookie'), 0, 'in any way';
$f->settle_once('paid', with => { transaction => '' });
$r = paid($t, '/files/a');
is $r->status . (pass_of($r) // ''), 200, 'not under a receipt without a transaction';
is pass_of($t->get('/shadow')), undef, 'not where prices are only tried';
is pass_of($t->get('/free')), undef, 'not where nothing is sold';

# The content of one payment delivered twice: one count.
my $payment = payment(unpaid($t, '/before/cut'));
$up->on('/before/cut', body => 'x', size => 100, die_after => 10);
my $first = pass_of(paid($t, '/before/cut', payment => $payment));
$up->on('/before/cut', body => "SECRET\n");
$r = paid($t, '/before/cut', payment => $payment);
is $r->status, 200, 'owed content';
my $second = pass_of($r);
ok $first && $second, 'both answers bring a pass';
is_free with('/before', $_ % 2 ? $first : $second), 'two texts' for 1 .. 3;
is_asked with('/before', $_), 'pass_used_up', 'are one pass' for $first, $second;

# --- rules about payers, redirects -----------------------------------------------------------------------

$pass = pass_of(paid($t, '/deny', change => { from => $payer }));
is_free with('/deny', $pass), 'a payer that is served';
$t->conf($text =~ s/\Q$bad\E 1/$payer 1/r)->reload;
$r = with('/deny', $pass);
is $r->status . $r->body, '403{"error":"payer_refused","charged":false}', 'and no longer';
$t->conf($text)->reload;
$pass = pass_of(paid($t, '/limit'));
is_free with('/limit', $pass), 'as fast as payers may be';
is with('/limit', $pass)->status, 429, 'and no faster';

$pass = pass_of(paid($t, '/any'));
is_free with('/any', $pass), 'as good as a payment for satisfy any';
is $t->get('/any')->status, 402, 'which asks for one of both';
$t->allow(qr/access forbidden by rule/);
$pass = pass_of(paid($t, '/moved'));
is_free with('/moved', $pass), 'try_files into a location with the same price';
is with('/moved', $pass)->header('X-State'), 'pass  1', 'is one request';
$pass = pass_of(paid($t, '/files/a'));
$pass = pass_of(paid($t, '/moved-bare'));
is_free with('/moved-bare', $pass), 'into one with the same price that knows no passes';
is with('/moved-bare', $pass)->header('X-State'), 'pass  1', 'is one request, too';
is $t->get('/moved-dear', headers => [ 'X402-Pass' => $pass ])->status, 402, 'into one with another price';

# --- time, keys, the zone ------------------------------------------------------------------------------------

$pass = pass_of(paid($t, '/short'));
is_free with('/short', $pass), 'for five seconds';
sleep 6.1;
is_asked with('/short', $pass), 'pass_expired', 'and no longer';

$pass = pass_of(paid($t, '/url/a'));
$t->conf($text =~ s{new\.key}{old.key}r)->reload;
is_asked with('/url/a', $pass), 'pass_invalid', 'another key';
$t->conf($text =~ s{(x402_seal_key )(\S+)new\.key}{$1$2old.key $2new.key}r)->reload;
is_free with('/url/a', $pass), 'the old key beside the new one';
$t->conf($text)->reload;
is_free with('/url/a', $pass), 'a reload keeps it';
# key_file= of the pass itself, and a number without a time.
my $own = $text =~ s{x402_pass time=1h requests=3;}{x402_pass requests=3 key_file=%%DIR%%/old.key;}r;
$pass = pass_of(paid($t, '/files/a'));
$t->conf($own)->reload;
is_asked with('/files/a', $pass), 'pass_invalid', 'key_file= replaces x402_seal_key';
my $sold = pass_of($r = paid($t, '/files/a'));
like $r->header('Set-Cookie'), qr/Max-Age=2592000;/, 'a number alone is good for 30 days';
is_free with('/files/a', $sold), 'sealed with its key';
$t->conf($own =~ s{(key_file=\S+old\.key)}{key_file=%%DIR%%/new.key $1}r)->reload;
is_free with('/files/a', $sold), 'the second key opens, too';
$t->conf($text)->reload;

$pass = pass_of(paid($t, '/files/a'));
$t->reload;
is_free with('/files/a', $pass), 'and its count';
$t->stop; $t->start;
is_asked with('/files/a', $pass), 'pass_not_known', 'a restart does not: asked for money, not given away';

my @issued = map { scalar pass_of(paid($t, '/full')) } 1 .. 900;
my @good = grep { defined } @issued;
ok @good < 900 && @good > 700, 'a full zone issues no pass: ' . @good;
is_free with('/full', $good[0]), 'and forgets none';
is_free with('/full', $good[-1]), 'of those that it has';
$t->log_like(qr/content is sent without a pass: zone "tiny" is full of valid passes; make it larger/, 'the log says what to do');
cmp_ok $t->log_count(qr/content is sent without a pass/), '<=', 4, 'once a minute in each worker';

for my $secret ('n' x 64, 'o' x 64, $pass, $first // ()) {
    is index($t->log . access_log() . X402::Nginx::_slurp($t->dir . '/logs/ledger'), $secret), -1, 'no secret in a log';
}

finish;
