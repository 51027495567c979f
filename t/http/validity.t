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
    }
}
EOF
$t->start;

# seconds from now => accepted; 300 s are offered, or 20
my @cases = (
    [ '/a', 300, 1 ], [ '/a', 65, 1 ], [ '/a', 55, 0 ], [ '/a', 8, 0 ], [ '/a', 0, 0 ], [ '/a', -100, 0 ],
    [ '/a', 890, 1 ], [ '/a', 910, 0 ], [ '/a', 100_000, 0 ],
    [ '/short/a', 20, 1 ], [ '/short/a', 12, 1 ], [ '/short/a', 7, 0 ],
    [ '/short/a', 610, 1 ], [ '/short/a', 640, 0 ],
);
for (@cases) {
    my ($path, $seconds, $good) = @$_;
    $_->forget for $f, $up;
    my $r = paid($t, $path, change => { valid => $seconds });
    is $r->status, $good ? 200 : 402, "$path, valid for $seconds s";
    next if $good;
    ok offer($r)->{error} && offer($r)->{error} ne 'Payment required', 'the offer says why';
    is $f->calls, 0, 'nobody is asked';
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
is paid($t, '/a', change => { 'payload.authorization.validAfter' => '' . int(time - 1000) })->status, 200,
    'valid for a while';

finish;
