# SPDX-License-Identifier: Apache-2.0
# What a payment was taken for is all that it is good for: the same server,
# resource, body and terms, and content of no higher price than what was paid.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    map $http_x_tier $price { dear 5.00; default 0.01; }
    map $http_x_to $to { other 0x2222222222222222222222222222222222222222; default 0x209693Bc6afc0C5328bA36FaF03C514EF312287C; }
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_read_body 64k;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name cheap.example;
        location /report { x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /to     { x402_price 0.01; x402_pay_to $to; proxy_pass http://%%BACKEND%%; }
        location /const  { x402_price %%PRICE%%; proxy_pass http://%%BACKEND%%; }
        location /paid/  { x402_price $price; x402_settle before; proxy_pass http://%%BACKEND%%/; }
        location /meter  { x402_read_body 0; x402_accept scheme=upto price=5; proxy_pass http://%%BACKEND%%; }
        location /read   { x402_accept scheme=upto price=5; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT_other%%;
        server_name dear.example;
        x402_network base;
        location /report { x402_price 5.00; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name twin.example;
        location /report { x402_price 0.01; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { PRICE => '0.01' });
$up->on('*', body => "SECRET\n");
$t->start;

my @cheap = (host => 'cheap.example');

# A payment that was charged while its client was gone: owed.
sub owed ($payment, $path, %options) {
    my $method  = delete $options{method} // 'GET';
    my @headers = (delete $options{headers} // [])->@*;
    $_->forget for $f, $up;
    $f->settle('hold');
    my $c = $t->connect;
    $c->write_request($method => $path, @cheap, %options, headers => [ @headers, header_of($payment) ]);
    $f->wait_calls(settle => 1) or die 'no settle';
    $t->leave($c) or die 'not gone';
    my $owed = $t->log_count(qr/content owed/);
    $f->settle('paid');
    $f->release('settle');
    $t->wait_for(sub { $t->log_count(qr/content owed/) > $owed }) or die 'no ledger line';
    sleep 0.05;
    $_->forget for $f, $up;
    return $payment;
}

# A payment whose outcome is not known.
sub in_doubt ($payment, $path, %options) {
    $f->settle('close');
    my $r = paid($t, $path, @cheap, %options, payment => $payment);
    $r->status == 503 or die $r->summary;
    $f->settle('paid');
    $_->forget for $f, $up;
    return $payment;
}

sub used_up ($answer, $name) {
    ok $answer->status == 402 && (offer($answer) // {})->{error} eq 'payment_already_used', $name or diag $answer->summary;
    is $up->hits, 0, "$name: the backend is not asked";
    return;
}

# --- the same payment at another place ------------------------------------------------

my $cheap = sub (%change) { return payment(unpaid($t, '/report', @cheap), %change) };

my $payment = owed($cheap->(), '/report');
used_up paid($t, '/report', @cheap, port => 'other', payment => $payment),
    'another port, with the Host of the first: another server';
used_up paid($t, '/report', host => 'twin.example', payment => $payment), 'another server of the same port';
used_up paid($t, '/report', @cheap, headers => [ 'X-Tier' => 'dear' ], payment => $payment), 'a higher price';
is_content paid($t, '/report', @cheap, payment => $payment), "SECRET\n", 'where it was paid for it is served';

$payment = owed(payment(unpaid($t, '/to', @cheap)), '/to');
used_up paid($t, '/to', @cheap, headers => [ 'X-To' => 'other' ], payment => $payment), 'another receiver';
is_content paid($t, '/to', @cheap, payment => $payment), "SECRET\n", 'its own receiver';

for my $case ([ 'another server', port => 'other' ], [ 'a higher price', headers => [ 'X-Tier' => 'dear' ] ]) {
    my ($name, @there) = @$case;
    $payment = in_doubt($cheap->(), '/report');
    is paid($t, '/report', @cheap, @there, payment => $payment)->status, 503, "unknown, $name: 503";
    is $up->hits . $f->calls('settle'), '00', "unknown, $name: nothing is asked or made";
    is_content paid($t, '/report', @cheap, payment => $payment), "SECRET\n", 'unknown: served where it was paid for';
}

# --- another payment of the same payer ------------------------------------------------

my $payer = random_hex(20);
owed($cheap->(from => $payer), '/report');
for my $case ([ 'a higher price', '/report', @cheap, headers => [ 'X-Tier' => 'dear' ] ],
    [ 'another server', '/report', host => 'twin.example' ])
{
    my ($name, $path, @there) = @$case;
    $f->forget;
    is paid($t, $path, @there, change => { from => $payer })->status, 200, "a new payment, $name: content";
    is $f->order, 'verify settle', "a new payment, $name: charged";
}
$f->forget;
is paid($t, '/report', @cheap, change => { from => $payer })->status, 200, 'a new payment where it is owed: content';
is $f->order, 'verify', 'not charged';

# --- a request body ---------------------------------------------------------------------

my @one = (method => 'POST', body => '{"q":1}');
my @two = (method => 'POST', body => '{"q":2}');
$payer = random_hex(20);
owed(payment(unpaid($t, '/report', @cheap, method => 'POST'), from => $payer), '/report', @one);
is paid($t, '/report', @cheap, @two, change => { from => $payer })->status, 200, 'another body: content';
is $f->order, 'verify settle', 'another body is another purchase';
$f->forget;
is paid($t, '/report', @cheap, @one, change => { from => $payer })->status, 200, 'the body that was paid for: content';
is $f->order, 'verify', 'it is owed';

$payment = in_doubt(payment(unpaid($t, '/report', @cheap, method => 'POST')), '/report', @one);
is paid($t, '/report', @cheap, @two, payment => $payment)->status, 503, 'unknown, another body: 503';
is $up->hits, 0, 'unknown, another body: nothing is made';
is_content paid($t, '/report', @cheap, @one, payment => $payment), "SECRET\n", 'unknown, its own body: content';

# --- upto: what was paid, not what was signed ---------------------------------------------

my $says = sub ($amount) { $up->on($_, body => "SECRET\n", headers => [ 'Settlement-Overrides' => qq({"amount":"$amount"}) ]) for '/meter', '/read' };
my $permit = sub ($path, %of) { return permit2(unpaid($t, $path, @cheap, method => $of{method} // 'GET'), from => $payer) };

$payer = random_hex(20);
$says->(1);
owed($permit->('/meter', method => 'POST'), '/meter', @one);
$says->(5_000_000);
is_content paid($t, '/meter', @cheap, @two, payment => $permit->('/meter', method => 'POST')), "SECRET\n",
    'upto, a body that was not read: content';
is $f->order, 'verify settle', 'it is a new purchase';
is $f->asked('settle')->{paymentRequirements}{amount}, '5000000', 'at its own price';

$payer = random_hex(20);
$says->(1);
owed($permit->('/read'), '/read');
$says->(5_000_000);
my $r = paid($t, '/read', @cheap, payment => $permit->('/read'));
is $r->status, 502, 'upto: content that costs more than was paid is not served for it';
no_trace $r, 'SECRET', 'no content';
is $f->order, 'verify', 'nothing is charged';
is $r->body, '{"error":"owed_content_costs_more","charged":false}', 'and the answer says so';
$says->(1);
$f->forget;
is_content paid($t, '/read', @cheap, payment => $permit->('/read')), "SECRET\n", 'upto: content of that price is';
is $f->order, 'verify', 'not charged again';

# The payment that was charged is told so, whether its settlement was known or not.
for my $case ([ 'owed', \&owed ], [ 'unknown', \&in_doubt ]) {
    my ($name, $left) = @$case;
    $payer = random_hex(20);
    $says->(1);
    my $charged = $left->($permit->('/read'), '/read');
    $says->(5_000_000);
    $r = paid($t, '/read', @cheap, payment => $charged);
    is $r->status, 502, "upto, the same payment, $name: content that costs more is not served";
    no_trace $r, 'SECRET', 'no content';
    is $r->body, '{"error":"owed_content_costs_more","charged":true}', 'the answer says that it was charged';
    is((receipt($r) // {})->{success}, bool_true(), 'with its receipt');
    $says->(1);
    is_content paid($t, '/read', @cheap, payment => $charged), "SECRET\n", 'content of that price is served for it';
}

# --- a price that a reload moved keeps its grace ----------------------------------------

my $old = owed(payment(unpaid($t, '/const', @cheap)), '/const');
my $doubt = in_doubt(payment(unpaid($t, '/const', @cheap)), '/const');
$t->{holes}{PRICE} = '0.05';
$t->conf($conf);
$t->wait_exit($t->reload);
is_content paid($t, '/const', @cheap, payment => $old), "SECRET\n", 'owed at the price before the reload';
is_content paid($t, '/const', @cheap, payment => $doubt), "SECRET\n", 'unknown at the price before the reload';
is $f->order, 'settle', 'asked about once';

finish;
