# SPDX-License-Identifier: Apache-2.0
# How long a payment must and may be valid: enough to be settled after content
# is made, not so long that it must be remembered permanently.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
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
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /       { proxy_pass http://%%BACKEND%%; }
        location /short/ { x402_timeout 20s; proxy_pass http://%%BACKEND%%; }
        location /least/ { x402_validity min=5s; proxy_pass http://%%BACKEND%%; }
        location /most/  { x402_validity max=1d; proxy_pass http://%%BACKEND%%; }
        location /both/  { x402_validity min=100s max=200s; proxy_pass http://%%BACKEND%%; }
        location /nested/ {
            x402_validity max=2h;
            proxy_pass http://%%BACKEND%%;
            location /nested/own/ { x402_validity min=0; proxy_pass http://%%BACKEND%%; }
        }
    }
}
EOF
$t->start;

# seconds from now => accepted, or why not; 300 s are offered, or 20
my ($gone, $short, $long) =
    qw(invalid_exact_evm_payload_authorization_valid_before payment_validity_too_short payment_validity_too_long);
my @cases = (
    [ '/a', 300, 1 ], [ '/a', 75, 1 ], [ '/a', 55, $short ], [ '/a', 8, $short ], [ '/a', 0, $gone ], [ '/a', -100, $gone ],
    [ '/a', 890, 1 ], [ '/a', 910, $long ], [ '/a', 100_000, $long ],
    [ '/short/a', 20, 1 ], [ '/short/a', 16, 1 ], [ '/short/a', 7, $short ],
    [ '/short/a', 610, 1 ], [ '/short/a', 640, $long ],
    [ '/least/a', 15, 1 ], [ '/least/a', 3, $short ], [ '/least/a', 910, $long ],
    [ '/most/a', 80_000, 1 ], [ '/most/a', 90_000, $long ], [ '/most/a', 55, $short ],
    [ '/both/a', 115, 1 ], [ '/both/a', 95, $short ], [ '/both/a', 195, 1 ], [ '/both/a', 210, $long ],
    [ '/nested/a', 7000, 1 ], [ '/nested/a', 7300, $long ],
    [ '/nested/own/a', 20, 1 ], [ '/nested/own/a', 7000, 1 ], [ '/nested/own/a', 7300, $long ],
);
for (@cases) {
    my ($path, $seconds, $good) = @$_;
    $_->forget for $f, $up;
    my $r = paid($t, $path, change => { valid => $seconds });
    is $r->status, $good eq '1' ? 200 : 402, "$path, valid for $seconds s";
    next if $good eq '1';
    is offer($r)->{error}, $good, 'the offer says why';
    is $f->calls, 0, 'no facilitator is asked';
    ok $up->hits == 0, 'nothing is made';
}

# numbers beyond any clock
for my $number ('9' x 30, '57896044618658097711785492504343953926634992332820282019728792003956564819968',
    '18446744073709551616', '9223372036854775808')
{
    is paid($t, '/a', change => { 'payload.authorization.validBefore' => $number })->status, 402,
        'valid until ' . substr $number, 0, 20;
    is paid($t, '/a', change => { 'payload.authorization.validAfter' => $number })->status, 402,
        'valid after ' . substr $number, 0, 20;
}
is $f->calls('settle'), 0, 'none of them was settled';
is paid($t, '/a', change => { 'payload.authorization.validAfter' => '' . int(time + 1000) })->status, 402,
    'not yet valid';
is paid($t, '/a', change => { 'payload.authorization.validAfter' => '' . int(time + 1) })->status, 200,
    'valid in a second: clocks differ';

# numbers that are exact integers are what the official facilitator reads
for (
    [ value => 10000, 1 ], [ value => '10000', 1 ], [ value => 10001, 0 ], [ value => 10000.5, 0 ],
    [ validAfter => 0, 1 ], [ validBefore => int(time + 200), 1 ], [ validBefore => int(time - 200), 0 ],
) {
    my ($member, $number, $good) = @$_;
    my $r = paid($t, '/a', change => { "payload.authorization.$member" => $number });
    is $r->status, $good ? 200 : 402, "$member as the number $number";
}
my $numbers = payload(unpaid($t, '/a'));
$numbers->{payload}{authorization}{value} = 10000;
is paid($t, '/a', payment => encoded($numbers))->status, 200, 'one payment';
$numbers->{payload}{authorization}{value} = '10000';
is paid($t, '/a', payment => encoded($numbers))->status, 402, 'in another spelling is the same one';
is paid($t, '/a', change => { 'payload.authorization.validAfter' => '' . int(time - 1000) })->status, 200,
    'valid for a while';

finish;
