# SPDX-License-Identifier: Apache-2.0
# Memory that is refused anywhere in a payment's life ends in an answer, never in
# unpaid content, a dead worker or a payment that stays in use: the same
# payment brings its content afterwards. One allocation after the other is refused
# until a payment needs no more of them. Not by curl: where libcurl 7.88 gets none for
# the list of a socket's transfers, it divides by the size of that list later on.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Certificates;
use X402::Test;

my $shim = "$FindBin::Bin/../../build/chaos/fault_shim.so";
plan skip_all => 'build/chaos/fault_shim.so is not built' if !-e $shim;
plan skip_all => 'a sanitizer has its own malloc'         if X402::Nginx::module() eq 'static';

use constant MOST => 4000;

my ($f, $up) = (facilitator(), backend());
# The TLS end of the facilitator is another nginx, which has all the memory.
my $end = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    server {
        listen 127.0.0.1:%%PORT%% ssl;
        ssl_certificate %%DIR%%/good.pem;
        ssl_certificate_key %%DIR%%/good.key;
        keepalive_requests 3;
        location / { proxy_pass %%FACILITATOR%%; }
    }
}
EOF
X402::Certificates::make($end->dir);
$end->start;

my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { TLS => $end->port, CA => $end->dir . '/ca.pem' });
%%GLOBALS%%
worker_processes 1;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_zone x402:4m journal=%%DIR%%/journal;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_price $0.01;
        location /       { proxy_pass http://%%BACKEND%%; }
        location /before { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /tls {
            x402_facilitator https://127.0.0.1:%%TLS%%;
            x402_facilitator_ssl_trusted_certificate %%CA%%;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$up->on('*', body => "SECRET\n");

# The words that the shim shares with us: clock, victim, allowed, refused.
my $control = $t->write('control', pack 'q4', 0, 0, 0, 0);

sub refuse ($worker, $allowed) {
    open my $file, '+<:raw', $control or die "$control: $!";
    syswrite $file, pack 'q4', 0, $worker, $allowed, 0;
    return;
}

sub was_refused () {
    open my $file, '<:raw', $control or die "$control: $!";
    sysread $file, my $words, 32;
    refuse(0, 0);
    return (unpack 'q4', $words)[3] > 0;
}

{
    local $ENV{X402_PRELOAD}  = $shim;
    local $ENV{CHAOS_CONTROL} = $control;
    $t->start;
}
$t->allow(qr/\[emerg\].*(?:alloc|memalign)/);
# nginx's own, and what OpenSSL went on without; what we leave has other words.
$t->allow(qr/\[alert\].* (?:SSL_\w+\(\) failed|stale global SSL error \(SSL: error:\w+:common libcrypto)/);
my ($worker) = $t->workers;

sub charged ($answer) {
    my $receipt = receipt($answer) // {};
    return $answer->status == 200 && $answer->complete && $answer->body eq "SECRET\n" && $receipt->{success};
}

sub content_in ($answer) { return index($answer->raw, 'SECRET') >= 0 }

# What is wrong with the answer that met the refusal; empty: nothing.
sub objection ($answer) {
    return 'content without a receipt' if content_in($answer) && !receipt($answer);
    return 'told to pay again'         if $answer->status == 402;
    return '';
}

sub once ($path, $offer, $allowed, $before) {
    my $payment = payment($offer);
    $before->($payment);
    refuse($worker, $allowed);
    my $first   = eval { paid($t, $path, payment => $payment) };
    my $refused = was_refused();
    my $wrong   = $first ? objection($first) : '';
    my $again   = paid($t, $path, payment => $payment);
    my $good    = charged($again) || $again->status == 402 && $first && content_in($first);
    $wrong ||= 'and then: ' . $again->summary if !$good;
    return ($refused, $wrong && "allocation $allowed: $wrong\n" . ($first ? $first->summary : 'no answer'));
}

sub sweep ($path, $before = sub { }) {
    my $offer = unpaid($t, $path);
    paid($t, $path, payment => payment($offer)) for 1 .. 2;    # what is made once is made
    my ($allowed, $refused, $wrong, @wrong) = (0, 1);
    while ($refused && $allowed < MOST && @wrong < 5 && ($t->workers)[0] == $worker) {
        ($refused, $wrong) = once($path, $offer, ++$allowed, $before);
        push @wrong, $wrong if $wrong;
    }
    is "@wrong", '', "$path: whatever is refused, the payment buys its content once";
    ok !$refused, "$path: all of a payment's $allowed allocations were refused in turn";
    is(($t->workers)[0], $worker, "$path: by the same worker");
    return;
}

sweep('/after');
sweep('/before');
sweep('/tls');
# A payment whose outcome is unknown is settled again when it comes again.
sweep('/unknown', sub ($payment) {
    $f->settle_once(status => 500);
    paid($t, '/unknown', payment => $payment)->status == 503 or die 'not unknown';
});
finish;
