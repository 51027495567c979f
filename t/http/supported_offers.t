# SPDX-License-Identifier: Apache-2.0
# What only the facilitator knows goes into the offer once it has said it: before that nothing is offered
# that cannot be paid, and a change of its mind does not turn away who was offered the old words.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(encode_base64);

my ($f, $up) = (facilitator(), backend());
my $devnet = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
my @payers = ('2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4', 'CKPKJWNdJEqa81x7CkZ14BVPiY6y16Sxs7owznqtWYp5');
my $conf = <<'EOF' =~ s/SELLER/EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v/gr;
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    map $arg_tier $price { default 0.01; gold 1; }
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location /sol { x402_accept network=solana-devnet pay_to=SELLER price=0.01; proxy_pass http://%%BACKEND%%; }
        location /var { x402_accept network=solana-devnet pay_to=SELLER price=$price; proxy_pass http://%%BACKEND%%; }
        location /own {
            x402_accept network=solana-devnet pay_to=SELLER price=0.01 'extra={"feePayer":"2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4"}';
            proxy_pass http://%%BACKEND%%;
        }
        location /two {
            x402_accept network=solana-devnet pay_to=SELLER price=0.01;
            x402_accept network=base-sepolia price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
        location /evm  { x402_network base-sepolia; x402_price 0.01; proxy_pass http://%%BACKEND%%; }
        location /upto {
            x402_accept network=base-sepolia scheme=upto price=5;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up);
$up->on('*', body => "SECRET\n");
$f->supported(status => 503, body => 'later');
$t->start;

# A transaction as a wallet would send it: one signature over a message.
sub solana ($offer, %change) {
    my $message = "\1\0\0\1" . pack('N8', map { int rand 2**31 } 1 .. 8) . ('b' x 32) . "\0";
    return encoded({ x402Version => 2, resource => $offer->{resource}, accepted => $offer->{accepts}[ $change{accept} // 0 ],
        payload => { transaction => encode_base64("\1" . ('s' x 64) . $message, '') } });
}

# --- before it is known ------------------------------------------------------------

for my $path (qw(/sol /var)) {
    my $r = $t->get($path);
    is $r->status, 503, "$path: not offered yet";
    is $r->body, '{"error":"facilitator_not_ready","charged":false}', "$path: the word";
    ok $r->header('Retry-After'), "$path: come back";
    is $r->header_count('PAYMENT-REQUIRED'), 0, "$path: nothing that cannot be paid";
}
is offer($t->get('/evm'))->{accepts}[0]{network}, 'eip155:84532', 'EVM exact needs nothing';
is offer($t->get('/own'))->{accepts}[0]{extra}{feePayer}, $payers[0], 'nor does who wrote it himself';
is join(' ', map { $_->{network} } offer($t->get('/two'))->{accepts}->@*), 'eip155:84532', 'the other way is offered meanwhile';
ok !exists offer($t->get('/upto'))->{accepts}[0]{extra}{facilitatorAddress}, 'upto does without';
ok $up->untouched, 'the backend saw nothing';

# --- known --------------------------------------------------------------------------

$f->supported(headers => [ 'Cache-Control' => 'max-age=1' ], kinds => [
    [ 2, 'exact', $devnet, { feePayer => $payers[0], paymentFlow => 'escrow', other => 1 } ], [ 2, 'exact', 'eip155:84532' ],
    [ 2, 'upto', 'eip155:84532', { facilitatorAddress => '0x' . '1' x 40 } ] ]);
ok $t->wait_for(sub { 10 == grep { $t->get('/sol')->status == 402 } 1 .. 10 }), 'offered by all workers once it is known';
my $old = offer($t->get('/sol'));
is_deeply $old->{accepts}[0]{extra}, { feePayer => $payers[0] }, 'with the fee payer, and nothing else of the kind';
is offer($t->get('/var?tier=gold'))->{accepts}[0]{extra}{feePayer}, $payers[0], 'beside a price from variables too';
is scalar offer($t->get('/two'))->{accepts}->@*, 2, 'both ways';
is offer($t->get('/two'))->{accepts}[0]{network}, $devnet, 'in their order';
is offer($t->get('/upto'))->{accepts}[0]{extra}{facilitatorAddress}, '0x' . '1' x 40, 'the address of the facilitator';
for my $path ('/sol?a=1', '/sol?b="2"', '/upto', '/upto?c') {
    like offer($t->get($path))->{resource}{url}, qr{^http://[^/]+\Q$path\E$}, "$path: its own URL";
}
is offer($t->ask('POST', '/sol'))->{accepts}[0]{extra}{feePayer}, $payers[0], 'to any method';
is offer($t->get("/sol?$_"))->{accepts}[0]{extra}{feePayer}, $payers[0], "the same offer each time: $_" for 1 .. 3;

my $payment = solana($old);
my $r = paid($t, '/sol', payment => $payment);
is $r->status, 200, 'paid';
is $f->asked('verify')->{paymentRequirements}{extra}{feePayer}, $payers[0], 'the facilitator gets our requirement';
is paid($t, '/sol', payment => $payment)->status, 402, 'one transaction, one delivery';
is $up->hits('/sol'), 1, 'made once';
is paid($t, '/var?tier=gold', payment => solana(offer($t->get('/var?tier=gold'))))->status, 200, 'paid by variable price';
my $forged = solana($old);
my $other = X402::Payer::decoded($forged);
$other->{accepted}{extra}{feePayer} = $payers[1];
is $t->ask('GET', '/sol', headers => [ header_of(encoded($other)) ])->status, 402, 'another fee payer is another offer';

# --- it changes its mind --------------------------------------------------------------

$f->supported(headers => [ 'Cache-Control' => 'max-age=60' ], kinds => [
    [ 2, 'exact', $devnet, { feePayer => $payers[1] } ], [ 2, 'exact', 'eip155:84532' ] ]);
ok $t->wait_for(sub { 10 == grep { offer($t->get('/sol'))->{accepts}[0]{extra}{feePayer} eq $payers[1] } 1 .. 10 }),
    'the new fee payer is offered by all';
is paid($t, '/sol', payment => solana($old))->status, 200, 'who was offered the old one is served';

finish;
