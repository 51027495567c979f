# SPDX-License-Identifier: Apache-2.0
# x402_settle before: money first, one call, then content; a failure after that
# carries the receipt and is owed.

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
    x402_facilitator_timeout settle=1500ms;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_settle before;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /      { proxy_pass http://%%BACKEND%%; proxy_buffering off; }
        location /file/ { alias %%DIR%%/html/; }
        location /dear/ { internal; x402_price $5; proxy_pass http://%%BACKEND%%; }
        location /after/ { x402_settle after; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$up->on('*', body => "SECRET\n");
$up->on('/stream', body => 'SECRET', sse => 0, every => 0.01);
$up->on('/half', body => 'SECRET ' x 100, die_after => 300);
for (404, 408, 429, 500, 502, 503) { $up->on("/$_", status => $_, body => "failed $_") }
$t->start;

sub again ($path, $payment, %via) {
    $f->forget;
    return paid($t, $path, payment => $payment, %via);
}

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';

    # One call, before the upstream hears of it.
    $_->forget for $f, $up;
    $f->settle('hold');
    my $c  = $t->connect(%via);
    my $id = $c->write_request(GET => '/a', headers => pay_with($t, '/a'));
    $f->wait_calls(settle => 1);
    sleep 0.05;
    ok $up->hits == 0, "${p}nothing is made while settling";
    $f->settle('paid');
    $f->release;
    is_content $c->answer($h2 ? $id : ()), "SECRET\n", "${p}then content, with the receipt";
    is $f->order, 'settle', "${p}one call";

    my $payment = payment(unpaid($t, '/file/a'));
    is_content paid($t, '/file/a', payment => $payment, %via), "SECRET\n", "${p}a file";
    my $r = again('/file/a', $payment, %via);
    is $r->status, 402, "${p}once";
    is $f->calls, 0, "${p}and no more";

    # The client leaves after it paid and before anything was made: owed.
    $up->on('/late', body => "SECRET\n", hold => 1);
    my $left = payment(unpaid($t, '/late'));
    $c = $t->connect(%via);
    $id = $c->write_request(GET => '/late', headers => [ header_of($left) ]);
    $up->wait_count('/late', 1);
    $c->hang_up;
    $up->on('/late', body => "SECRET\n");
    my $owed;
    $t->wait_for(sub { $owed = again('/late', $left, %via); $owed->status != 409 });
    is_content $owed, "SECRET\n", "${p}left before the content: it is owed";
    is $f->calls, 0, "${p}and not settled again";

    # A stream streams.
    $c  = $t->connect(%via);
    $id = $c->write_request(GET => '/stream', headers => pay_with($t, '/stream'));
    $r  = $c->answer($h2 ? $id : (), until => qr/(?:SECRET.*){3}/s);
    ok receipt($r)->{success} && $r->body =~ /SECRET/, "${p}a stream";
    $c->abort;

    # refused, unknown: nothing is made
    $up->forget;
    $f->settle(refused => 'insufficient_funds');
    $payment = payment(unpaid($t, '/a'));
    is_refused paid($t, '/a', payment => $payment, %via), "${p}refused";
    for my $spec ([ 'close' ], [ status => 500, body => 'x' ], [ 'silent' ]) {
        $f->settle(@$spec);
        $payment = payment(unpaid($t, '/a'));
        $r = paid($t, '/a', payment => $payment, %via);
        is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', "${p}unknown: $spec->[0]";
        is $up->hits, 0, "${p}nothing is made";
        $f->settle('paid');
        is_content again('/a', $payment, %via), "SECRET\n", "${p}and settling again brings it";
        is $f->order, 'settle', "${p}in one call";
        $up->forget;
    }
    $f->settle(status => 429, body => '{}');
    $r = paid($t, '/a', %via);
    is $r->status, 503, "${p}status 429";
    is $up->hits, 0, "${p}nothing is made";
    $f->settle('paid');

    # Failures after the money: receipt, and the content is owed.
    for my $status (408, 429, 500, 502, 503) {
        $up->on("/$status", status => $status, body => "failed $status");
        $payment = payment(unpaid($t, "/$status"));
        $r = paid($t, "/$status", payment => $payment, %via);
        is $r->status, $status, "${p}$status passes";
        ok receipt($r) && receipt($r)->{success}, "${p}$status: with the receipt";
        $up->on("/$status", body => "SECRET\n");
        $r = again("/$status", $payment, %via);
        is_content $r, "SECRET\n", "${p}$status: made good";
        is $f->calls, 0, "${p}$status: without paying again";
        is again("/$status", $payment, %via)->status, 402, "${p}$status: once";
    }
    $payment = payment(unpaid($t, '/404'));
    $r = paid($t, '/404', payment => $payment, %via);
    is $r->status, 404, "${p}404 passes";
    ok receipt($r)->{success}, "${p}404: it was charged, and has its receipt";

    # What cannot be served says that it was charged, too.
    for my $case ([ switched => 502, '{"error":"upgrade_not_served","charged":true}', status => 101 ],
        [ redirected => 500, undef, headers => [ 'X-Accel-Redirect' => '/dear/a' ] ])
    {
        my ($name, $status, $body, @spec) = @$case;
        $up->on("/$name", @spec);
        my @from = (from => random_hex(20));
        $payment = payment(unpaid($t, "/$name"), @from);
        $r = paid($t, "/$name", payment => $payment, %via);
        is $r->status, $status, "${p}$name: $status";
        is $r->body, $body, "${p}$name: charged" if $body;
        ok receipt($r) && receipt($r)->{success}, "${p}$name: with the receipt";
        if ($body) {
            $r = paid($t, "/$name", payment => payment(unpaid($t, "/$name"), @from), %via);
            is $r->body, $body =~ s/true/false/r, "${p}$name: a new payment of its payer is not charged";
            is receipt($r), undef, "${p}$name: and has no receipt";
        }
        $up->on("/$name", body => "SECRET\n");
        is_content again("/$name", $payment, %via), "SECRET\n", "${p}$name: made good";
        is $f->calls, 0, "${p}$name: without paying again";
    }
    $t->log_like(qr/different price and is refused, its content owed/, "${p}the log says that it is owed");

    # The client who left while settling is owed, too.
    $f->settle('hold');
    $f->forget;
    $up->forget;
    $payment = payment(unpaid($t, '/b'));
    $c  = $t->connect(%via);
    $id = $c->write_request(GET => '/b', headers => [ header_of($payment) ]);
    $f->wait_calls(settle => 1);
    ok $t->leave($c), "${p}the client leaves";
    $f->settle('paid');
    $f->release;
    my $tx = $f->transaction(decoded($payment)->{payload}{authorization}{nonce});
    $t->log_like(qr/$tx/, "${p}settled without its client: a line in the log");
    $r = again('/b', $payment, %via);
    is_content $r, "SECRET\n", "${p}the content is owed";
    is $f->calls, 0, "${p}and not charged again";
}

# the other mode beside it
$f->forget;
is_content paid($t, '/after/a'), "SECRET\n", 'settle after';
is $f->order, 'verify settle', 'as usual';

finish;
