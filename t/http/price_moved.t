# SPDX-License-Identifier: Apache-2.0
# A price that changed: the old one is accepted from clients that were offered it before a reload, for as long as that offer was good.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
sub conf ($one, $two, $extra = '', $front = '') {
    return <<"EOF";
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    map \$arg_tier \$price { gold 1; default 2; }
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_protocol v2 v1;
    $extra
    $front
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name one.example;
        location /a { x402_price $one; proxy_pass http://%%BACKEND%%; }
        location /short { x402_price $one; x402_timeout 8s; proxy_pass http://%%BACKEND%%; }
        location /map { x402_price \$price; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name two.example;
        location /a { x402_price $two; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
}
my $t = nginx(conf('0.01', '0.02'), facilitator => $f, backend => $up);
$t->start;
my @one = (host => 'one.example');
my @two = (host => 'two.example');
my %old = (
    a => payment(unpaid($t, '/a', @one)), b => payment(unpaid($t, '/a', @one)),
    two => payment(unpaid($t, '/a', @two)), short => payment(unpaid($t, '/short', @one), valid => 300),
    map => payment(unpaid($t, '/map?tier=gold', @one)),
);
my $moved = time;
$t->conf(conf('0.05', '0.02'));
$t->reload;

is paid($t, '/short', @one, payment => $old{short})->status, 200, 'within its time';
is offer($t->get('/a', @one))->{accepts}[0]{amount}, '50000', 'the new price is offered';
is paid($t, '/a', @one, payment => $old{a})->status, 200, 'the old one is taken from who was offered it';
is $f->asked('settle', 1)->{paymentRequirements}{amount}, '10000', 'and settled as signed';
is paid($t, '/a', @one)->status, 200, 'the new one as well';
is paid($t, '/a', @two, payment => $old{two})->status, 200, 'another server: nothing moved';
$up->forget;
my $r = $t->ask('GET', '/a', @two, headers => [ header_of($old{b}) ]);
is $r->status, 402, 'the old price of one server is not a price of another';
ok $up->untouched, 'the backend saw nothing';
is $t->ask('GET', '/map', @one, headers => [ header_of($old{map}) ])->status, 402,
    'a price from variables is what it is now';

$t->conf(conf('0.07', '0.02'));
$t->reload;
is paid($t, '/a', @one, payment => $old{b})->status, 200, 'two reloads later, still within its time';

sleep 0.2 while time < $moved + 9.2;
$r = paid($t, '/short', @one, payment => payment(unpaid($t, '/short', @one),
    valid => 300, 'accepted.amount' => '10000', 'payload.authorization.value' => '10000'));
is $r->status, 402, 'an offer that nobody can hold any more is forgotten';
is offer($r)->{error}, 'No matching payment requirements', 'said so';

# Servers are told apart by what they listen at, whatever their order: a new one in front of an old one of the same name does
# not sell at the old one's price.
my $cheap = payment(unpaid($t, '/a', @one));
my $front = <<'EOF';
    server {
        listen 127.0.0.1:%%PORT_new%%;
        server_name one.example;
        location /a { x402_price 7.00; proxy_pass http://%%BACKEND%%; }
    }
EOF
$t->conf(conf('0.09', '0.02', '', $front));
$t->reload;
$up->forget;
is $t->ask('GET', '/a', @one, port => 'new', headers => [ header_of($cheap) ])->status, 402, 'a new server in front does not know it';
ok $up->untouched, 'and serves nothing';
is paid($t, '/a', @one, payment => $cheap)->status, 200, 'the server that offered it does';

# Two offers at one place: which of them was meant cannot be told, and neither has a grace.
my $twice = <<'EOF';
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name one.example;
        location /a { x402_price 7.00; proxy_pass http://%%BACKEND%%; }
    }
EOF
my $latest = payment(unpaid($t, '/a', @one));
$t->allow(qr/conflicting server name/);
$t->conf(conf('0.11', '0.02', '', $twice));
$t->reload;
$up->forget;
is $t->ask('GET', '/a', @one, headers => [ header_of($latest) ])->status, 402, 'two of the same place have no grace';
ok $up->untouched, 'and nothing is served';

$t->conf(conf('0.05', '0.02', 'x402 off;'));
$t->reload;
$t->conf(conf('0.05', '0.02'));
$t->reload;
is offer($t->get('/a', @one))->{accepts}[0]{amount}, '50000', 'off and on again';

finish;
