# SPDX-License-Identifier: Apache-2.0
# A worker that is killed takes no money and no payment with it.

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
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->allow(qr/exited on signal 9/);
$t->start;

sub kill_worker () {
    my ($old) = $t->workers or die 'no worker';
    kill KILL => $old;
    return $t->wait_for(sub { my @now = $t->workers; @now && $now[0] != $old });
}

sub send_payment ($path) {
    $_->forget for $f, $up;
    my $payment = payment(unpaid($t, $path));
    my $c = $t->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    return ($payment, $c);
}

# verifying: the payment is free again
$f->verify('hold');
my ($payment, $c) = send_payment('/a');
$f->wait_calls(verify => 1);
ok kill_worker(), 'killed while verifying';
$f->verify('ok');
$f->forget;
is_content paid($t, '/a', payment => $payment), "SECRET\n", 'the payment is good';
is $f->order, 'verify settle', 'from the beginning';

# content is made: the same
$up->on('/held', body => "SECRET\n", hold => 1);
($payment, $c) = send_payment('/held');
$up->wait_count('/held', 1);
ok kill_worker(), 'killed while content is made';
$up->on('/held', body => "SECRET\n");
$f->forget;
is_content paid($t, '/held', payment => $payment), "SECRET\n", 'the payment is good';
is $f->order, 'verify settle', 'from the beginning';

# settling: unknown, so it is tried again, with the same bytes
$f->settle('hold');
($payment, $c) = send_payment('/b');
$f->wait_calls(settle => 1);
my $sent = +($f->requests('settle'))[0]{body};
ok kill_worker(), 'killed while settling';
$f->settle('paid');
$_->forget for $f, $up;
my $r = paid($t, '/elsewhere', payment => $payment);
is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', 'elsewhere: unknown';
is_content paid($t, '/b', payment => $payment), "SECRET\n", 'the same payment finishes it';
is $f->order, 'settle', 'by settling again';
is +($f->requests('settle'))[0]{body}, $sent, 'with the same bytes';
is paid($t, '/b', payment => $payment)->status, 402, 'and is used';

# content is sent: what the client has is not all of it
my $content = 'SECRET ' x 30_000;
$up->on('/most', body => $content, hold_after => 150_000);
($payment, $c) = send_payment('/most');
ok $t->wait_for(sub { $c->rest(0.05); $c->raw =~ /SECRET SECRET/ }), 'content has begun';
ok kill_worker(), 'killed while content is sent';
$up->on('/most', body => $content);
is_content paid($t, '/most', payment => $payment), $content, 'the content is owed';
is $f->calls('settle'), 1, 'and settled once';
is paid($t, '/most', payment => $payment)->status, 402, 'and then it is used';

# delivered: still known
$payment = payment(unpaid($t, '/c'));
is_content paid($t, '/c', payment => $payment), "SECRET\n", 'a payment that was used';
kill_worker();
$f->forget;
is paid($t, '/c', payment => $payment)->status, 402, 'is known to the next worker';
is $f->calls, 0, 'which asks nobody';

# Killed while settling, and the facilitator knows that the nonce is used, but not by what.
for my $settle (qw(after before)) {
    my $path = "/$settle/used";
    $f->settle('hold');
    ($payment, $c) = send_payment($path);
    $f->wait_calls(settle => 1);
    ok kill_worker(), "$settle: killed when all of the settle had left";
    $f->settle(refused => 'invalid_exact_evm_nonce_already_used');
    $f->forget;
    my $r = paid($t, $path, payment => $payment);
    if ($settle eq 'after') {
        is $r->status . $r->body, "200SECRET\n", "$settle: verified, so it was this payment";
        is receipt($r)->{transaction}, '', "$settle: with a receipt that names no transaction";
    }
    else {
        is $r->status, 503, "$settle: never verified, so it proves nothing";
    }
}

finish;
