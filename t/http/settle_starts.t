# SPDX-License-Identifier: Apache-2.0
# When settle starts: an ordinary answer is complete first, and nothing waits
# without end, for any upstream.

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
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        location /patient/    { proxy_pass http://%%BACKEND%%/; x402_settle_wait 1h; x402_settle_buffer 64k; }
        location /unbuffered/ { proxy_pass http://%%BACKEND%%/; x402_settle_wait 1h; proxy_buffering off; }
        location /quick/      { proxy_pass http://%%BACKEND%%/; x402_settle_wait 100ms; x402_settle_buffer 8k; }
        location /wide/       { proxy_pass http://%%BACKEND%%/; x402_settle_wait 100ms; x402_settle_buffer 100m; }
        location /full/ {
            proxy_pass http://%%BACKEND%%/;
            proxy_max_temp_file_size 64k;
            proxy_temp_file_write_size 32k;
            x402_settle_wait 100ms;
        }
        location /default/    { proxy_pass http://%%BACKEND%%/; }
    }
}
EOF

my $line = 'SECRET ' . 'x' x 56 . "\n";
$up->on('/half', body => $line x 100, hold_after => 700);
$up->on('/head', body => $line x 100, hold_after => 0);
$up->on('/endless', body => $line, endless => 1);
$up->on('/ticks', body => 'SECRET', sse => 0, every => 0.02);
$up->on('/5m', body => $line, size => 5 * 1024 * 1024);
$up->on('/5mc', body => $line, size => 5 * 1024 * 1024, chunked => 1);
$t->start;

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2' : 'HTTP/1.1';

    my $begin = sub ($path) {
        $f->forget;
        $up->forget;
        my $c = $t->connect(%via);
        my $id = $c->write_request(GET => $path, headers => pay_with($t, $path));
        return ($c, $h2 ? ($id) : ());
    };

    # A buffered answer of known size is settled when it is there.
    my ($c, @id) = $begin->('/patient/half');
    ok $up->wait_count('/half', 1), "$p: half of an answer";
    sleep 0.15;
    is $f->calls('settle'), 0, "$p: is not settled";
    is $c->rest(0.02) =~ /SECRET/, '', "$p: nor sent";
    $up->release;
    my $r = $c->answer(@id);
    is_content $r, $line x 100, "$p: the whole is";

    # ... or when the wait is over.
    for my $path ('/quick/half', '/wide/half', '/quick/head', '/wide/head') {
        ($c, @id) = $begin->($path);
        ok $f->wait_calls(settle => 1), "$p: $path is settled after the wait";
        $up->release;
        is_content $c->answer(@id), $line x 100, "$p: $path: content";
    }

    # Unbuffered: with the first byte, so that a stream streams.
    ($c, @id) = $begin->('/unbuffered/half');
    ok $f->wait_calls(settle => 1), "$p: the first byte of an unbuffered answer settles it";
    $r = $c->answer(@id, until => qr/SECRET/);
    is $r->status, 200, "$p: and what is there is sent";
    $up->release;
    my $all = $h2 ? $c->answer(@id)->body : $r->body;
    ok $t->wait_for(sub { $all .= $c->rest(0.02) if !$h2; $all =~ /(?:SECRET x+\n){100}/ }), "$p: and the rest";

    # Endless answers, paid and refused.
    for my $path (map { ("/$_/endless", "/$_/ticks") } qw(unbuffered quick wide full default)) {
        $f->settle('paid');
        ($c, @id) = $begin->($path);
        $r = $c->answer(@id, until => qr/SECRET/);
        ok $r->status == 200 && $r->body =~ /SECRET/ && receipt($r)->{success}, "$p: $path, paid"
            or diag $r->summary;
        $c->abort;
        ok $up->wait_gone($path =~ s{\A/[^/]*}{}r), "$p: $path: the backend is let go";

        $f->settle(refused => 'insufficient_funds');
        ($c, @id) = $begin->($path);
        $r = $c->answer(@id);
        is_refused $r, "$p: $path, refused";
        cmp_ok $r->seconds, '<', 20, "$p: $path: in time";
        no_trace $c->raw, 'SECRET', "$p: $path: no content";
        ok $up->wait_gone($path =~ s{\A/[^/]*}{}r), "$p: $path: the backend is let go again";
        $c->hang_up;
    }
    $f->settle('paid');

    # A body larger than nginx may put on disk.
    for my $path ('/full/5m', '/full/5mc') {
        $f->settle('paid');
        is_content paid($t, $path, %via), $line x (5 * 1024 * 1024 / 64), "$p: $path, paid";
        $f->settle(refused => 'insufficient_funds');
        $r = paid($t, $path, %via);
        is_refused $r, "$p: $path, refused";
        no_trace $r, 'SECRET', "$p: $path: no content";
    }
    $f->settle('paid');
}

finish;
