# SPDX-License-Identifier: Apache-2.0
# Whatever opens one place (a pass, a signature, a payment of either protocol, what is owed) is shown at others, by a
# thief or by its owner: a more expensive location, a namesake, a server with the same keys, another port. It opens none
# of them, makes no backend work and charges nothing a second time; and where it was good it is as good as before.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Mpp;
use X402::SignIn;
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my $wallet = X402::Wallet->new;
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_seal_key %%DIR%%/seal.key;
    x402_protocol v2 mpp;
    x402_pass time=1h;
    x402_sign_in time=1h scope=location;
    x402_price 0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example second.example;
        add_header X-State "$x402_state" always;
        location /        { proxy_pass http://%%BACKEND%%; }
        location /dear/   { x402_price 5; proxy_pass http://%%BACKEND%%; }
        location /theirs/ { x402_pay_to 0x1111111111111111111111111111111111111111; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name twin.example;
        location / { proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT_two%%;
        server_name shop.example;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
chmod 0600, $t->write('seal.key', 'k' x 64);
$up->on('*', body => "SECRET\n");
$t->start;

my @home   = (host => 'shop.example');
my $home   = [ '/a', @home ];
my %places = (
    'a more expensive location'      => [ '/dear/',   @home ],
    'another receiver'       => [ '/theirs/', @home ],
    'another name'           => [ '/a', host => 'second.example' ],
    'a server with its keys' => [ '/a', host => 'twin.example' ],
    'a name that is made up' => [ '/a', host => 'thief.example' ],
    'another port'           => [ '/a', @home, port => 'two' ],
);
sub ask ($place, @headers) { my ($path, @how) = @$place; return $t->get($path, @how, headers => \@headers) }
sub asked () { return ask($home) }

# Nothing but a 401, 402 or 503 without content.
sub opens_nothing ($name, $place, @headers) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $_->forget for $f, $up;
    my $r = ask($place, @headers);
    ok $r->status =~ /\A(?:401|402|503)\z/ && $r->body !~ /SECRET/, "$name: opens nothing" or diag $r->summary;
    is $f->calls('settle') . $up->hits, '00', "$name: nothing is charged, and nothing is made";
    return;
}

sub used (@headers) { ask($home, @headers)->status == 200 or die 'not sold'; return @headers }

# A payment that was charged while its client was gone.
sub owed (@headers) {
    $f->settle_once(hold => 1);
    my $owed = $t->log_count(qr/content owed/);
    $f->forget;
    my $c = $t->connect;
    $c->write_request(GET => '/a', @home, headers => \@headers);
    $f->wait_calls(settle => 1) or die 'not settled';
    $t->leave($c) or die 'not gone';
    $f->release('settle');
    $t->wait_for(sub { $t->log_count(qr/content owed/) > $owed }) or die 'not owed';
    return @headers;
}

my $pass = paid($t, '/a', @home, change => { from => $wallet->address })->header('X402-Pass');
sub of_x402 () { return ('PAYMENT-SIGNATURE' => payment(offer(asked()))) }
sub of_mpp ()  { return (Authorization => credential(challenge(asked()))) }
sub of_wallet () { return ('SIGN-IN-WITH-X' => proof($wallet, declared_in(asked()))) }

# What it is, what it does at home, and whether it does so again.
for my $token (
    [ 'a pass',               sub { ('X402-Pass' => $pass) }, 'pass', 1 ],
    [ 'a signature',          \&of_wallet,                    'signed_in' ],
    [ 'a used payment',       sub { used(of_x402()) } ],
    [ 'a used credential',    sub { used(of_mpp()) } ],
    [ 'a credential',         \&of_mpp,                       'settled' ],
    [ 'what is owed',         sub { owed(of_x402()) },        'settled' ],
    [ 'what is owed, of MPP', sub { owed(of_mpp()) },         'settled' ],
) {
    my ($what, $make, $good, $again) = @$token;
    is ask($home, $make->())->status, 200, "$what: seen here before" if $what =~ /pass|signature/;
    my @shown = $make->();
    opens_nothing("$what, $_", $places{$_}, @shown) for sort keys %places;
    my $r = ask($home, @shown);
    is $r->status . ' ' . ($r->header('X-State') =~ s/ .*//r), $good ? "200 $good" : '402 refused', "$what: at home it is what it was"
        or diag $r->summary;
    opens_nothing("$what: and no more than that", $home, @shown) if !$again;
}

# The same authorization in the other protocol, and one kind of token in the place of another.
my $challenge = challenge(asked());
is ask($home, Authorization => credential($challenge, from => $wallet->address))->status, 200, 'a credential is used';
my $twin = payload(offer(asked()));
$twin->{payload}{authorization}->@{qw(from nonce)} = ($wallet->address, '0x' . unpack 'H*', keccak256("$challenge->{id}$challenge->{realm}"));
opens_nothing('its nonce in a payment of x402', $home, 'PAYMENT-SIGNATURE' => encoded($twin));
opens_nothing('a pass as a payment',            $home, 'PAYMENT-SIGNATURE' => $pass);
opens_nothing('a pass as a credential',         $home, Authorization => "Payment $pass");
opens_nothing('a pass as a signature',          $home, 'SIGN-IN-WITH-X' => $pass);
opens_nothing('a credential as a pass',         $home, 'X402-Pass' => (of_mpp())[1] =~ s/Payment //r);
opens_nothing('a signature as a pass',          $home, 'X402-Pass' => (of_wallet())[1]);

unlike $t->log, qr/\Q$pass\E|k{64}/, 'no token is in the log';

finish;
