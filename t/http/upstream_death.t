# SPDX-License-Identifier: Apache-2.0
# Upstreams that die: not charged when it happens before settlement, and after
# it the client has its receipt.

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
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /buffered/   { proxy_pass http://%%BACKEND%%/; x402_settle_wait 1h; }
        location /cached/     { proxy_pass http://%%BACKEND%%/; x402_settle_wait 1h; proxy_cache cache; proxy_cache_valid 200 1h; }
        location /unbuffered/ { proxy_pass http://%%BACKEND%%/; proxy_buffering off; x402_settle_wait 1h; }
        location /quick/      { proxy_pass http://%%BACKEND%%/; x402_settle_wait 50ms; }
        location /slow/       { proxy_pass http://%%BACKEND%%/; proxy_read_timeout 300ms; x402_settle_wait 1h; }
    }
}
EOF
my $content = 'SECRET ' x 1000;
$up->on('/head', die => 'head');
$up->on('/middle', body => $content, die_after => 3000);
$up->on('/reset', body => $content, reset_after => 3000);
$up->on('/chunked', body => $content, die_after => 3000, chunked => 1);
$up->on('/hang', body => $content, hold_after => 3000);
$up->on('/long', body => $content, size => 500_000, die_after => 400_000);
$t->start;

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';

    for my $path (qw(/buffered/head /unbuffered/head
        /buffered/middle /buffered/reset /buffered/chunked /cached/middle /cached/chunked /slow/hang))
    {
        $f->forget;
        my $payment = payment(unpaid($t, $path));
        my $r = paid($t, $path, payment => $payment, %via);
        ok +($r->status == 502 || $r->status == 504 && $path =~ /hang/) && $r->complete
            && !$r->header('PAYMENT-RESPONSE'), "$p$path: an error" or diag $r->summary;
        no_trace $r, 'SECRET', "$p$path: no content";
        is $f->order, 'verify', "$p$path: not charged";

        is paid($t, $path, payment => $payment, %via)->status, $r->status, "$p$path: the payment is still good";
        is $f->order, 'verify verify', "$p$path: and was not kept";
    }

    # The cut answer of before is not served from the cache either.
    $up->forget;
    paid($t, '/cached/middle', %via);
    is $up->hits('/middle'), 1, "${p}a cut answer is not cached";

    # Settlement has started, the upstream dies before it is answered.
    for my $path (qw(/quick/hang /unbuffered/hang)) {
        for my $spec ([ 'paid' ], [ refused => 'insufficient_funds' ]) {
            $_->forget for $f, $up;
            $f->settle(@$spec % 2 ? (@$spec, 1) : @$spec, hold => 1);
            $up->on('/hang', body => $content, hold_after => 3000);
            my $c  = $t->connect(%via);
            my $id = $c->write_request(GET => $path, headers => pay_with($t, $path));
            ok $f->wait_calls(settle => 1), "$p$path: settling";
            $up->drop('/hang');
            sleep 0.05;
            $f->release('settle');
            my $r = $c->answer($h2 ? $id : ());
            if ($spec->[0] eq 'paid') {
                ok receipt($r) && receipt($r)->{success}, "$p$path, $spec->[0]: the receipt"
                    or diag $r->summary;
                ok !$r->complete || $r->status >= 500, "$p$path, $spec->[0]: and no pretence of being whole";
            }
            else {
                is $r->status, 402, "$p$path, $spec->[0]: 402";
                ok offer($r), "$p$path, $spec->[0]: offer";
                no_trace $c->raw, 'SECRET', "$p$path, $spec->[0]: no content";
            }
            $c->hang_up;
        }
    }
    $f->settle('paid');

    # More than is held, then death: paid for, begun, and visibly cut.
    my $r = paid($t, '/quick/long', %via);
    ok $r->status == 502 || !$r->complete, "${p}a long answer that is cut";
    is $r->header_count('PAYMENT-RESPONSE'), $r->status == 502 ? 0 : 1, "${p}has a receipt where it was charged";
}
$t->log_unlike(qr/header already sent/, 'no header twice');

finish;
