# SPDX-License-Identifier: Apache-2.0
# $x402_settled_<field>: what the facilitator said to settle. $x402_offer: what a
# request is asked for, known before anything is verified.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    map $arg_size $price { small 0.01; default 0.05; }
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Redeemed $x402_settled_creditsRedeemed always;
        add_header X-Plan     $x402_settled_plan always;
        add_header X-Name     $x402_settled_plan_name always;
        add_header X-Long     $x402_settled_long always;
        add_header X-None     $x402_settled_none always;
        add_header X-Offer    $x402_offer always;
        location /after  { x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /before { x402_price $price; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /asks   { x402_price $price; auth_request /policy; proxy_pass http://%%BACKEND%%; }
        location /free   { proxy_pass http://%%BACKEND%%; }
        location = /policy { internal; proxy_pass http://%%BACKEND%%; proxy_set_header X-Offer $x402_offer; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

my $json = JSON::PP->new->canonical;
$f->settle(with => { creditsRedeemed => '3', plan => { id => 7, name => "caf\x{e9}" }, long => [ ('x' x 100) x 30 ] });
for my $path ('/after', '/before') {
    my $r = paid($t, $path);
    is $r->status, 200, "$path: paid";
    is $r->header('X-Redeemed'), '3', "$path: a member";
    is $r->header('X-Plan'), '{"id":7,"name":"caf\u00e9"}', "$path: an object, as ASCII";
    is $r->header('X-Name'), 'caf??', "$path: its member";
    is $r->header('X-Long'), undef, "$path: what is too long";
    is $r->header('X-None'), undef, "$path: what is not there";
}
$t->log_like(qr/\[warn\].*member "long" of a facilitator's answer is empty in its variable/, 'the log says so');
is $t->get('/after')->header('X-Redeemed'), undef, 'nothing was settled';

is $json->encode($json->decode($t->get('/after?size=small')->header('X-Offer'))),
    $json->encode(unpaid($t, '/after?size=small')->{accepts}), 'what a request was asked for';
is $t->get('/free')->header('X-Offer'), undef, 'nothing';
for my $case ([ '/asks?size=small', '10000' ], [ '/asks', '50000' ]) {
    my ($path, $amount) = @$case;
    $up->forget;
    is $t->get($path)->status, 402, "$path: unpaid";
    my ($asked) = grep { $_->{path} =~ /policy/ } $up->requests;
    my $offer = $json->decode($asked->{headers}{'x-offer'} // '[]');
    is $offer->[0]{amount}, $amount, "$path: the policy was told the price";
}

finish;
