# SPDX-License-Identifier: Apache-2.0
# Only the facilitator that contributed to an offer (here the fee payer on Solana) can settle it: of a group the first
# that has contributed is offered, and called alone. No facilitator is called with another's contribution.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(encode_base64);

my ($one, $two, $up) = (facilitator(), facilitator(), backend());
my $devnet = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
my @payers = ('2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4', 'CKPKJWNdJEqa81x7CkZ14BVPiY6y16Sxs7owznqtWYp5');
my $conf = <<'EOF' =~ s/SELLER/EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v/gr;
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator_group pair { %%PAIR%% }
    x402_facilitator pair;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    map $arg_tier $price { default 0.01; gold 1; }
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location / { x402_accept network=solana-devnet pay_to=SELLER price=0.01; proxy_pass http://%%BACKEND%%; }
        location /before/ {
            x402_settle before;
            x402_accept network=solana-devnet pay_to=SELLER price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
        location /var { x402_accept network=solana-devnet pay_to=SELLER price=$price; proxy_pass http://%%BACKEND%%; }
        location /evm { x402_accept network=base-sepolia price=0.01; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my %holes = (PAIR => 'server ' . $one->url . ' max_fails=0; server ' . $two->url . ' max_fails=0;');
my $t = nginx($conf, backend => $up, holes => \%holes);
$up->on('*', body => "SECRET\n");
my @all = ($one, $two);
$t->allow(qr/ failed: |was not sent|does not say|supported/);

sub says ($f, $payer) {
    return $f->supported(headers => [ 'Cache-Control' => 'max-age=1' ], kinds => [
        [ 2, 'exact', $devnet, { feePayer => $payer } ], [ 2, 'exact', 'eip155:84532' ] ]);
}

sub fresh () { $_->forget for @all, $up; $_->verify('ok') for @all; $_->settle('paid') for @all; return }
sub asked () { return join ' | ', map { join ' ', grep { $_ ne 'supported' } map { $_->{key} } $_->requests } @all }
sub words ($f) { return join ' ', map { $_->{body} =~ /"paymentRequirements":.*"feePayer":"(\w+)"/ ? $1 : 'none' } map { $f->requests($_) } qw(verify settle) }
sub fee_payer ($path) { my $r = $t->get($path); return $r->status == 402 ? offer($r)->{accepts}[0]{extra}{feePayer} : $r->status }
sub offered ($path, $payer) { return $t->wait_for(sub { 10 == grep { fee_payer($path) eq $payer } 1 .. 10 }) }

# A transaction as a wallet would send it: one signature over a message.
sub solana ($offer) {
    my $message = "\1\0\0\1" . pack('N8', map { int rand 2**31 } 1 .. 8) . ('b' x 32) . "\0";
    return encoded({ x402Version => 2, resource => $offer->{resource}, accepted => $offer->{accepts}[0],
        payload => { transaction => encode_base64("\1" . ('s' x 64) . $message, '') } });
}

# --- the first says nothing, the second does

$one->supported(status => 503, body => '');
says $two, $payers[1];
$t->start;
for my $path ('/', '/before/', '/var') {
    ok offered($path, $payers[1]), "$path: the second's word is offered" or next;
    fresh;
    is paid($t, $path, payment => solana(offer($t->get($path))))->status, 200, "$path: paid";
    is asked, $path eq '/before/' ? ' | settle' : ' | verify settle', "$path: by the one whose word it was, alone";
    is words($two), join(' ', ($payers[1]) x ($path eq '/before/' ? 1 : 2)), "$path: with its own word";
}
fresh;
$two->verify(status => 503, body => '');
is paid($t, '/', payment => solana(offer($t->get('/'))))->status, 502, 'when it fails';
is asked, ' | verify', 'no other facilitator stands in for it';
fresh;
$one->verify(status => 503, body => '');
is paid($t, '/evm', change => { 'accepted.extra.x' => without() })->status, 200, 'an option that no facilitator added to';
is asked, 'verify | verify settle', 'goes on to the next';

# --- the first says it too

my $old = offer($t->get('/'));
says $one, $payers[0];
ok offered('/', $payers[0]), 'the first is the first again';
fresh;
is paid($t, '/', payment => solana(offer($t->get('/'))))->status, 200, 'paid';
is asked, 'verify settle | ', 'by the first alone';
is words($one), join(' ', ($payers[0]) x 2), 'with its own word';
fresh;
is paid($t, '/', payment => solana($old))->status, 200, 'who was offered the second\'s word';
is asked, ' | verify settle', 'is served by that one';
is words($two), join(' ', ($payers[1]) x 2), 'with its own word';
fresh;
$one->verify(status => 503, body => '');
is paid($t, '/', payment => solana(offer($t->get('/'))))->status, 502, 'when the first fails';
is asked, 'verify | ', 'the other is not asked with a word that is not its own';

# --- the other way round after a reload

$holes{PAIR} = 'server ' . $two->url . ' max_fails=0; server ' . $one->url . ' max_fails=0;';
$old = offer($t->get('/'));
$t->{holes} = \%holes;
$t->conf($conf);
$t->wait_exit($t->reload);
ok offered('/', $payers[1]), 'after a reload the other is the first';
fresh;
my $r = paid($t, '/', payment => solana($old));
ok asked =~ /\A(?:verify settle)? \| \z/, 'who was offered the former\'s word is never taken to another' or diag asked;

# --- a way to pay with a facilitator of its own that a reload took away

my $ways = $conf =~ s/^\s*x402_facilitator pair;$//mr =~ s/\{ (x402_accept)/{ x402_facilitator pair; $1/gr
    =~ s/(x402_settle before;)/$1 x402_facilitator pair;/r
    =~ s/location \/evm .*/location \/evm { x402_accept network=base-sepolia price=0.01 facilitator=pair; SECOND proxy_pass http:\/\/%%BACKEND%%; }/r;
my $second = 'x402_accept network=base price=0.01 facilitator=' . $one->url . ';';
$t->conf($ways =~ s/SECOND/$second/r);
$t->wait_exit($t->reload);
$old = offer($t->get('/evm'));
is scalar $old->{accepts}->@*, 2, 'two ways to pay';
$t->conf($ways =~ s/SECOND//r);
$t->wait_exit($t->reload);
fresh;
my $gone = payment($old, accept => 1);
is $t->ask('GET', '/evm', headers => [ header_of($gone) ])->status, 402, 'no payment is possible at the one that is gone';
is asked, ' | ', 'no facilitator is asked';
is paid($t, '/evm', payment => payment($old))->status, 200, 'by the other one one can';

finish;
