# SPDX-License-Identifier: Apache-2.0
# A payment that was settled before content and never answered may be forged, with another payer's name and
# nonce. A client that presents what that payer has really signed is verified and served; no other client gets content.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; }
    x402_facilitator patient;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_settle before;
    x402_zone x402:2m journal=%%DIR%%/claims.journal;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location /       { proxy_pass http://%%BACKEND%%; }
        location /after/ { x402_settle after; proxy_pass http://%%BACKEND%%; }
        location /off/   { x402_settle off; proxy_pass http://%%BACKEND%%; }
        location /dear/  { x402_price $3; proxy_pass http://%%BACKEND%%; }
        location /permit { x402_accept price=0.01 'extra={"assetTransferMethod":"permit2"}'; proxy_pass http://%%BACKEND%%; }
        location /upto   { x402_settle after; x402_accept scheme=upto price=5; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

my $unknown = '503{"error":"settlement_unknown","charged":"unknown"}';
sub said ($answer) { return $answer->status . $answer->body }
sub fresh () { $_->forget for $f, $up; $f->verify('ok'); $f->settle('paid'); return }

# Presented by another client, never answered; the payer that it names, and its nonce.
sub forged ($path) {
    fresh;
    my ($victim, $nonce) = (random_hex(20), random_hex(32));
    my $forged = payment(unpaid($t, $path), from => $victim, nonce => $nonce, valid => 250);
    $f->settle('close');
    is said(paid($t, $path, payment => $forged, from => '127.0.0.66')), $unknown, "$path: one in doubt";
    fresh;
    return ($forged, from => $victim, nonce => $nonce);
}

# --- another payment of the payer is not kept waiting, nor asked about the forged one

my (undef, %of) = forged('/other');
is_content paid($t, '/other', change => { from => $of{from} }), "SECRET\n", 'another payment of the payer buys';
is $f->order, 'settle', 'at once';
(undef, %of) = forged('/after/other');
is_content paid($t, '/other', change => { from => $of{from} }), "SECRET\n", 'also where others are verified first';

# --- the payer itself

my ($forged, %victim) = forged('/a');
my $honest = payment(unpaid($t, '/a'), %victim, valid => 200);
is_content paid($t, '/a', payment => $honest), "SECRET\n", 'the payer is served';
is $f->order, 'verify settle', 'verified, and settled';
is $f->asked('settle')->{paymentPayload}{payload}{signature}, decoded($honest)->{payload}{signature}, 'as the payer signed it';
$t->log_like(qr/\[notice\].*unverified payment .* is replaced by/, 'the log says so');
fresh;
is paid($t, '/a', payment => $_)->status, 402, 'both are used' for $honest, $forged;
is $f->calls . $up->hits, '00', 'no facilitator was asked';

# --- for something else, which becomes what the payment is for

($forged, %victim) = forged('/here');
$honest = payment(unpaid($t, '/dear/there'), %victim, valid => 200);
$up->on('/dear/there', status => 500, body => 'oops');
is paid($t, '/dear/there', payment => $honest)->status, 500, 'charged, and not delivered';
$up->on('/dear/there', body => "SECRET\n");
is paid($t, '/here', payment => $forged, from => '127.0.0.66')->status, 402, 'nothing is owed to the forger';
is_content paid($t, '/dear/there', payment => $honest), "SECRET\n", 'but to the payer';
is $f->asked('settle')->{paymentRequirements}{amount}, '3000000', 'for the price of what was bought';

# --- others that could have forged it

($forged, %victim) = forged('/b');
$f->verify(invalid => 'invalid_exact_evm_payload_signature');
is said(paid($t, '/b', payment => payment(unpaid($t, '/b'), %victim, valid => 200))), $unknown, 'another forger';
is $f->order, 'verify', 'is found out';
fresh;
$f->verify(status => 503, body => '');
is said(paid($t, '/b', payment => payment(unpaid($t, '/b'), %victim, valid => 201))), $unknown, 'the outcome is unknown';
fresh;
my $resigned = decoded($forged);
$resigned->{payload}{signature} = random_hex(65);
is said(paid($t, '/b', payment => encoded($resigned), from => '127.0.0.3')), $unknown, 'the same terms with another signature';
$resigned->{payload}{authorization}{more} = 1;
isnt paid($t, '/b', payment => encoded($resigned), from => '127.0.0.3')->status, 200, 'or in other clothes';
is said(paid($t, '/off/b', payment => payment(unpaid($t, '/off/b'), %victim, valid => 202))), $unknown, 'where nothing is settled';
my $cheap = payment(unpaid($t, '/b'), %victim, valid => 203);
is said(paid($t, '/dear/b', payment => $cheap)), $unknown, 'for less than it costs';
is $f->calls . $up->hits, '00', 'no facilitator was asked about these';
is_content paid($t, '/b', payment => $forged, from => '127.0.0.66'), "SECRET\n", 'it was not forged: finished by itself';
is $f->order, 'settle', 'with its own bytes';

# --- its settlement has the same outcomes: no refusal counts, nothing is unproven

($forged, %victim) = forged('/c');
$honest = payment(unpaid($t, '/c'), %victim, valid => 200);
for my $spec ([ refused => 'insufficient_funds' ], [ refused => 'invalid_exact_evm_nonce_already_used' ], ['close']) {
    $f->settle(@$spec);
    is said(paid($t, '/c', payment => $honest)), $unknown, "settled: @$spec";
}
is $f->calls('verify'), 1, 'verified once, and the payer has it from then on';
is $up->hits, 0, 'nothing was made';
$f->settle('paid');
$f->forget;
is_content paid($t, '/c', payment => $honest), "SECRET\n", 'until it is paid';
is $f->asked('settle')->{paymentPayload}{payload}{signature}, decoded($honest)->{payload}{signature}, 'with what the payer signed';

# --- a verified payment belongs to its payer

($forged, %victim) = forged('/after/a');
is said(paid($t, '/after/a', payment => payment(unpaid($t, '/after/a'), %victim, valid => 200), from => '127.0.0.3')),
    $unknown, 'verified before';
is $f->calls, 0, 'no facilitator is asked';

# --- with a maximum, whose final amount is not known before content

fresh;
my %permit = (from => random_hex(20), nonce => '7' x 40);
$f->settle('close');
is said(paid($t, '/permit', payment => permit2(unpaid($t, '/permit'), %permit), from => '127.0.0.66')), $unknown, 'Permit2: one in doubt';
fresh;
is said(paid($t, '/upto', payment => permit2(unpaid($t, '/upto'), %permit))), $unknown, 'is not taken over by scheme upto';
is $f->calls, 0, 'no facilitator is asked';
is_content paid($t, '/permit', payment => permit2(unpaid($t, '/permit'), %permit, deadline => 200)), "SECRET\n", 'but by scheme exact';

# --- many at once

($forged, %victim) = forged('/d');
$honest = payment(unpaid($t, '/d'), %victim, valid => 200);
$f->verify('hold');
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/d', headers => [ header_of($honest) ]);
    $c;
} 1 .. 8;
$f->wait_calls(verify => 8);
$f->verify('ok');
$f->release;
my @answers = map { $_->answer } @clients;
is scalar(grep { $_->status == 200 } @answers), 1, 'one of eight is served';
is $f->calls('settle') . $up->hits, '11', 'settled once, made once';

finish;
