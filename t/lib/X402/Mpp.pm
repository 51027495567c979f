# SPDX-License-Identifier: Apache-2.0
package X402::Mpp;

# The paying side of MPP as a client sees it: reads challenges and receipts,
# builds credentials. As in X402::Payer nothing is signed.
#
#     my $challenge  = challenge($answer);
#     my $credential = credential($challenge, from => '0x...', 'payload.value' => '1');
#     my $answer     = $t->get($path, headers => [ Authorization => $credential ]);

use v5.36;
use Exporter 'import';
use JSON::PP ();
use MIME::Base64 qw(encode_base64url decode_base64url);
use X402::Payer ();

our @EXPORT = qw(challenges challenge credential mpp_receipt mpp_problem keccak256 request_of);

my $json = JSON::PP->new->utf8->canonical;

# All challenges of an answer, each with its parameters as they were sent.
sub challenges ($answer) {
    my @all;
    for my $value ($answer->header('WWW-Authenticate')) {
        next if !defined $value;
        push @all, map { +{ /([a-z]+)="((?:[^"\\]|\\.)*)"/g } } split /(?<=")\s*,\s*(?=Payment )/, $value =~ s/\APayment //r;
    }
    return @all;
}
sub challenge ($answer) { return (challenges($answer))[0] // die "no challenge:\n" . $answer->summary }

sub request_of ($challenge) { return $json->decode(decode_base64url($challenge->{request})) }

# Options: from, valid (seconds), anything else a dotted path that is replaced, or removed with without().
sub credential ($challenge, %change) {
    my $request = request_of($challenge);
    my $from    = delete $change{from} // X402::Payer::random_hex(20);
    my $wire    = {
        challenge => {%$challenge},
        payload   => {
            type => 'authorization', from => $from, to => $request->{recipient}, value => $request->{amount},
            validAfter => '0', validBefore => '' . (time + (delete $change{valid} // 299)),
            nonce      => '0x' . unpack('H*', keccak256("$challenge->{id}$challenge->{realm}")),
            signature  => X402::Payer::random_hex(65),
        },
        source => "did:pkh:eip155:$request->{methodDetails}{chainId}:$from",
    };
    for my $path (sort keys %change) {
        my ($at, @keys) = ($wire, split /\./, $path);
        my $last = pop @keys;
        $at = $at->{$_} for @keys;
        if (ref $change{$path} && $change{$path} == X402::Payer::without()) { delete $at->{$last} }
        else                                                               { $at->{$last} = $change{$path} }
    }
    return 'Payment ' . encode_base64url($json->encode($wire));
}

sub mpp_receipt ($answer) {
    my $value = $answer->header('Payment-Receipt') // return undef;
    return $json->decode(decode_base64url($value));
}
sub mpp_problem ($answer) { return eval { $json->decode($answer->body) } }

# Keccak with the padding of Ethereum.
sub keccak256 ($bytes) {
    no warnings 'portable';
    my ($mask, @a) = (0xffffffffffffffff, (0) x 25);
    my $rotated = sub ($word, $by) { $by ? (($word << $by) & $mask) | ($word >> (64 - $by)) : $word };
    my (@constants, $lfsr);
    $lfsr = 1;
    for (1 .. 24) {
        my $constant = 0;
        for my $j (0 .. 6) {
            $constant |= 1 << ((1 << $j) - 1) if $lfsr & 1;
            $lfsr = $lfsr & 0x80 ? (($lfsr << 1) ^ 0x171) : $lfsr << 1;
        }
        push @constants, $constant;
    }
    my $padded = $bytes . "\x01" . "\0" x (135 - length($bytes) % 136);
    substr($padded, -1, 1) = chr(ord(substr $padded, -1, 1) | 0x80);
    for my $block (unpack '(a136)*', $padded) {
        my @words = unpack 'Q<17', $block;
        $a[$_] ^= $words[$_] for 0 .. 16;
        for my $constant (@constants) {
            my @c = map { $a[$_] ^ $a[ $_ + 5 ] ^ $a[ $_ + 10 ] ^ $a[ $_ + 15 ] ^ $a[ $_ + 20 ] } 0 .. 4;
            my @d = map { $c[ ($_ + 4) % 5 ] ^ $rotated->($c[ ($_ + 1) % 5 ], 1) } 0 .. 4;
            $a[$_] ^= $d[ $_ % 5 ] for 0 .. 24;
            my ($x, $y, @b) = (1, 0);
            $b[0] = $a[0];
            for my $t (0 .. 23) {
                my $at = $a[ $x + 5 * $y ];
                ($x, $y) = ($y, (2 * $x + 3 * $y) % 5);
                $b[ $x + 5 * $y ] = $rotated->($at, (($t + 1) * ($t + 2) / 2) % 64);
            }
            for my $row (map { 5 * $_ } 0 .. 4) {
                $a[ $row + $_ ] = $b[ $row + $_ ] ^ (~$b[ $row + ($_ + 1) % 5 ] & $mask & $b[ $row + ($_ + 2) % 5 ]) for 0 .. 4;
            }
            $a[0] ^= $constant;
        }
    }
    return substr pack('Q<4', @a[ 0 .. 3 ]), 0, 32;
}

1;
