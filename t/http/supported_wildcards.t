# SPDX-License-Identifier: Apache-2.0
# A facilitator that lists all networks of a family (solana:*, eip155:*) supports each of them: what is needed is
# offered with what it says of the family, and nothing is missing in the log.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my ($family, $network) = ('2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4', 'CKPKJWNdJEqa81x7CkZ14BVPiY6y16Sxs7owznqtWYp5');
$f->supported(kinds => [
    [ 2, 'exact', 'solana:*', { feePayer => $family } ],
    [ 2, 'exact', 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', { feePayer => $network } ],
    [ 2, 'exact', 'eip155:*' ], [ 2, 'upto', 'solana:*' ],
]);
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_pay_to 6KPYbF2aRTMVcGRzRnTNuqA6oSKmUXYAxHZHZFeCFLGN;
    server {
        listen 127.0.0.1:%%PORT%%;
        root %%DIR%%/html;
        location /dev  { x402_accept network=solana-devnet price=0.01; }
        location /main { x402_accept network=solana price=0.01; }
        location /evm  { x402_accept network=base-sepolia pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C price=0.01; }
    }
}
EOF
$t->start;

ok $t->wait_for(sub { $t->get('/dev')->status == 402 }), 'a network that the family stands for is offered';
is offer($t->get('/dev'))->{accepts}[0]{extra}{feePayer}, $family, 'with the fee payer of the family';
is offer($t->get('/main'))->{accepts}[0]{extra}{feePayer}, $network, 'a network that is listed by itself has its own';
is $t->get('/evm')->status, 402, 'EVM';
$t->log_unlike(qr/does not list/, 'nothing is missing');

finish;
