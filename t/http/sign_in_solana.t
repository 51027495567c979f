# SPDX-License-Identifier: Apache-2.0
# x402_sign_in for accounts of Solana: a wallet signs the text with its Ed25519
# key and is let in to what it has bought. A signature of another key, of
# another text or in another spelling opens nothing.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Math::BigInt ();
use MIME::Base64 qw(encode_base64);
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $devnet = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_seal_key %%DIR%%/seal.key;
    x402_sign_in time=1h;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name localhost;
        add_header X-State "$x402_state $x402_payer" always;
        location / {
            x402_accept network=solana-devnet pay_to=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
        location /both {
            x402_accept network=solana-devnet pay_to=EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v price=0.01;
            x402_accept network=base-sepolia pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
chmod 0600, $t->write('seal.key', 's' x 64);
$f->supported(kinds => [ [ 2, 'exact', $devnet, { feePayer => '2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4' } ],
    [ 2, 'exact', 'eip155:84532' ] ]);
$up->on('*', body => "SECRET\n");
$t->start;

sub base58 ($bytes) {
    my $number = Math::BigInt->from_hex(unpack 'H*', $bytes);
    my $text   = '';
    while (!$number->is_zero) {
        (my $rest, $number) = ($number->copy->bmod(58), $number->copy->bdiv(58)->bfloor);
        $text = substr('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz', $rest->numify, 1) . $text;
    }
    return '1' x length(($bytes =~ /\A(\0*)/)[0]) . $text;
}

package Wallet {
    sub new ($class, $name) {
        my $key = $t->dir . "/$name.pem";
        system("openssl genpkey -algorithm ed25519 -out $key 2>/dev/null") == 0 or die 'openssl';
        return bless { key => $key, address => main::base58(substr qx(openssl pkey -in $key -pubout -outform DER), -32) }, $class;
    }
    sub address ($self) { return $self->{address} }
    sub sign ($self, $text) {
        my $file = $t->write('signed', $text);
        return scalar qx(openssl pkeyutl -sign -rawin -inkey $self->{key} -in $file);
    }
}
my ($wallet, $thief) = map { Wallet->new($_) } qw(wallet thief);

sub declared ($path) { return offer($t->get($path))->{extensions}{'sign-in-with-x'} }
sub text_of ($info, $who) {
    return "$info->{domain} wants you to sign in with your Solana account:\n$who\n\nURI: $info->{uri}\nVersion: 1"
        . "\nChain ID: EtWTRABZaYq6iMfeYKouRu166VU2xqa1\nNonce: $info->{nonce}\nIssued At: $info->{issuedAt}"
        . "\nExpiration Time: $info->{expirationTime}\nResources:\n- $info->{uri}";
}
sub proof ($declared, %change) {
    my $by      = delete $change{by}   // $wallet;
    my $address = delete $change{as}   // $by->address;
    my $text    = delete $change{sign} // text_of($declared->{info}, $address);
    my ($chain) = grep { $_->{type} eq 'ed25519' } $declared->{supportedChains}->@*;
    return encoded({ $declared->{info}->%*, address => $address, $chain->%*, signature => base58($by->sign($text)), %change });
}
sub show ($path, $proof) { return $t->get($path, headers => [ 'SIGN-IN-WITH-X' => $proof ]) }
sub error_of ($r) { return $r->status . ' ' . (($r->body =~ /"error":"([^"]*)"/)[0] // '') }

# A transaction as a wallet would send it; its payer is what the facilitator says.
sub buy ($path) {
    $t->wait_for(sub { $t->get($path)->status == 402 });
    my $offer  = offer($t->get($path));
    my ($way)  = grep { $_->{network} eq $devnet } $offer->{accepts}->@*;
    my $message = "\1\0\0\1" . pack('N8', map { int rand 2**31 } 1 .. 8) . ('b' x 32) . "\0";
    $f->verify_once('ok', with => { payer => $wallet->address });
    $f->settle_once('paid', with => { payer => $wallet->address });
    return paid($t, $path, payment => encoded({ x402Version => 2, resource => $offer->{resource}, accepted => $way,
        payload => { transaction => encode_base64("\1" . ('s' x 64) . $message, '') } }));
}

$t->wait_for(sub { $t->get('/a')->status == 402 });
my $declared = declared('/a');
is_deeply $declared->{supportedChains}, [ { chainId => $devnet, type => 'ed25519' } ], 'the offer says how to sign';
is_deeply [ map { $_->{type} } declared('/both')->{supportedChains}->@* ], [ 'ed25519', 'eip191' ], 'beside accounts of EVM';

is error_of(show('/a', proof($declared))), '402 sign_in_not_paid', 'a signature alone buys nothing';
is_content buy('/a'), "SECRET\n", 'paid';
for my $n (1, 2) {
    my $r = show('/a', proof(declared('/a')));
    is $r->status . $r->body, "200SECRET\n", "a signature opens it, time $n";
    is $r->header('X-State'), 'signed_in ' . $wallet->address, 'by the account that paid';
}

my $copy = proof(declared('/a'));
is show('/a', $copy)->status, 200, 'once';
is error_of(show('/a', $copy)), '401 sign_in_nonce_used', 'a copy opens nothing';
is error_of(show('/a', proof(declared('/a'), by => $thief))), '402 sign_in_not_paid', 'another account';
is error_of(show('/a', proof(declared('/a'), by => $thief, as => $wallet->address))), '401 sign_in_signature_invalid', 'in the name of the payer';
is error_of(show('/a', proof(declared('/a'), sign => 'hello'))), '401 sign_in_signature_invalid', 'a signature of another text';
is error_of(show('/a', proof(declared('/a'), address => lc $wallet->address))), '401 sign_in_signature_invalid', 'another spelling of the address';
is error_of(show('/a', proof(declared('/a'), signature => $_))), '401 sign_in_signature_invalid', 'no signature: ' . substr $_, 0, 8
    for '', '1' x 64, '0' x 88, 'z' x 88, base58('s' x 63), base58('s' x 64);
is error_of(show('/a', proof(declared('/a'), type => 'eip191'))), '401 sign_in_chain_not_offered', 'with the name of another kind';
is error_of(show('/b', proof(declared('/b')))), '402 sign_in_not_paid', 'another resource';
is_content buy('/both'), "SECRET\n", 'where both can be paid';
is show('/both', proof(declared('/both')))->status, 200, 'it is opened as well';

finish;
