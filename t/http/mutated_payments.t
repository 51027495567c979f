# SPDX-License-Identifier: Apache-2.0
# Two hundred truncations and mutations of a good header: what reaches the
# facilitator is what stands in the header, read as strictly as another reader
# would, or nothing.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use X402::Test;

my $seed = $ENV{SEED} // 402;
srand $seed;
my $json = JSON::PP->new->utf8->canonical;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;
$f->verify(invalid => 'insufficient_funds');    # so that nothing is ever used

my $offer = unpaid($t, '/a');

# What the facilitator is asked because of this header; undef: it is not called.
sub asked_for ($header, $name) {
    $f->forget;
    my $r = paid($t, '/a', payment => $header);
    is $r->status, 402, "$name: refused" or diag $header;
    return $f->asked('verify');
}

for my $n (1 .. 100) {
    my $header = payment($offer);
    my $cut    = int rand length($header) - 4;
    my $name   = "truncation $n to $cut (seed $seed)";
    ok !asked_for(substr($header, 0, $cut), $name), "$name: no facilitator is asked";
}

my @letters = ('A' .. 'Z', 'a' .. 'z', 0 .. 9, qw(+ / = - _ ! .));
my @digits = (0 .. 9, 'a' .. 'f', 'A' .. 'F');
sub mutated ($bytes, $letter) {
    for (0 .. int rand 3) {
        my $at   = int rand length $bytes;
        my $kind = int rand 4;
        if    ($kind == 0) { substr($bytes, $at, 1) = $letter->() }
        elsif ($kind == 1) { substr($bytes, $at, 0) = $letter->() }
        elsif ($kind == 2) { substr($bytes, $at, 1) = '' }
        else               { substr($bytes, $at, 1) = substr $bytes, int rand length $bytes, 1 }
    }
    return $bytes;
}

my $reached = 0;
for my $n (1 .. 100) {
    my $header = payment($offer);
    # The bytes that travel, or those that they stand for.
    $header = $n % 2
        ? mutated($header, sub { $letters[ rand @letters ] })
        : encoded($n % 4 ? mutated(decode_base64($header), sub { chr 32 + int rand 95 })
            : decode_base64($header) =~ s/("(?:nonce|from|signature)":"0x[0-9a-f]{9})[0-9a-f]/$1 . $digits[rand 22]/er);
    my $name  = "mutation $n (seed $seed)";
    my $asked = asked_for($header, $name) or next;
    $reached++;
    # Base64 without padding, or in the alphabet for URLs, is read as well.
    my $plain = $header =~ tr{-_}{+/}r =~ s/=+\z//r;
    my $read  = decoded($plain . '=' x (-length($plain) % 4));
    ok $read, "$name: it can be read by others" or next;
    is $json->encode($asked->{paymentPayload}{payload}), $json->encode($read->{payload}), "$name: it is what was sent";
}
cmp_ok $reached, '>', 10, 'some mutations are payments still';
is $up->hits, 0, 'the backend is never asked';

finish;
