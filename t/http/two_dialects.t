# SPDX-License-Identifier: Apache-2.0
# One location speaks x402, MPP, passes and signatures of wallets at once. What
# opens it is charged at most once, and what is good is never spoiled by what is
# bad beside it, in any pair; clocks that differ, and values that are huge,
# repeated or of another kind, are a 401 or 402 without content or charge.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(decode_base64url encode_base64 encode_base64url);
use X402::Mpp;
use X402::SignIn;
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my ($wallet, $stranger) = map { X402::Wallet->new } 1 .. 2;
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    large_client_header_buffers 4 64k;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_seal_key %%DIR%%/seal.key;
    x402_protocol v2 mpp;
    x402_mpp key=%%DIR%%/seal.key;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        server_name shop.example;
        add_header X-State "$x402_state" always;
        location / { x402_price 0.01; x402_pass time=1h requests=99; x402_sign_in time=1h; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
chmod 0600, $t->write('seal.key', 'k' x 64);
$up->on('*', body => "SECRET\n");
$t->start;

my @host = (host => 'shop.example');
sub asked () { return $t->get('/a', @host) }

my $pass = paid($t, '/a', @host, change => { from => $wallet->address })->header('X402-Pass');
my %shows = (
    pass       => sub { return ('X402-Pass' => $pass) },
    no_pass    => sub { return ('X402-Pass' => 'x') },
    signature  => sub { return ('SIGN-IN-WITH-X' => proof($wallet, declared_in(asked()))) },
    stranger   => sub { return ('SIGN-IN-WITH-X' => proof($stranger, declared_in(asked()))) },
    no_proof   => sub { return ('SIGN-IN-WITH-X' => 'x') },
    v2         => sub { return ('PAYMENT-SIGNATURE' => payment(offer(asked()))) },
    no_v2      => sub { return ('PAYMENT-SIGNATURE' => 'x') },
    mpp        => sub { return (Authorization => credential(challenge(asked()))) },
    no_mpp     => sub { return (Authorization => 'Payment x') },
);

# --- pairs: what opens the location, and what is charged -------------------------------------

# The first of these that is there decides: a pass, a signature, a payment.
my @pairs = (
    [ qw(pass signature) => 'pass' ],  [ qw(pass v2) => 'pass' ],     [ qw(pass mpp) => 'pass' ],
    [ qw(pass stranger) => 'pass' ],   [ qw(pass no_proof) => 'pass' ], [ qw(pass no_v2) => 'pass' ],
    [ qw(pass no_mpp) => 'pass' ],     [ qw(pass v2 mpp) => 'pass' ],
    [ qw(no_pass signature) => 'signed_in' ], [ qw(signature v2) => 'signed_in' ], [ qw(signature mpp) => 'signed_in' ],
    [ qw(signature no_v2) => 'signed_in' ],   [ qw(signature no_mpp) => 'signed_in' ],
    [ qw(no_pass v2) => 'settled' ],   [ qw(no_pass mpp) => 'settled' ],
    [ qw(stranger v2) => 'settled' ],  [ qw(stranger mpp) => 'settled' ],
    [ qw(no_proof v2) => 'settled' ],  [ qw(no_proof mpp) => 'settled' ],
    [ qw(no_pass no_proof v2) => 'settled' ],
);
for my $pair (@pairs) {
    my ($state, @shown) = reverse @$pair;
    my @headers = map { $shows{$_}->() } @shown;
    my $name    = join ' and ', reverse @shown;
    $f->forget;
    my $r = $t->get('/a', @host, headers => \@headers);
    is $r->status . ' ' . ($r->header('X-State') // ''), "200 $state", "$name: what opens it" or diag $r->summary;
    is $f->order, $state eq 'settled' ? 'verify settle' : '', "$name: what is charged";
}

sub is_refused_with ($name, $status, $like, @headers) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $f->forget;
    $up->forget;
    my $r = $t->get('/a', @host, headers => \@headers);
    ok $r->status == $status && $r->body =~ $like, "$name: refused" or diag $r->summary;
    is $f->calls('settle') . $up->hits, '00', "$name: nothing is charged, and nothing is made";
}

for my $pair (
    [ qw(v2 mpp) => 402, qr/two protocols/ ],           [ qw(no_v2 mpp) => 402, qr/two protocols/ ],
    [ qw(no_pass v2 mpp) => 402, qr/two protocols/ ],   [ qw(stranger v2 mpp) => 402, qr/two protocols/ ],
    [ qw(no_pass stranger) => 402, qr/sign_in_not_paid/ ], [ qw(no_pass no_proof) => 401, qr/sign_in_malformed/ ],
    [ qw(no_pass no_v2) => 402, qr/Unreadable/ ],       [ qw(no_pass no_mpp) => 402, qr/malformed-credential/ ],
) {
    my ($like, $status, @shown) = reverse @$pair;
    is_refused_with(join(' and ', @shown), $status, $like, map { $shows{$_}->() } @shown);
}

# What was not used is still good, and a copy of what was used is not.
my ($proof, $paid) = ([ $shows{signature}->() ], [ $shows{v2}->() ]);
is $t->get('/a', @host, headers => [ $shows{pass}->(), @$proof, @$paid ])->header('X-State'), 'pass', 'a pass beside a signature and a payment';
is $t->get('/a', @host, headers => $proof)->header('X-State'), 'signed_in', 'leaves the signature as it was';
is $t->get('/a', @host, headers => $paid)->header('X-State'), 'settled', 'and the payment';
is_refused_with('a copy of the signature', 401, qr/sign_in_nonce_used/, @$proof);
is_refused_with('a copy of the payment', 402, qr/payment_already_used/, @$paid);

# --- clocks that differ ------------------------------------------------------------------------

my $now   = time;
my $until = $now + 200;
for my $of (
    [ 'MPP: an end in milliseconds', { 'payload.validBefore' => "${until}000" } ],
    [ 'MPP: no end',                 { 'payload.validBefore' => without() } ],
    [ 'MPP: an end as a number',     { 'payload.validBefore' => $until } ],
    [ 'MPP: an end that is none',    { 'payload.validBefore' => 'tomorrow' } ],
    [ 'MPP: a negative end',         { 'payload.validBefore' => '-1' } ],
    [ 'MPP: not good yet',           { 'payload.validAfter' => '' . ($now + 3600) } ],
    [ 'MPP: a start in milliseconds', { 'payload.validAfter' => "${now}000" } ],
) {
    my ($name, $change) = @$of;
    is_refused_with($name, 402, qr/paymentauth/, Authorization => credential(challenge(asked()), %$change));
}
for my $of (
    [ 'a signature of tomorrow',     qr/malformed/, issuedAt => '2099-01-01T00:00:00.000Z' ],
    [ 'a time in seconds',           qr/malformed/, issuedAt => "$now" ],
    [ 'a time in milliseconds',      qr/malformed/, issuedAt => $now * 1000 ],
    [ 'an end in milliseconds',      qr/malformed/, expirationTime => ($now + 200) * 1000 ],
    [ 'no end',                      qr/malformed/, expirationTime => '' ],
    [ 'a nonce in capitals',         qr/nonce_invalid/, nonce => 'AB' x 36 ],
    [ 'a long nonce',                qr/nonce_invalid/, nonce => 'a' x 1000 ],
    [ 'another kind of account',     qr/malformed|invalid/, address => { a => 1 } ],
    [ 'a signature that is a list',  qr/malformed|invalid/, signature => [] ],
    [ 'a signature without its end', qr/invalid/, signature => '0x' . 'ab' x 64 ],
    [ 'a signature of nothing',      qr/invalid/, signature => '0x' . '00' x 65 ],
) {
    my ($name, $like, %change) = @$of;
    is_refused_with($name, 401, $like, 'SIGN-IN-WITH-X' => proof($wallet, declared_in(asked()), %change));
}

# --- huge, repeated, elsewhere --------------------------------------------------------------------

is_refused_with('a huge signature', 401, qr/malformed/, 'SIGN-IN-WITH-X' => encode_base64('{"a":"' . 'a' x 30000 . '"}', ''));
is_refused_with('a huge pass',      402, qr/pass_malformed/, 'X402-Pass' => 'A' x 40000);
is_refused_with('a huge cookie',    402, qr/Payment required|pass_malformed/, Cookie => 'x402_pass_00000000=' . 'A' x 40000);
is_refused_with('a huge credential', 402, qr/malformed-credential|too long|larger/, Authorization => 'Payment ' . encode_base64url('{' . ' ' x 40000 . '}'));
is_refused_with('a credential of depth', 402, qr/malformed-credential/, Authorization => 'Payment ' . encode_base64url('[' x 5000));
is_refused_with('two credentials in a line', 402, qr/malformed-credential/,
    Authorization => credential(challenge(asked())) . ', ' . credential(challenge(asked())));
is_refused_with('the signature twice', 401, qr/malformed/, $shows{signature}->(), $shows{signature}->());
is_refused_with('the signature and none', 401, qr/malformed/, $shows{signature}->(), 'SIGN-IN-WITH-X' => 'x');

my ($pair) = map { /\A([^;]+)/ } paid($t, '/a', @host, change => { from => $wallet->address })->header('Set-Cookie');
my ($name) = split /=/, $pair;
for my $cookies ([ "$name=x", $pair ], [ "$name=x; $pair" ], [ "$name=; $name=x; $pair" ], [ $pair, $pair ]) {
    is $t->get('/a', @host, headers => [ map { (Cookie => $_) } @$cookies ])->header('X-State'), 'pass', 'a good cookie beside others';
}
is $t->get('/a', @host, headers => [ 'X402-Pass' => 'x', Cookie => $pair ])->header('X-State'), 'pass', 'a cookie beside a header that is none';
is $t->get('/a', @host, h2 => 1, port => 'h2', headers => [ Cookie => 'a=b', Cookie => $pair ])->status, 402, 'another port is another place';

# What is bound to a request by its method is good for this method only; what is
# not, opens the same place.
my $challenge = challenge(asked());
is $t->ask(POST => '/a', @host, body => 'x', headers => [ Authorization => credential($challenge) ])->status, 402, 'a challenge of GET is none of POST';
is $t->ask($_ => '/a', @host, headers => [ 'X402-Pass' => $pass ])->header('X-State'), 'pass', "$_ by a pass" for qw(HEAD OPTIONS);
is $t->ask($_ => '/a', @host)->status, 402, "$_ by nothing" for qw(HEAD OPTIONS);
is $t->get('/a', @host, headers => [ Range => 'bytes=0-1' ])->status, 402, 'nor is a range free';

# Whatever opened it, no receipt, pass or challenge of an upstream's own leaves.
$up->on('/forged', body => "SECRET\n", headers => [ map { ($_ => 'Payment forged') } qw(Payment-Receipt PAYMENT-RESPONSE X402-Pass WWW-Authenticate) ]);
for my $what (qw(pass v2 mpp signature)) {
    paid($t, '/forged', @host, change => { from => $wallet->address }) if $what eq 'signature';
    my %fresh = (
        pass      => $shows{pass},
        v2        => sub { return ('PAYMENT-SIGNATURE' => payment(unpaid($t, '/forged', @host))) },
        mpp       => sub { return (Authorization => credential(challenge($t->get('/forged', @host)))) },
        signature => sub { return ('SIGN-IN-WITH-X' => proof($wallet, declared_in($t->get('/forged', @host)))) },
    );
    my $r = $t->get('/forged', @host, headers => [ $fresh{$what}->() ]);
    is $r->status, 200, "$what: content";
    no_trace $r, 'forged', "$what: nothing forged";
}

# Channels of batch-settlement are not served: their vouchers pay nothing here.
for my $type (qw(voucher deposit refund)) {
    my $wire = payload(offer(asked()));
    $wire->{accepted}{scheme} = 'batch-settlement';
    $wire->{payload} = { type => $type, channelConfig => { payer => $wallet->address },
        voucher => { channelId => random_hex(32), maxClaimableAmount => '10000', signature => random_hex(65) } };
    is_refused_with("batch-settlement, $type", 402, qr/error/, 'PAYMENT-SIGNATURE' => encoded($wire));
    $wire->{accepted}{scheme} = 'exact';
    is_refused_with("batch-settlement as exact, $type", 402, qr/error/, 'PAYMENT-SIGNATURE' => encoded($wire));
}

unlike $t->log, qr/\Q$pass\E|k{64}|\Q$proof->[1]\E/, 'nothing of all this is in the log';

# --- one key for all: what it seals for one purpose is good for no other

my ($declared, $sealed) = (declared_in(asked()), challenge(asked()));
my $id = unpack 'H*', decode_base64url($sealed->{id});
is error_of($t->get('/a', @host, headers => [ 'SIGN-IN-WITH-X' => proof($wallet, { $declared->%*, info => { $declared->{info}->%*, nonce => $id } }) ])),
    '401 sign_in_nonce_invalid', 'the id of a challenge does not serve as a nonce';
is $t->get('/a', @host, headers => [ 'X402-Pass' => $_ ])->status, 402, 'nor is it a pass, or a nonce one' for $sealed->{id}, $declared->{info}{nonce};

finish;
