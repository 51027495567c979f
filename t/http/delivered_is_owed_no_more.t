# SPDX-License-Identifier: Apache-2.0
# Content is delivered when its header and the first bytes of its body are with
# the kernel, and nothing broke on this side or at the backend afterwards. A
# client that leaves then has what it paid for; an upstream that breaks makes
# the content owed, whenever the money moved.

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
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /before/   { x402_settle before; proxy_pass http://%%BACKEND%%/; }
        location /stream/   { x402_settle before; proxy_buffering off; proxy_pass http://%%BACKEND%%/; }
        location /after/    { proxy_pass http://%%BACKEND%%/; }
        location /unheld/   { proxy_buffering off; proxy_pass http://%%BACKEND%%/; }
    }
}
EOF
my $content = 'SECRET ' x 30_000;
$t->start;

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';

    # --- the client reads all but the end, and leaves

    for my $path (qw(/before/most /stream/most /after/most /unheld/most)) {
        $up->on('/most', body => $content, hold_after => 150_000);
        $_->forget for $f, $up;
        my $payment = payment(unpaid($t, $path));
        my $c  = $t->connect(%via);
        my $id = $c->write_request(GET => $path, headers => [ header_of($payment) ]);
        ok $t->wait_for(sub { $c->rest(0.05); $c->raw =~ /SECRET SECRET/ }), "$p$path: content has begun" or diag substr($c->raw, 0, 400), length $c->raw;
        ok $h2 ? do { $c->reset($id); $c->ping } : $t->leave($c), "$p$path: the client leaves";
        $up->release('/most');
        sleep 0.2;
        my $r = paid($t, $path, payment => $payment, %via);
        is $r->status, 402, "$p$path: the payment is used" or diag $r->summary;
        is offer($r)->{error}, 'payment_already_used', "$p$path: and says so";
        is $f->calls('settle'), 1, "$p$path: settled once";
    }

    # --- the upstream breaks

    for my $path (qw(/before/half /stream/half /after/half /unheld/half)) {
        $up->on('/half', body => $content, hold_after => 120_000);
        $_->forget for $f, $up;
        my $payment = payment(unpaid($t, $path));
        my $c = $t->connect(%via);
        $c->write_request(GET => $path, headers => [ header_of($payment) ]);
        ok $t->wait_for(sub { $c->rest(0.05); $c->raw =~ /SECRET SECRET/ }), "$p$path: content has begun" or diag substr($c->raw, 0, 400), length $c->raw;
        my $owed = $t->log_count(qr/owed: charged, content not delivered/);
        $up->drop('/half');
        ok $t->wait_for(sub { $t->log_count(qr/owed: charged, content not delivered/) > $owed }), "$p$path: owed";
        $c->hang_up;
        $up->on('/half', body => $content);
        is_content paid($t, $path, payment => $payment, %via), $content, "$p$path: delivered whole";
        is $f->calls('settle'), 1, "$p$path: settled once";
    }
}

finish;
