# SPDX-License-Identifier: Apache-2.0
package X402::Payer;

# The paying side of x402 v2 as a client sees it: reads offers and receipts,
# builds PAYMENT-SIGNATURE values. Nothing is signed: the facilitator of the
# tests decides what is valid.
#
#     my $offer  = offer($answer);
#     my $header = payment($offer);
#     my $header = payment($offer, 'payload.authorization.value' => '1',
#                                  'accepted.amount' => 1, resource => without());
#     is receipt($answer)->{success}, ...;

use v5.36;
use Exporter 'import';
use JSON::PP ();
use MIME::Base64 qw(encode_base64 decode_base64);

our @EXPORT = qw(offer receipt plain_body payment permit2 payload encoded decoded without header_of
    random_hex bool_true bool_false);

my $json  = JSON::PP->new->utf8->canonical;
my $empty = \'without';

sub without ()    { return $empty }
sub bool_true ()  { return JSON::PP::true }
sub bool_false () { return JSON::PP::false }

# Header values are plain padded base64; anything else is undef here.
sub decoded ($value) {
    return undef if !defined $value || $value !~ m{\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\z};
    return eval { $json->decode(decode_base64($value)) };
}

sub encoded ($value) { return encode_base64(ref $value ? $json->encode($value) : $value, '') }

sub offer ($answer)   { return decoded(scalar $answer->header('PAYMENT-REQUIRED')) }
sub receipt ($answer) { return decoded(scalar $answer->header('PAYMENT-RESPONSE')) }

# The body of a 402 that carries its offer in the header: the error once more, no way to pay for clients of version 1,
# and words for people, which t/unit/policy/challenge_body_test.cpp looks at.
sub plain_body ($answer) {
    my $error = (offer($answer) // {})->{error};
    my ($words) = $answer->body =~ /("message":"This costs [^"]+","(?:hint":"[^"]+",")?help":"https:[^"]+")\}\z/;
    return '{' . (defined $error ? '"error":' . $json->allow_nonref->encode($error) . ',' : '') . '"accepts":[],' . ($words // '') . '}';
}

sub random_hex ($bytes) {
    return '0x' . join '', map { sprintf '%02x', int rand 256 } 1 .. $bytes;
}

# The decoded payment for one of the accepts of an offer. Options: accept => n
# chooses, from and nonce and valid (seconds from now) set the usual, any other
# key is a dotted path whose value is replaced, or removed with without().
sub payload ($offer, %change) {
    my $accept = $json->decode($json->encode($offer->{accepts}[ delete $change{accept} // 0 ]));
    my $valid  = delete $change{valid} // $accept->{maxTimeoutSeconds};
    my $payload = {
        x402Version => 2,
        resource    => $offer->{resource},
        accepted    => $accept,
        payload     => {
            signature     => random_hex(65),
            authorization => {
                from        => delete $change{from} // random_hex(20),
                to          => $accept->{payTo},
                value       => $accept->{amount},
                validAfter  => '0',
                validBefore => '' . (time + $valid),
                nonce       => delete $change{nonce} // random_hex(32),
            },
        },
    };
    for my $path (sort keys %change) {
        my ($at, @keys) = ($payload, split /\./, $path);
        my $last = pop @keys;
        $at = $at->{$_} for @keys;
        if (ref $change{$path} && $change{$path} == $empty) { delete $at->{$last} }
        else                                                { $at->{$last} = $change{$path} }
    }
    return $payload;
}

sub payment ($offer, %change) { return encoded(payload($offer, %change)) }

# The same with a Permit2 authorization, for a way of scheme exact or upto.
# Options: from, nonce (digits), amount (at most), deadline (seconds from now).
sub permit2 ($offer, %of) {
    my $accept  = $offer->{accepts}[0];
    my $upto    = $accept->{scheme} eq 'upto';
    my %witness = (to => $accept->{payTo}, validAfter => '0', $upto ? (facilitator => '0x' . '1' x 40) : ());
    return encoded({
        x402Version => 2, resource => $offer->{resource}, accepted => $accept,
        payload => {
            signature            => random_hex(65),
            permit2Authorization => {
                from      => $of{from} // random_hex(20),
                permitted => { token => $accept->{asset}, amount => $of{amount} // $accept->{amount} },
                spender   => $upto ? '0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002' : '0x402085c248EeA27D92E8b30b2C58ed07f9E20001',
                nonce     => $of{nonce} // join('', 1 + int rand 9, map { int rand 10 } 1 .. 40),
                deadline  => '' . (time + ($of{deadline} // $accept->{maxTimeoutSeconds})),
                witness   => \%witness,
            },
        },
    });
}

sub header_of ($value) { return ('PAYMENT-SIGNATURE' => $value) }

1;
