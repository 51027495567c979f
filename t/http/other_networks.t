# SPDX-License-Identifier: Apache-2.0
# TON, TRON, Cardano, Starknet, Casper and Keeta: what is offered there, one delivery for one payment, and what
# nginx -t says of their addresses.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $sponsor = '0x05f2e02acd59f37f1e19da7ea1db6bf31d49e6e5ba66a7f1c2f0e2ba1be36f81';
my $ton     = 'UQCSQzpXbL5WxNzIbZS0l6LPGKm6qcgoP-oo6kPrPCXP7Sk2';
my $raw     = '0:92433a576cbe56c4dcc86d94b497a2cf18a9baa9c8283fea28ea43eb3c25cfed';
my $tron    = 'TGCAjMXComunWZEXCT1LPBdcYbDVuyexBv';
my $cardano = 'addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgse35a3x';
my $preprod = 'addr_test1vr74jw0m2cq7tdq7aenxmws5cznaz5w5ekdsu9nfrn36nfqlu5uqm';
my $stark   = '0x02dd1b492765c064eac4039e3841aa5f382773b598097a40073bd8b48170ab57';
my $casper  = '007a9f9948cb7b258d18f3c5e85780372971b5b40096e724c9e596c284a01445fa';
my $keeta   = 'keeta_aabravistgwbrkpl4euafuiualiwcemgvv2hnu7ci66i76naj4vm6tmeahmzria';
my $usdt    = 'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t';

# Network, receiver as written, its dollar token, what the offer says beside them, and a payment.
my @sold = (
    [ 'tvm:-239', $ton, '0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe',
        { areFeesSponsored => X402::Payer::bool_true() }, { settlementBoc => 'te6cckEBAgEAkwABnYgBFpKiX', asset => '0:b1' } ],
    [ 'cardano:mainnet', $cardano, 'c48cbb3d5e57ed56e276bc45f99ab39abe94e6cd7ac39fb402da47ad.0014df105553444d',
        {}, { transaction => 'hKQA2QECgYJY', nonce => 'ab#0' } ],
    [ 'starknet:SN_SEPOLIA', $stark, '0x0512feac6339ff7889822cb5aa2a86c848e9d392bb0e3e237c008674feed8343',
        { feePayer => $sponsor }, { from => '0x3f', outsideExecution => { signature => [ '0x1', '0x2' ] } } ],
    [ 'casper:casper-test', $casper, '0cb6f94834c60510d532b0ae077b18b4100874a4c867396d61c2b13c790ead52',
        { name => 'csprUSD', version => '1' }, { publicKey => '0203', signature => '02e6' } ],
    [ 'keeta:21378', $keeta, 'keeta_amnkge74xitii5dsobstldatv3irmyimujfjotftx7plaaaseam4bntb7wnna',
        {}, { block => 'MIH6AgEAAgRURVNU' } ],
    [ 'tron:728126428', $tron, $usdt, { assetTransferMethod => 'permit2' }, { signature => '0x12' },
        "x402_accept price=0.01 asset=$usdt decimals=6 'extra={\"assetTransferMethod\":\"permit2\"}';" ],
);
my $locations = join "\n", map {
    my ($network, $pay_to, $more) = $sold[$_]->@[ 0, 1, 5 ];
    $more //= 'x402_price $0.01;';
    "location /$_ { x402_network $network; x402_pay_to $pay_to; $more proxy_pass http://%%BACKEND%%; }"
} 0 .. $#sold;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF' =~ s/LOCATIONS/$locations/r, facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    server {
        listen 127.0.0.1:%%PORT%%;
        LOCATIONS
    }
}
EOF
$f->supported(kinds => [ map { [ 2, 'exact', $_->[0], $_->[0] =~ /starknet/ ? { feePayer => $sponsor } : () ] } @sold ]);
$up->on("/$_", body => "content $_") for 0 .. $#sold;
$t->start;
ok $t->wait_for(sub { $t->get('/2')->status == 402 }), 'Starknet is offered once its fee payer is known';

for my $n (0 .. $#sold) {
    my ($network, $pay_to, $asset, $extra, $payload) = $sold[$n]->@*;
    my $offer = unpaid($t, "/$n");
    is_deeply $offer->{accepts}, [ { scheme => 'exact', network => $network, amount => '10000', asset => $asset,
        payTo => $pay_to eq $ton ? $raw : $pay_to, maxTimeoutSeconds => 300, extra => $extra } ], "$network: the offer";
    my $payment = payment($offer, payload => $payload);
    is_content paid($t, "/$n", payment => $payment), "content $n", "$network: a payment buys";
    is paid($t, "/$n", payment => $payment)->status, 402, "$network: once";
    is $up->hits("/$n"), 1, "$network: and is made once";
}

# --- what nginx -t says ------------------------------------------------------------------

sub says ($network, $pay_to, $phrase, $more = 'x402_price $0.01;') {
    my $text = $t->config_error(<<"EOF");
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator http://127.0.0.1:1;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_network $network; x402_pay_to $pay_to; $more }
    }
}
EOF
    like $text, qr/\[emerg\].*\Q$phrase\E/, "$network: " . (length $pay_to > 30 ? substr($pay_to, 0, 30) . '...' : $pay_to) . " $phrase";
    return;
}

$t->allow(qr/emerg/);
my $mistyped = 'does not match its checksum, so a character is wrong: copy the address again';
says('tvm:-239', $ton =~ s/SQz/SQy/r, $mistyped);
says('tvm:-239', '0QCSQzpXbL5WxNzIbZS0l6LPGKm6qcgoP-oo6kPrPCXP7ZK8', 'is an address of a test network, and this one has real money');
says('tvm:-239', $raw =~ s/.\z//r, 'is not a TON address: write the 48 characters of its friendly form');
says('tvm:-239', '0:' . '0' x 64, 'does not belong to anyone');
says('tron:728126428', $tron =~ s/Com/Con/r, $mistyped, $sold[5][5]);
says('tron:728126428', "${tron}x", 'is not a TRON address: write its 34 characters in base58', $sold[5][5]);
says('tron:728126428', $usdt, 'is the address of the token', $sold[5][5]);
says('tron:728126428', $tron, 'has no token that dollars stand for');
says('tron:728126428', $tron, 'write permit2 or tip3009', $sold[5][5] =~ s/permit2/eip3009/r);
says('cardano:mainnet', $cardano =~ s/jhsy/jhsz/r, $mistyped);
says('cardano:mainnet', $preprod, 'is an address of a test network, and this one has real money');
says('cardano:preprod', $cardano, 'is an address of the main network, and this one has test money');
says('cardano:mainnet', 'stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw', 'is a stake address');
says('cardano:preview', $preprod, 'has no token that dollars stand for');
says('starknet:SN_MAIN', '0x033068F6539f8e6e6b131e6B2B814e6c34A5224bC66947c47DaB9dFeE93b35fc', $mistyped);
says('starknet:SN_MAIN', '0x' . 'f' x 64, 'has the form of a private key, which is not repeated here');
says('starknet:SN_MAIN', '0x0', 'zero or too large, so a digit is wrong');
says('casper:casper', $casper =~ s/\A00/01/r, 'money sent to a key is lost');
says('casper:casper', substr($casper, 0, 65), 'is not a Casper address: write 00 and the 64');
says('casper:casper', $casper, 'EIP-712 domain is needed', 'x402_accept price=1 decimals=9 asset=' . 'ab' x 32 . ';');
says('keeta:21378', $keeta =~ s/vist/vjst/r, $mistyped);
says('keeta:21378', $sold[4][2], 'is the address of a token');
says($_->[0], $_->[1], qq{"x402_settle off" cannot sell on "$_->[0]"}, 'x402_settle off; ' . ($_->[5] // 'x402_price $0.01;')) for @sold;

finish;
