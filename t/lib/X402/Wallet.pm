# SPDX-License-Identifier: Apache-2.0
package X402::Wallet;

# An EVM account that signs texts (EIP-191), by the openssl program.
#
#     my $wallet = X402::Wallet->new;
#     my $signature = $wallet->sign_text($text);    0x and 130 hex digits
#     $wallet->address;                             lower case
#
# The payments of scheme exact (EIP-3009) it signs as its token wants it, with the
# one key that can be recovered:
#
#     my $header = $wallet->pay($offer, nonce => ..., 'payload.authorization.value' => 1);

use v5.36;
use File::Temp ();
use Math::BigInt;
use X402::Payer ();

my $order = Math::BigInt->from_hex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');

sub new ($class) {
    my $dir = File::Temp->newdir;
    system("openssl ecparam -name secp256k1 -genkey -noout -out $dir/key.pem 2>/dev/null") == 0 or die 'openssl: no key';
    my $point = _point("$dir/key.pem");
    return bless { dir => $dir, address => '0x' . substr(unpack('H*', keccak256($point)), -40) }, $class;
}

# The 64 bytes of the public key, and the secret number, of a key file.
sub _point ($file)  { return substr `openssl ec -in $file -pubout -outform DER 2>/dev/null`, -64 }
sub _secret ($file) { return _number(substr `openssl ec -in $file -outform DER 2>/dev/null`, 7, 32) }
sub _number ($bytes) { return Math::BigInt->from_hex(unpack 'H*', $bytes) }
sub _word ($number)  { return substr '0' x 64 . $number->to_hex, -64 }

sub address ($self) { return $self->{address} }

sub sign_text ($self, $text) { return $self->sign_digest(keccak256("\x19Ethereum Signed Message:\n" . length($text) . $text)) }

# A digest, signed so that its key can be recovered: r, s in the lower half, 27 or
# 28. One secret of the signature serves for all: the key guards nothing.
sub sign_digest ($self, $digest) {
    my $once = $self->{once} //= do {
        system("openssl ecparam -name secp256k1 -genkey -noout -out $self->{dir}/once.pem 2>/dev/null") == 0
            or die 'openssl: no key';
        my $point = _point("$self->{dir}/once.pem");
        {
            inverse => _secret("$self->{dir}/once.pem")->bmodinv($order),
            r       => _number(substr $point, 0, 32)->bmod($order),
            odd     => 1 & ord substr $point, -1,
        };
    };
    my $key = $self->{key} //= _secret("$self->{dir}/key.pem");
    my $s = $once->{r}->copy->bmul($key)->badd(_number($digest))->bmul($once->{inverse})->bmod($order);
    my $odd = $once->{odd};
    ($s, $odd) = ($order - $s, 1 - $odd) if $s * 2 > $order;
    return '0x' . _word($once->{r}) . _word($s) . ($odd ? '1c' : '1b');
}

# A payment as X402::Payer::payment() makes it, from this account and signed;
# `domain` replaces parts of what is signed for (name, version, chain, token).
sub pay ($self, $offer, %change) {
    my $domain  = delete $change{domain} // {};
    my $wire    = X402::Payer::payload($offer, from => $self->{address}, %change);
    my $accept  = $wire->{accepted};
    my %of      = (name => $accept->{extra}{name}, version => $accept->{extra}{version},
        chain => $accept->{network} =~ s/\Aeip155://r, token => $accept->{asset}, %$domain);
    my $terms   = $wire->{payload}{authorization};
    my $number  = sub ($text) { pack 'H*', _word(Math::BigInt->new($text)) };
    my $address = sub ($text) { pack 'H*', '0' x 24 . substr $text, 2 };
    my $separator = keccak256(keccak256('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
        . keccak256($of{name}) . keccak256($of{version}) . $number->($of{chain}) . $address->($of{token}));
    my $message = keccak256(keccak256('TransferWithAuthorization(address from,address to,uint256 value,'
                . 'uint256 validAfter,uint256 validBefore,bytes32 nonce)')
        . $address->($terms->{from}) . $address->($terms->{to}) . join('', map { $number->($terms->{$_}) } qw(value validAfter validBefore))
        . pack('H*', substr $terms->{nonce}, 2));
    $wire->{payload}{signature} = $self->sign_digest(keccak256("\x19\x01$separator$message"));
    return X402::Payer::encoded($wire);
}

# --- Keccak-256 ---------------------------------------------------------------------

no warnings 'portable';
my @constants = map { hex } qw(1 8082 800000000000808A 8000000080008000 808B 80000001 8000000080008081 8000000000008009
    8A 88 80008009 8000000A 8000808B 800000000000008B 8000000000008089 8000000000008003 8000000000008002 8000000000000080
    800A 800000008000000A 8000000080008081 8000000000008080 80000001 8000000080008008);

sub _turned ($word, $by) { return $by ? $word << $by | $word >> 64 - $by : $word }

sub _permute ($state) {
    for my $constant (@constants) {
        my @columns = map { my $x = $_; my $sum = 0; $sum ^= $state->[ $x + 5 * $_ ] for 0 .. 4; $sum } 0 .. 4;
        for my $x (0 .. 4) {
            my $change = $columns[ ($x + 4) % 5 ] ^ _turned($columns[ ($x + 1) % 5 ], 1);
            $state->[ $x + 5 * $_ ] ^= $change for 0 .. 4;
        }
        my @moved;
        my ($x, $y, $by) = (1, 0, 0);
        $moved[0] = $state->[0];
        for my $step (1 .. 24) {
            $by = ($by + $step) % 64;
            my ($to_x, $to_y) = ($y, (2 * $x + 3 * $y) % 5);
            $moved[ $to_x + 5 * $to_y ] = _turned($state->[ $x + 5 * $y ], $by);
            ($x, $y) = ($to_x, $to_y);
        }
        for my $row (0 .. 4) {
            my @row = @moved[ 5 * $row .. 5 * $row + 4 ];
            $state->[ $_ + 5 * $row ] = $row[$_] ^ (~$row[ ($_ + 1) % 5 ] & $row[ ($_ + 2) % 5 ]) for 0 .. 4;
        }
        $state->[0] ^= $constant;
    }
    return;
}

sub keccak256 ($bytes) {
    no warnings 'portable';
    my $rate = 136;
    $bytes .= "\x01" . "\0" x ($rate - 1 - length($bytes) % $rate);
    substr($bytes, -1) |.= "\x80";
    my @state = (0) x 25;
    for (my $at = 0; $at < length $bytes; $at += $rate) {
        my @words = unpack 'Q<17', substr $bytes, $at, $rate;
        $state[$_] ^= $words[$_] for 0 .. 16;
        _permute(\@state);
    }
    return pack 'Q<4', @state[ 0 .. 3 ];
}

1;
