# SPDX-License-Identifier: Apache-2.0
# x402_notify: a background subrequest after verify, settlement and failure, which
# knows the payment, and which neither delays nor fails the answer.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Fast;

my ($f, $up, $hook) = (facilitator(), backend(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { HOOK => $hook->address });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    log_format state "$request_uri $status $x402_state $x402_transaction";
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        access_log %%DIR%%/state.log state;
        x402_price $0.01;
        x402_notify verify  /told/verify;
        x402_notify settle  /told/settle?kind=money;
        x402_notify failure /told/failure;
        location /          { proxy_pass http://%%BACKEND%%; }
        location /file      { alias %%DIR%%/html/file; }
        location /before    { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /off       { x402_settle off; proxy_pass http://%%BACKEND%%; }
        location /quiet     { x402_notify off; proxy_pass http://%%BACKEND%%; }
        location /own       { x402_notify settle /told/own; x402_notify settle /told/twice; proxy_pass http://%%BACKEND%%; }
        location /broken    { x402_notify settle /none; proxy_pass http://%%BACKEND%%; }
        location /closing   { x402_notify verify /close; proxy_pass http://%%BACKEND%%; }
        location = /close   { internal; x402 off; return 444; }
        location /dear      { x402_notify settle /dear/hook; proxy_pass http://%%BACKEND%%; }
        location /page      { error_page 402 /words; proxy_pass http://%%BACKEND%%; }
        location = /words   { internal; x402 off; return 200 "words"; }
        location = /none    { internal; x402 off; proxy_pass http://127.0.0.1:%%PORT_nobody%%; }
        location = /dear/hook { x402_price $5; proxy_pass http://%%HOOK%%; }
        location /told/ {
            internal;
            x402 off;
            proxy_pass http://%%HOOK%%;
            proxy_set_header X-State $x402_state;
            proxy_set_header X-Payer $x402_payer;
            proxy_set_header X-Amount $x402_amount;
            proxy_set_header X-Transaction $x402_transaction;
            proxy_set_header X-Reason $x402_reason;
            proxy_set_header X-Path $request_uri;
        }
    }
}
EOF
$t->write('html/file', "FILE\n");
$up->on('*', body => "SECRET\n");
$t->start;

# What the hook was told: "path state reason". Each comes on a connection of its own, so
# the order of two is not known: verify is named first.
sub hooks () { return sort { ($b->{path} =~ /verify/) <=> ($a->{path} =~ /verify/) } $hook->requests }
sub told ($count) {
    $t->wait_for(sub { $hook->hits >= $count });
    return join ', ', map {
        my $h = $_->{headers};
        join ' ', $_->{path}, grep { defined && length } $h->@{qw(x-state x-reason)};
    } hooks();
}
sub forget () { $_->forget for $f, $up, $hook; return }
sub headers ($n) { return +(hooks())[$n]{headers} }

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';

    forget();
    is $t->get('/a', %via)->status, 402, "${p}unpaid";
    my $payment = payment(unpaid($t, '/a'));
    my $who = decoded($payment)->{payload}{authorization};
    is_content paid($t, '/a', payment => $payment, %via), "SECRET\n", "${p}paid";
    is told(2), '/told/verify verified, /told/settle?kind=money settled', "${p}verify and settle are told, unpaid is not";
    is headers(0)->{'x-payer'}, $who->{from}, "${p}who";
    is headers(0)->{'x-amount'}, '10000', "${p}how much";
    is headers(0)->{'x-transaction'}, undef, "${p}no transaction yet";
    is headers(1)->{'x-transaction'}, $f->transaction($who->{nonce}), "${p}then there is";
    is headers(1)->{'x-path'}, '/a', "${p}for what";

    # A request with a body lends none of it.
    forget();
    is paid($t, '/a', method => 'POST', body => 'x' x 5000, %via)->status, 200, "${p}a request with a body";
    is told(2), '/told/verify verified, /told/settle?kind=money settled', "${p}is told of";
    is +(headers(0)->{'content-length'} // 0) + (headers(1)->{'content-length'} // 0), 0, "${p}without it";
    is +($up->requests)[0]{body}, 'x' x 5000, "${p}and the backend has all of it";

    forget();
    is paid($t, '/file', %via)->body, "FILE\n", "${p}a file";
    is told(2), '/told/verify verified, /told/settle?kind=money settled', "${p}a file: the same";

    forget();
    is paid($t, '/before', %via)->status, 200, "${p}settled before";
    is told(1), '/told/settle?kind=money settled', "${p}settled before: one event";

    forget();
    is paid($t, '/off', %via)->status, 200, "${p}never settled";
    is told(1), '/told/verify verified', "${p}never settled: one event";

    # failures
    forget();
    $f->verify(invalid => 'insufficient_funds');
    is paid($t, '/a', %via)->status, 402, "${p}refused";
    is told(1), '/told/failure refused insufficient_funds', "${p}refused: with the reason";
    forget();
    is paid($t, '/page', %via)->body, 'words', "${p}refused, with a page";
    is told(1), '/told/failure refused insufficient_funds', "${p}refused, with a page: told once";
    forget();
    $f->verify(status => 500, body => 'x');
    is paid($t, '/a', %via)->status, 502, "${p}a facilitator that fails";
    is told(1), '/told/failure failed facilitator_failed', "${p}a facilitator that fails: told";
    $f->verify('ok');
    for ([ [ refused => 'insufficient_funds' ], 402, 'refused insufficient_funds' ], [ ['close'], 503, 'unknown settlement_unknown' ]) {
        my ($settle, $status, $word) = @$_;
        forget();
        $f->settle(@$settle);
        is paid($t, '/a', %via)->status, $status, "${p}settle $settle->[0]";
        is told(2), "/told/verify verified, /told/failure $word", "${p}settle $settle->[0]: told";
    }
    $f->settle('paid');

    # levels
    forget();
    is paid($t, '/quiet', %via)->status, 200, "${p}off";
    is paid($t, '/own', %via)->status, 200, "${p}own ones";
    is join(', ', sort split /, /, told(2)), '/told/own settled, /told/twice settled', "${p}off is off, own ones replace the others";

    # Its result is ignored.
    forget();
    is_content paid($t, '/broken', %via), "SECRET\n", "${p}nobody there: content all the same";
    is_content paid($t, '/closing', %via), "SECRET\n", "${p}a hook that ends connections: content all the same";
    is_content paid($t, '/dear', %via), "SECRET\n", "${p}a hook that costs money: content all the same";
    for my $bad ([ status => 500, body => 'no' ], [ die => 'head' ], [ body => 'x' x 100, die_after => 10 ], [ status => 402, body => '' ]) {
        forget();
        $hook->on('*', @$bad);
        is_content paid($t, '/a', %via), "SECRET\n", "${p}the hook answers $bad->[0] $bad->[1]";
        told(2);
    }
    is $hook->hits, 2, "${p}and is asked again";
    forget();
    $hook->on('*', hold => 1);
    my $at_once = sub ($path, $status, $name) {
        my $c = $t->connect(%via);
        my $id = $c->write_request(GET => $path, headers => pay_with($t, $path));
        my $r = $c->answer($h2 ? $id : ());
        ok $r->status == $status && $r->complete && $r->seconds < 20, "${p}a hook that does not answer, $name"
            or diag $r->summary;
    };
    $at_once->('/a', 200, 'settled after');
    $at_once->('/before', 200, 'settled before');
    $f->verify(invalid => 'insufficient_funds');
    $at_once->('/a', 402, 'refused');
    $f->verify('ok');
    $hook->on('*', body => 'ok');
    $hook->release($_) for qw(/told/verify /told/settle /told/failure);
}

# The client leaves while the hook is busy, and while its payment is settled.
forget();
$hook->on('*', hold => 1);
my $c = $t->connect;
$c->write_request(GET => '/a', headers => pay_with($t, '/a'));
$hook->wait_count('/told/verify', 1);
$c->abort;
$f->settle('hold');
my $payment = payment(unpaid($t, '/a'));
$c = $t->connect;
$c->write_request(GET => '/a', headers => [ header_of($payment) ]);
my $nonce = decoded($payment)->{payload}{authorization}{nonce};
ok $t->wait_for(sub { grep { index($_->{body}, $nonce) >= 0 } $f->requests('settle') }), 'a payment is being settled';
# The worker learns of both at once, and in this order.
my ($worker) = $t->workers or die 'no worker';
kill STOP => $worker;
$c->abort;
$f->settle('paid');
$f->release;
kill CONT => $worker;
$t->log_like(qr/paid, content owed/, 'a client that left while settling: in the log');
$hook->on('*', body => 'ok');
$hook->release($_) for qw(/told/verify /told/settle);
is paid($t, '/a', payment => $payment)->status, 200, 'and is served later';

# A response of the module does not freeze the values in the log.
my $log = '';
$t->wait_for(sub {
    open my $file, '<', $t->dir . '/state.log' or return 0;
    $log = join '', <$file>;
    return $log =~ m{^/before }m;
});
like $log, qr{^/a 200 settled 0x}m, 'the access log says how it ended';
unlike $log, qr{^/a 200 verified}m, 'and not how it stood when it was told';

like $t->config_error("%%GLOBALS%%\nevents { }\nhttp { x402_notify $_; }\n"), qr/verify, settle or failure|must be a path|off/, "x402_notify $_"
    for 'paid /a', 'settle a', 'settle @a', 'settle /a$b', 'on', 'settle http://a/';

finish;
