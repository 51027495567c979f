# SPDX-License-Identifier: Apache-2.0
# A settle call goes on the wire once. HTTP clients like to repeat a request
# whose kept connection died under it; here that would be a second settlement.
# Runs with both transports.

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
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; root %%DIR%%/html; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

sub unknown ($answer, $name) {
    is $answer->status, 503, "$name: 503";
    is $answer->body, '{"error":"settlement_unknown","charged":"unknown"}', "$name: unknown";
    no_trace $answer, 'SECRET', "$name: no content";
    is $f->calls('settle'), 1, "$name: one settle seen";
    return;
}

# verify and settle share a connection; settle is read, and the connection closed.
for my $spec ([ 'stale' ], [ 'close' ], [ 'reset' ]) {
    is_content paid($t, '/a'), "SECRET\n", 'a connection is kept';
    $f->forget;
    $f->settle(@$spec);
    my $payment = payment(unpaid($t, '/a'));
    unknown paid($t, '/a', payment => $payment), $spec->[0];
    sleep 0.2;
    is $f->calls('settle'), 1, "$spec->[0]: and it stays one";
    $f->settle('paid');
    is_content paid($t, '/a', payment => $payment), "SECRET\n", "$spec->[0]: until it is presented again";
}

# The facilitator has closed its idle connections: that is not a failure.
is_content paid($t, '/a'), "SECRET\n", 'a connection is kept';
$f->close_idle;
$f->forget;
is_content paid($t, '/a'), "SECRET\n", 'a closed idle connection is replaced';
is $f->order, 'verify settle', 'each call once';

# A verify may be repeated, but an answer has to come of it.
$f->forget;
$f->verify('stale');
my $r = paid($t, '/a');
ok $r->status == 200 || $r->status == 502, 'a verify on a dying connection';
cmp_ok $f->calls('verify'), '<=', 2, 'at most twice';
$f->verify('ok');

# An answer that comes after the deadline is not taken for that of the next call.
done_late();

finish;

sub done_late () {
    $t->conf(<<'EOF');
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_price $0.01;
        location /        { root %%DIR%%/html; }
        location /verify/ { x402_facilitator_timeout verify=100ms; alias %%DIR%%/html/; }
        location /settle/ { x402_facilitator_timeout settle=100ms; alias %%DIR%%/html/; }
    }
}
EOF
    $t->wait_exit($t->reload);
    for my $what (qw(verify settle)) {
        $f->$what('hold');
        my $late = paid($t, "/$what/a");
        is $late->status, $what eq 'verify' ? 504 : 503, "$what is late";
        $f->$what($what eq 'verify' ? (invalid => 'x') : (refused => 'insufficient_funds'));
        $f->release;
        my $next = paid($t, '/a');
        is $next->status, 402, "$what: the next payment gets its own answer";
        $f->$what('ok');
        is_content paid($t, '/a'), "SECRET\n", "$what: and so does the one after";
    }
    return;
}
