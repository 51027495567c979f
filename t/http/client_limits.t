# SPDX-License-Identifier: Apache-2.0
# What one client or payer can take from the others: a thousand of its connections are served, what it abandons counts
# against its payer, its waiting copies count in its share, and names of payments that came to nothing are free again.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(sleep time);
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
worker_rlimit_nofile 8192;
events { worker_connections 8192; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout verify=200s settle=200s;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:ZONE;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /       { proxy_pass http://%%BACKEND%%; }
        location /few    { x402_facilitator_max_calls 16; proxy_pass http://%%BACKEND%%; }
        location /named/ { x402_extension payment-identifier may.json; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $may = '{"info":{"required":false},"schema":{"type":"object"}}';

sub server ($zone) {
    my $t = nginx($conf =~ s/ZONE/$zone/r, facilitator => $f, backend => $up);
    $t->write('may.json', $may);
    $up->on('*', body => "SECRET\n");
    $_->forget for $f, $up;
    $f->verify('ok');
    $f->settle('paid');
    return $t->start;
}
my $t = server('10m');

sub begin ($path, $payment, %options) {
    my $c = $t->connect(from => $options{from} // '127.0.0.1');
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    return $c;
}

# --- a proxy: 1024 connections from one address, by default

my $offer = unpaid($t, '/a');
$f->verify('hold');
my @clients = map { begin('/a', payment($offer)) } 1 .. 1024;
ok $f->wait_count(verify => 1024, 150), '1024 payments of one address are verified at once';
$f->verify('ok');
$f->release;
is scalar(grep { $_->answer(timeout => 100)->status == 200 } @clients), 1024, 'each is served';
undef @clients;

# --- payments that their client leaves before they are settled

$f->forget;
my $wallet = random_hex(20);
$up->on('/slow', hold => 1);
for my $round (1 .. 32) {
    my $c = begin('/slow', payment($offer, from => $wallet));
    $up->wait_count('/slow', $round);
    $t->leave($c);
}
$up->wait_gone('/slow');
is $f->calls('settle'), 0, '32 payments of one payer are left before they are settled';
$up->on('*', status => 404, body => "no\n");
$t->wait_for(sub {
    $f->forget;
    paid($t, '/b', payment => payment($offer, from => $wallet));
    return $f->order eq 'verify settle' || $f->order eq 'settle';
});
like $f->order, qr/settle/, 'from then on it pays before content';
$f->forget;
is paid($t, '/b', payment => payment($offer, from => random_hex(20)))->status, 404, 'another payer at that address';
is $f->order, 'verify', 'pays for content alone';

# --- copies of a payment in flight

$_->forget for $f, $up;
$up->on('*', body => "SECRET\n");
$f->verify('hold');
my $payment = payment(unpaid($t, '/few'));
my $first = begin('/few', $payment, from => '127.0.0.5');
$f->wait_calls(verify => 1);
my @waiting = map { begin('/few', $payment, from => '127.0.0.5') } 1 .. 3;
my $begun = time;
my $more = begin('/few', $payment, from => '127.0.0.5')->answer;
is $more->status, 409, 'the fifth copy does not wait: a quarter of the places is taken';
cmp_ok time - $begun, '<', 20, 'it is told so at once';
is paid($t, '/few', payment => payment($offer), from => '127.0.0.5')->status, 503, 'waiting copies count as payments';
my $honest = begin('/few', payment($offer), from => '127.0.0.6');
$f->wait_calls(verify => 2);
$f->verify('ok');
$f->release;
is $honest->answer->status, 200, 'an honest payer at another address is served';
is $first->answer->status, 200, 'and so is the first';
is scalar(grep { $_->answer->status == 402 } @waiting), 3, 'its copies are used up';

# --- names of payments

sub named ($path, $name, %as) {
    my $named = unpaid($t, $path);
    $named->{extensions}{'payment-identifier'}{info}{id} = $name;
    return payment($named, extensions => $named->{extensions}, %as);
}

# As many as a zone of this size has room for, several times.
$t->stop;
$t = server('256k');
$up->on('*', status => 404, body => "no\n");
my ($buyer, $free) = (random_hex(20), 0);
for my $order (1 .. 600) {
    my $r = paid($t, '/named/free', payment => named('/named/free', "free_order_number_$order", from => $buyer));
    $free++ if $r->status == 404;
}
is $free, 600, 'one payer names 600 payments of which nothing comes';
$up->on('*', body => "SECRET\n");
is_content paid($t, '/named/a', payment => named('/named/a', "order_of_payer_$_", from => random_hex(20))), "SECRET\n",
    'the named payment of another payer is served'
    for 1 .. 5;

# The claim of a payment that was delivered makes room for others.
my $old = random_hex(20);
is_content paid($t, '/named/old', payment => named('/named/old', 'order_of_an_hour', from => $old)), "SECRET\n", 'an order';
for (1 .. 800) { paid($t, '/a', payment => payment($offer, from => random_hex(20))) }
my $again;
for (1 .. 4) {
    # What was used is known by a few bits: now and then another one is mistaken for it.
    $again = paid($t, '/named/old', payment => named('/named/old', 'order_of_an_hour', from => $old));
    last if $again->status != 402;
}
is $again->status . $again->body, '409{"error":"payment_identifier_in_use","charged":false}',
    'is not charged again after 800 other payments';

finish;
