# SPDX-License-Identifier: Apache-2.0
# Where a price applies: the nearest word wins, off beats prices further out,
# a price beats an off further out, and single settings are inherited singly.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $other) = (facilitator(), facilitator());
my $t = nginx(<<'EOF', facilitator => $f, holes => { OTHER => $other->url });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    root %%DIR%%/html;

    server {
        listen 127.0.0.1:%%PORT%%;
        location /free   { }
        location /paid   {
            x402_price $0.01;
            location /paid/in    { location /paid/in/in { } }
            location /paid/off   { x402 off; location /paid/off/in { } location /paid/off/price { x402_price $2; } }
            location /paid/dear  { x402_price $3; }
            location /paid/to    { x402_pay_to 0x1111111111111111111111111111111111111111; }
            location /paid/net   { x402_network base; }
            location /paid/time  { x402_timeout 1m; x402_description here; }
            location /paid/other { x402_facilitator %%OTHER%%; }
            location /paid/accept { x402_accept network=base; x402_accept price=7; }
        }
        location /both   { x402 off; x402_price $1; }
        location /accept {
            x402_accept network=base price=0.02;
            location /accept/in   { x402_pay_to 0x1111111111111111111111111111111111111111; }
            location /accept/own  { x402_accept amount=5 asset=0x036CbD53842c5426634e7929541eC2318f3dCF7e; }
        }
        location = /exact { x402_price $0.5; }
        location ~ \.pdf$ { x402_price $0.25; }
        location /if { if ($arg_free) { set $x 1; } x402_price $0.75; }
    }
    server {
        listen 127.0.0.1:%%PORT_all%%;
        x402_price $9;
        location /in  { }
        location /off { x402 off; }
        location /own { x402_price $8; }
    }
    server {
        listen 127.0.0.1:%%PORT_none%%;
        x402 off;
        x402_price $9;
        location /in  { }
        location /own { x402_price $8; }
        location /on  { x402 on; }
    }
}
EOF
$t->write("html/$_", "free\n") for qw(free paid/off/x x/off);
$t->start;

sub offered ($path, $expected, %via) {
    my $offer = offer($t->get($path, %via)) // { accepts => [] };
    my $got = join ' ', map { "$_->{network}:$_->{amount}" } $offer->{accepts}->@*;
    is $got, $expected, "$path " . ($via{port} // '') . ': ' . ($expected || 'free');
    return $offer;
}

my $test = 'eip155:84532';
offered('/free', '');
offered('/paid', "$test:10000");
offered('/paid/in/in', "$test:10000");
offered('/paid/off', '');
offered('/paid/off/in', '');
offered('/paid/off/price', "$test:2000000");
offered('/paid/dear', "$test:3000000");
is offered('/paid/to', "$test:10000")->{accepts}[0]{payTo}, '0x' . '1' x 40, 'another payee';
is offered('/paid/net', 'eip155:8453:10000')->{accepts}[0]{extra}{name}, 'USD Coin', 'another network';
my $offer = offered('/paid/time', "$test:10000");
is $offer->{accepts}[0]{maxTimeoutSeconds}, 60, 'another timeout';
is $offer->{resource}{description}, 'here', 'another description';
offered('/paid/accept', "eip155:8453:10000 $test:7000000");
offered('/both', '');
offered('/accept', 'eip155:8453:20000');
is offered('/accept/in', 'eip155:8453:20000')->{accepts}[0]{payTo},
    '0x' . '1' x 40, 'what an inherited accept leaves open is taken here';
offered('/accept/own', "$test:5");
offered('/exact', "$test:500000");
offered('/exactly', '');
offered('/a/b.pdf', "$test:250000");
offered('/if', "$test:750000");
offered('/if?free=1', "$test:750000");

offered('/in', "$test:9000000", port => 'all');
offered('/off', '', port => 'all');
offered('/own', "$test:8000000", port => 'all');
offered('/elsewhere', "$test:9000000", port => 'all');
offered('/in', '', port => 'none');
offered('/own', "$test:8000000", port => 'none');
offered('/on', "$test:9000000", port => 'none');

is $t->get('/free')->body, "free\n", 'free content';
paid($t, '/paid/other');
is $other->calls, 1, 'another facilitator is asked';
is $f->calls, 0, 'and the first is not';

finish;
