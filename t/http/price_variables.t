# SPDX-License-Identifier: Apache-2.0
# Prices, amounts and receivers out of nginx's own variables: exact, and never free by accident.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my ($other, $alice, $bob) = (facilitator(), '0x' . '1' x 40, '0x' . '2' x 40);
my $t = nginx(<<'EOF' =~ s/ALICE/$alice/gr =~ s/BOB/$bob/gr =~ s/OTHER/$other->url/ger, facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    map $arg_tier $price   { gold 1.50; silver 0.25; tiny 0.0000001; junk "1,000"; minus -1; zero 0; usdt "0.01 USDT"; empty ""; default 0.01; }
    map $arg_who  $receiver { alice ALICE; bob BOB; none ""; bad 0x12; default ALICE; }
    map $x402_offer $circle { volatile; default 0.01; }
    map $arg_n    $amount   { "" ""; default $arg_n; }
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to $receiver;
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-State "$x402_state $x402_reason" always;
        location /tier   { x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /in_text { x402_price "$arg_whole.50"; proxy_pass http://%%BACKEND%%; }
        location /named  {
            x402_price $price; x402_description "All of it"; proxy_pass http://%%BACKEND%%;
            location /named/other { x402_description "Another part"; proxy_pass http://%%BACKEND%%; }
            location /named/each  { x402_description $arg_what; proxy_pass http://%%BACKEND%%; }
        }
        location /amount { x402_accept amount=$amount asset=USDC; proxy_pass http://%%BACKEND%%; }
        location /two {
            x402_accept network=base price=0.05 facilitator=OTHER;
            x402_accept price=$price;
            proxy_pass http://%%BACKEND%%;
        }
        location /circle { x402_accept price=$circle; x402_accept network=base price=$circle; proxy_pass http://%%BACKEND%%; }
        location ~ ^/captured/(?<cents>[0-9][0-9])$ { x402_price "0.$cents"; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

sub amount ($path)  { return offer($t->get($path))->{accepts}[0]{amount} }
sub receiver ($path) { return offer($t->get($path))->{accepts}[0]{payTo} }

is amount('/tier'),             '10000',   'the default of the map';
is amount('/tier?tier=gold'),   '1500000', 'another value';
is amount('/tier?tier=silver'), '250000',  'a third';
is amount('/tier?tier=zero'),   '0',       'a plain zero is meant';
is amount('/in_text?whole=2'),  '2500000', 'in the middle of a text';
is amount('/captured/07'),      '70000',   'a named capture';
is amount('/amount?n=123'),     '123',     'atomic units';
is receiver('/tier'),           $alice,    'a receiver';
is receiver('/tier?who=bob'),   $bob,      'another receiver';

# --- the same again: what the second request prepared answers the third -----------

sub told ($path) {
    my $r = $t->get($path);
    return join "\n", offer($r)->{resource}{description}, offer($r)->{resource}{url}, $r->header('PAYMENT-REQUIRED'), $r->body;
}
for my $path ('/tier?tier=gold', '/named?tier=silver', '/named/other?tier=silver') {
    my $first = told($path);
    is told($path), $first, "$path: a second time";
    is told($path), $first, "$path: a third time";
}
like told('/named?tier=silver'),       qr/^All of it$/m,     'locations with one price keep their own words';
like told('/named/other?tier=silver'), qr/^Another part$/m, 'the other one, too';
told('/named/a?tier=gold') for 1 .. 2;
like told('/named/b?tier=gold'), qr{^http://localhost/named/b\?tier=gold$}m, 'a URL of its own';
is amount('/named?tier=gold'), '1500000', 'and the price of its own values';
like told('/named/each?tier=gold&what=one'), qr/^one$/m, 'a description that varies';
like told('/named/each?tier=gold&what=two'), qr/^two$/m, 'is never the one before';
is paid($t, '/named/other?tier=silver')->status, 200, 'and it can be paid';
$up->forget; $f->forget;

# --- never free ------------------------------------------------------------------

my %unusable = (
    '/tier?tier=empty' => 'the price is empty',  '/tier?tier=junk'     => '1,000',
    '/tier?tier=minus' => '-1',                  '/tier?tier=tiny'     => '0\.0000001',
    '/tier?tier=usdt'  => 'USDT',                '/tier?who=none'      => 'pay_to is empty',
    '/tier?who=bad'    => '0x12',                '/amount'             => 'the amount is empty',
    '/amount?n=1.5'    => '1\.5',                '/in_text'            => '\.50',
    '/two?tier=junk'   => '1,000',               '/amount?n=%22%0a%22' => 'amount',
    '/circle'          => 'made from \$x402_offer',
);
for my $path (sort keys %unusable) {
    my $seen = length $t->log;
    my $r = $t->get($path);
    is $r->status, 500, "$path: 500";
    is $r->header_count('PAYMENT-REQUIRED'), 0, "$path: no offer";
    is $r->body, '{"error":"no_offer","charged":false}', "$path: a word";
    is $r->header('X-State'), 'failed no_offer', "$path: \$x402_state";
    like substr($t->log, $seen), qr/\[error\].*no offer can be made.*$unusable{$path}/, "$path: the log says why";
    like substr($t->log, $seen), qr/nginx\.conf:\d+\)/, "$path: and where";
}
is $t->ask('GET', '/tier?tier=junk', headers => pay_with($t, '/tier'))->status, 500, 'nor with a payment in hand';
is scalar $f->calls, 0, 'no facilitator was asked';
ok $up->untouched, 'the backend saw nothing';

# --- paying ----------------------------------------------------------------------

my $r = paid($t, '/tier?tier=gold&who=bob');
is $r->status, 200, 'paid';
my $asked = $f->asked('settle')->{paymentRequirements};
is "$asked->{amount} $asked->{payTo}", "1500000 $bob", 'what the variables said goes to the facilitator';

$up->forget; $f->forget;
$r = $t->ask('GET', '/tier?tier=gold', headers => pay_with($t, '/tier'));
is $r->status, 402, 'a payment for the cheap tier does not buy the expensive one';
is offer($r)->{error}, 'No matching payment requirements', 'the reason';
is offer($r)->{accepts}[0]{amount}, '1500000', 'with the price of now';
ok $up->untouched, 'the backend saw nothing';

# --- one facilitator for each way to pay ----------------------------------------

$f->forget; $other->forget;
is paid($t, '/two', change => { accept => 0 })->status, 200, 'the first way';
is join(' ', scalar $f->calls, scalar $other->calls), '0 2', 'verified and settled where it says';
$f->forget; $other->forget;
is paid($t, '/two', change => { accept => 1 })->status, 200, 'the second way';
is join(' ', scalar $f->calls, scalar $other->calls), '2 0', 'by the facilitator of the location';

finish;
