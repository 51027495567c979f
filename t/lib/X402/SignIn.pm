# SPDX-License-Identifier: Apache-2.0
package X402::SignIn;

# A wallet that signs in (sign-in-with-x), as a client does it.
#
#     my $declared = declared_in($t->get('/a'));         # the extension of an offer
#     my $header   = proof($wallet, $declared);          # a value of SIGN-IN-WITH-X
#     my $header   = proof($wallet, $declared, nonce => ..., sign => $text);
#     my $answer   = show_proof($t, '/a', $header, host => 'shop.example');
#     my $answer   = sign_in_by($wallet, $t, '/a', host => 'shop.example');

use v5.36;
use Exporter 'import';
use X402::Payer;
our @EXPORT = qw(declared_in proof show_proof sign_in_by error_of);

sub declared_in ($answer) { return (offer($answer) // {})->{extensions}{'sign-in-with-x'} }

# EIP-4361: the line of a statement stays empty where there is none.
sub _text ($info, $chain, $who) {
    return "$info->{domain} wants you to sign in with your Ethereum account:\n$who\n\n"
        . (defined $info->{statement} ? "$info->{statement}\n\n" : "\n")
        . "URI: $info->{uri}\nVersion: 1\nChain ID: " . ($chain =~ s/.*://r)
        . "\nNonce: $info->{nonce}\nIssued At: $info->{issuedAt}\nExpiration Time: $info->{expirationTime}\nResources:\n- $info->{uri}";
}

# %change replaces members of what is sent, `sign` the text that is signed.
sub proof ($wallet, $declared, %change) {
    my ($info, $chain) = ($declared->{info}, $declared->{supportedChains}[0]);
    my $signed = $wallet->sign_text(delete $change{sign} // _text($info, $chain->{chainId}, $wallet->address));
    return encoded({ $info->%*, address => $wallet->address, $chain->%*, signature => $signed, %change });
}

sub show_proof ($t, $path, $proof, %options) {
    return $t->get($path, %options, headers => [ 'SIGN-IN-WITH-X' => $proof, ($options{headers} // [])->@* ]);
}

sub sign_in_by ($wallet, $t, $path, %options) {
    return show_proof($t, $path, proof($wallet, declared_in($t->get($path, %options))), %options);
}

# "402 sign_in_not_paid": the status, and the error that the body says.
sub error_of ($answer) { return $answer->status . ' ' . (($answer->body =~ /"error":"([^"]*)"/)[0] // '') }

1;
