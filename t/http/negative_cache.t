# SPDX-License-Identifier: Apache-2.0
# A payment that was refused for what cannot change is refused again without a
# call, for a minute. All else is asked again.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(encode_base64 decode_base64);

my ($f, $other, $up) = (facilitator(), facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { OTHER => $other->url });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:2m;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /        { proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /status/ { x402_refuse_status 403; proxy_pass http://%%BACKEND%%; }
        location /longer/ { x402_timeout 200s; proxy_pass http://%%BACKEND%%; }
        location /other/  { x402_facilitator %%OTHER%%; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

my $forged = 'invalid_exact_evm_payload_signature';

sub refused ($path, $payment, $calls, $name, $reason = $forged) {
    $f->forget;
    my $r = paid($t, $path, payment => $payment);
    is $r->status, 402, "$name: 402";
    is offer($r)->{error}, $reason, "$name: the reason";
    return is $f->calls, $calls, "$name: " . ($calls ? 'asked' : 'not asked');
}

# --- the same again

$f->verify(invalid => $forged);
my $payment = payment(unpaid($t, '/'));
refused '/', $payment, 1, 'at first';
refused '/', $payment, 0, 'again' for 1 .. 3;
refused '/elsewhere', $payment, 0, 'for another resource of the same offer';
my $text = decode_base64($payment) =~ s/[{,]\K"/ \n "/gr;
refused '/', encode_base64($text, ''), 0, 'in another spelling';

# --- not the same

my $offer = unpaid($t, '/');
my %own   = (from => random_hex(20), nonce => random_hex(32));
refused '/', payment($offer, %own, 'payload.signature' => '0x' . 'a' x 130), 1, 'one signature';
refused '/', payment($offer, %own, 'payload.signature' => '0x' . 'b' x 130), 1, 'another signature';
$payment = payment($offer, %own, 'payload.signature' => '0x' . 'b' x 130, 'accepted.maxTimeoutSeconds' => 200);
refused '/longer/', $payment, 1, 'another requirement';
$other->verify('ok');
$payment = payment($offer);
refused '/', $payment, 1, 'here';
is_content paid($t, '/other/', payment => $payment), "SECRET\n", 'another facilitator thinks otherwise';

# --- what can heal is asked again, and may have healed

for my $reason (qw(insufficient_funds invalid_exact_evm_payload_authorization_valid_after
    invalid_exact_evm_nonce_already_used a_reason_of_tomorrow)) {
    $f->verify(invalid => $reason);
    $payment = payment(unpaid($t, '/'));
    refused '/', $payment, 1, $reason, $reason for 1 .. 2;
    $f->verify('ok');
    is_content paid($t, '/', payment => $payment), "SECRET\n", "$reason: healed";
}

# --- settled first

$up->forget;
$f->settle(refused => $forged);
$payment = payment(unpaid($t, '/before/'));
refused '/before/', $payment, 1, 'before, at first';
refused '/before/', $payment, 0, 'before, again';
$f->settle(refused => 'insufficient_funds');
$payment = payment(unpaid($t, '/before/'));
refused '/before/', $payment, 1, 'before, what can heal', 'insufficient_funds' for 1 .. 2;
is $up->hits, 0, 'the backend made nothing';

# --- the operator's status, from the facilitator and from memory

$f->verify(invalid => $forged);
$payment = payment(unpaid($t, '/status/'));
$f->forget;
for my $calls (1, 1) {
    my $r = paid($t, '/status/', payment => $payment);
    is $r->status, 403, "x402_refuse_status after $calls call";
    is offer($r)->{error}, $forged, 'with the reason';
    is scalar $f->calls, $calls, 'the second time from memory';
}

# --- new workers know nothing

$f->verify(invalid => $forged);
$payment = payment(unpaid($t, '/'));
refused '/', $payment, 1, 'before a reload';
$t->reload;
refused '/', $payment, 1, 'after it';

finish;
