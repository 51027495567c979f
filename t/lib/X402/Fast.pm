# SPDX-License-Identifier: Apache-2.0
package X402::Fast;

# The paying side of fast as a client of it sees it: reads offers from the body,
# builds X-PAYMENT values from a certificate that a committee has signed, or from
# an EVM authorization. Nothing is signed: the facilitator of the tests decides.
#
#     my $body = fast_offer($t->get('/premium'));
#     my $header = fast_payment($body);                      a fresh certificate
#     my $header = fast_payment($body, nonce => 7);          of one sender
#     my $header = recorded_payment();                       always the same 2756 bytes
#     my $header = evm_payment($body, accept => 1);
#     is fast_receipt($answer)->{payer}, ...;

use v5.36;
use Exporter 'import';
use JSON::PP ();
use X402::Payer qw(encoded decoded random_hex);

our @EXPORT = qw(fast_offer fast_payment recorded_payment evm_payment fast_receipt certificate);

my $json = JSON::PP->new->utf8->canonical;
my $next_seed = 1000;    # drawn ones would be the same now and then

sub fast_offer ($answer)   { return scalar eval { $json->decode($answer->body) } }
sub fast_receipt ($answer) { return decoded(scalar $answer->header('X-PAYMENT-RESPONSE')) }

# Bytes as these clients write them: arrays of numbers. The same for the same seed.
sub _bytes ($count, $seed) {
    my @bytes;
    for (1 .. $count) {
        $seed = ($seed * 1103515245 + 12345) % 2147483648;
        push @bytes, ($seed >> 16) % 256;
    }
    return \@bytes;
}

# A transfer that `signers` members of the committee have signed.
sub certificate (%of) {
    my $seed = $of{seed} // $next_seed++;
    return {
        type                   => 'signAndSendTransaction',
        transactionCertificate => {
            envelope => {
                transaction => {
                    network_id      => $of{network_id} // 'fast:testnet',
                    sender          => $of{sender} // _bytes(32, $seed),
                    nonce           => '' . ($of{nonce} // 7),
                    timestamp_nanos => '1760000000000000000',
                    claim           => { TokenTransfer => {
                        token_id  => _bytes(32, 11), recipient => _bytes(32, 12),
                        amount    => $of{amount} // '3e8', user_data => 'order 2026-000042 of the premium door, paid by the tests',
                    } },
                    archival => JSON::PP::false,
                },
                signature => { Signature => _bytes(64, $seed + 1) },
            },
            signatures => [ map { [ _bytes(32, 100 + $_), _bytes(64, $seed + $_) ] } 1 .. $of{signers} // 3 ],
        },
    };
}

sub fast_payment ($body, %of) {
    my $accept = $body->{accepts}[ delete $of{accept} // 0 ];
    return encoded({ x402Version => $body->{x402Version} // 1, scheme => 'exact',
        network => $of{network} // $accept->{network}, payload => certificate(%of) });
}

sub recorded_payment () {
    return fast_payment({ accepts => [ { network => 'fast-testnet' } ] }, seed => 2);
}

sub evm_payment ($body, %of) {
    my $accept = $body->{accepts}[ $of{accept} // 0 ];
    my $until  = int(time) + ($of{valid} // 3600);  # so much whatever is offered
    return encoded({
        x402Version => 1, scheme => 'exact', network => $of{network} // $accept->{network},
        payload => {
            signature     => random_hex(65),
            authorization => {
                from  => $of{from} // random_hex(20), to => $accept->{payTo},
                value => $of{value} // $accept->{maxAmountRequired},
                validAfter => '0', validBefore => "$until", nonce => $of{nonce} // random_hex(32),
            },
        },
    });
}

1;
