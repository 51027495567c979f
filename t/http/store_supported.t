# SPDX-License-Identifier: Apache-2.0
# A facilitator that tells each machine another fee payer: a client that got its
# offer at one machine pays at another that shares its store. What else is in
# the store is never offered, and harms nothing.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(encode_base64);
use X402::Machines;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $cut    = X402::StoreProxy->new($redis->port);
my $devnet = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
my ($first, $second, $evil) = ('2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4',
    'CKPKJWNdJEqa81x7CkZ14BVPiY6y16Sxs7owznqtWYp5', '9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM');
my $conf = <<'EOF' =~ s/SELLER/EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v/gr;
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_store %%STORE%% timeout=5s;
    x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; }
    x402_facilitator patient;
    server {
        listen %%ADDRESS%%:%%PORT%% reuseport;
        add_header X-Worker $pid always;
        location /    { x402_accept network=solana-devnet pay_to=SELLER price=0.01; proxy_pass http://%%BACKEND%%; }
        location /two {
            x402_accept network=solana-devnet pay_to=SELLER price=0.01;
            x402_accept network=base-sepolia pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
my ($one, $two) = machines($conf, $f, $up, [ $redis->url, $cut->url ], start => 0);
$up->on('*', body => "SECRET\n");

sub kinds ($payer) { return (kinds => [ [ 2, 'exact', $devnet, { feePayer => $payer } ], [ 2, 'exact', 'eip155:84532' ] ]) }
sub fee_payer_in ($answer) { return (offer($answer) // {})->{accepts}[0]{extra}{feePayer} // '' }
sub fee_payer ($t, $path) { return fee_payer_in($t->get($path)) }

# A transaction as a wallet would send it: one signature over a message.
sub solana ($offer) {
    my $message = "\1\0\0\1" . pack('N8', map { int rand 2**31 } 1 .. 8) . ('b' x 32) . "\0";
    return encoded({ x402Version => 2, resource => $offer->{resource}, accepted => $offer->{accepts}[0],
        payload => { transaction => encode_base64("\1" . ('s' x 64) . $message, '') } });
}

# Both workers of a machine have to know: what is asked is good at each, without one that is not in between.
sub at_both ($t, $ask, $is_good) {
    my %good;
    return $t->wait_for(sub {
        my $answer = $ask->();
        %good = () if !$is_good->($answer);
        $good{ $answer->header('X-Worker') } = 1 if $is_good->($answer);
        return keys %good == 2;
    });
}
sub pays ($t, $path, $offer) {
    return at_both($t, sub { paid($t, $path, payment => solana($offer)) }, sub ($answer) { $answer->status == 200 });
}

for my $machine ([ $one, $first ], [ $two, $second ]) {
    my ($t, $payer) = @$machine;
    $f->supported(kinds($payer));
    $t->start;
    ok at_both($t, sub { $t->get('/') }, sub ($answer) { fee_payer_in($answer) eq $payer }), 'each machine heard another fee payer';
}

for my $path ('/', '/two') {
    ok pays($two, $path, offer($one->get($path))), "$path: an offer of the first machine is paid at the second";
    is $f->asked('verify', -1)->{paymentRequirements}{extra}{feePayer}, $first, "$path: as it was offered";
    ok pays($one, $path, offer($two->get($path))), "$path: and the other way round";
    is $f->asked('verify', -1)->{paymentRequirements}{extra}{feePayer}, $second, "$path: as it was offered";
    is fee_payer($_->[0], $path), $_->[1], "$path: each offers what it has heard itself" for [ $one, $first ], [ $two, $second ];
}

# --- hostile texts

my ($key) = $redis->ask('KEYS', 'x402:*:s:*')->@*;
ok $key, 'the store has the texts';
is $redis->ask('ZCARD', $key), 2, 'of both machines';
cmp_ok $redis->ask('PTTL', $key), '>', 0, 'for a while';
my $moment = $redis->ask('ZRANGE', $key, 0, 0, 'WITHSCORES')->[1] + 1;
$redis->ask('ZADD', $key, $moment++, $_) for 'garbage', '{"kinds":[{"scheme":7}]}', '{"kinds":' . '[' x 5000, '"' . 'x' x 20000 . '"',
    qq({"kinds":[{"x402Version":2,"scheme":"exact","network":"$devnet","extra":{"feePayer":"$evil"}}]});
$one->allow(qr/not an answer of a facilitator/);
$one->log_like(qr/\[error\].*a text about facilitator .* that is not an answer of a facilitator; it is not used; check whether another program/, 'a line says that there are others');
is fee_payer($_->[0], '/'), $_->[1], 'what is not heard from the facilitator is not offered' for [ $one, $first ], [ $two, $second ];
ok pays($two, '/', offer($one->get('/'))), 'the others are as good as before';

my $forged = offer($one->get('/'));
$forged->{accepts}[0]{extra}{feePayer} = $evil;
$_->forget for $f, $up;
$f->verify(invalid => 'fee_payer_not_managed_by_facilitator');
is paid($one, '/', payment => solana($forged))->status, 402, 'a payment for a fee payer of a stranger is the facilitator\'s to judge';
is $f->calls('settle') + $up->hits, 0, 'nothing is settled or made';
$f->verify('ok');
$forged->{accepts}[0]{extra}{feePayer} = 'So11111111111111111111111111111111111111112';
is paid($one, '/', payment => solana($forged))->status, 402, 'one of which nobody has heard is another offer';
$forged = offer($one->get('/'));
$forged->{accepts}[0]{payTo} = $evil;
is paid($one, '/', payment => solana($forged))->status, 402, 'and so is one for another seller';

# --- the store

$cut->always(supported => 'garbage');
my $asked = $cut->asked('supported');
ok $two->wait_for(sub { $cut->asked('supported') > $asked + 2 }), 'the store answers garbage';
is fee_payer($two, '/'), $second, 'and offers go on';
$cut->clear;
ok pays($two, '/', offer($one->get('/'))), 'and payments, once it is itself again';
$redis->ask('DEL', $key);
ok $two->wait_for(sub { $redis->ask('ZCARD', $key) == 2 }), 'both texts are told again to a store that has lost them';
ok pays($two, '/', offer($one->get('/'))), 'and payments go on';
$redis->ask('SCRIPT', 'FLUSH');
$redis->ask('DEL', $key);
$two->reload;
ok at_both($two, sub { $two->get('/') }, sub ($answer) { fee_payer_in($answer) eq $second }), 'after a reload';
ok pays($one, '/', offer($two->get('/'))), 'the texts are told again, with a script that the store has to learn';
$redis->stop;
is fee_payer($_->[0], '/'), $_->[1], 'the store is away, and offers go on' for [ $one, $first ], [ $two, $second ];
$_->allow(qr/store .* connection/) for $one, $two;

finish;
