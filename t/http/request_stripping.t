# SPDX-License-Identifier: Apache-2.0
# The payment is between client and money: no upstream, subrequest or script
# behind the paid location sees it, in any spelling of its name.

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
    underscores_in_headers on;
    log_format seen "seen [$http_payment_signature] [$http_x_payment]";
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        location /paid/ {
            x402_price $0.01;
            access_log %%DIR%%/logs/access.log seen;
            proxy_set_header X-Seen "[$http_payment_signature]";
            proxy_pass http://%%BACKEND%%;
            location /paid/auth/    { auth_request /check; proxy_pass http://%%BACKEND%%; }
            location /paid/mirror/  { mirror /copy; proxy_pass http://%%BACKEND%%; }
            location /paid/forward/ { x402_forward_payment on; proxy_pass http://%%BACKEND%%; }
            location /paid/off/     { x402 off; proxy_pass http://%%BACKEND%%; }
            location /paid/get/     { x402_methods GET; proxy_pass http://%%BACKEND%%; }
        }
        location /free/ { proxy_pass http://%%BACKEND%%; }
        location /check { proxy_pass http://%%BACKEND%%; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
        location /copy  { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

my @names = qw(PAYMENT-SIGNATURE X-PAYMENT PAYMENT-REQUIRED PAYMENT-RESPONSE X-PAYMENT-RESPONSE);

# What upstreams were sent that has to do with payments.
sub leaked () {
    return join ' ', map { my $h = $_->{headers}; grep { /payment/i } keys %$h } $up->requests;
}

my $payment = sub { payment(unpaid($t, '/paid/a')) };
for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $name = $h2 ? 'HTTP/2: ' : '';
    $up->forget;
    my @others = map { ($_ => 'e30=') } grep { $_ ne 'PAYMENT-SIGNATURE' } @names;
    my $r = $t->get('/paid/a', %via, headers => [
        'X-First' => '1', @others, 'X-Middle' => '2', 'PAYMENT-SIGNATURE' => $payment->(), 'X-Last' => '3' ]);
    is_content $r, "answer to /paid/a\n", "${name}paid";
    is leaked(), '', "${name}the upstream sees none of the names";
    my ($request) = $up->requests;
    is join(' ', $request->{headers}->@{qw(x-first x-middle x-last)}), '1 2 3', "${name}all other headers arrive";
    is $request->{headers}{'x-seen'}, '[]', "${name}nor does a variable";
    unlike $request->{head}, qr/^:|^[^:]*\r\n[^:]*\r\n\z/m, "${name}no empty lines in their place";
    is $request->{headers}{host}, $up->address, "${name}Host is still there";

    # Many headers: the list of nginx has parts of twenty.
    for my $before (18 .. 22) {
        $up->forget;
        $r = $t->get('/paid/a', %via, headers => [ (map { ("X-H$_" => $_) } 1 .. $before),
            'PAYMENT-SIGNATURE' => $payment->(), map { ("X-H$_" => $_) } $before + 1 .. 45 ]);
        is $r->status, 200, "${name}after $before others";
        is leaked(), '', "${name}after $before others: gone";
        is join(' ', map { +($up->requests)[0]{headers}{"x-h$_"} // '-' } 1 .. 45), join(' ', 1 .. 45),
            "${name}after $before others: the rest arrives";
    }
}

# Underscores name the same header to scripts behind; as ours they do not count.
$up->forget;
my $r = $t->get('/paid/a', headers => [ 'PAYMENT-SIGNATURE' => $payment->(), 'PAYMENT_SIGNATURE' => 'forged',
    'X_PAYMENT' => 'forged', 'Payment_Required' => 'forged' ]);
ok $r->status == 200 || $r->status == 402, 'underscores';
is leaked(), '', 'are stripped, too';

# subrequests
for my $where (qw(auth mirror)) {
    $up->forget;
    $r = $t->get("/paid/$where/a", headers => [ 'PAYMENT-SIGNATURE' => $payment->() ]);
    is_content $r, "answer to /paid/$where/a\n", $where;
    ok $t->wait_for(sub { $up->count >= 2 }), "$where: two requests";
    is leaked(), '', "$where: none of them sees the payment";
}
$up->forget;
$r = $t->get('/paid/auth/a', headers => [ 'PAYMENT-SIGNATURE' => 'garbage' ]);
is $r->status, 402, 'a payment that is none';
is leaked(), '', 'is not shown around either';

# on, off, free
$up->forget;
my $value = $payment->();
$r = $t->get('/paid/forward/a', headers => [ 'PAYMENT-SIGNATURE' => $value ]);
is_content $r, "answer to /paid/forward/a\n", 'x402_forward_payment on';
is +($up->requests)[0]{headers}{'payment-signature'}, $value, 'passes it on';
for my $path (qw(/paid/off/a /free/a)) {
    $up->forget;
    $r = $t->get($path, headers => [ map { ($_ => 'e30=') } @names ]);
    is $r->status, 200, "$path is free";
    is scalar(split ' ', leaked()), 5, "$path: a gate further on may need them";
}
$up->forget;
$r = $t->ask(POST => '/paid/get/a', body => 'x', headers => [ 'PAYMENT-SIGNATURE' => $value ]);
is $r->status, 200, 'a method that is free in a paid location';
is $f->calls('settle'), $f->calls('verify'), 'no odd calls';

ok $t->wait_for(sub { -s $t->dir . '/logs/access.log' }), 'access log';
finish;
