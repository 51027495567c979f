# SPDX-License-Identifier: Apache-2.0
# x402_malformed_status: the status of a payment header that cannot be read. The offer comes with either one; every
# other payment that is not valid keeps its status.

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
    x402_malformed_status 400;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /usual { x402_malformed_status 402; proxy_pass http://%%BACKEND%%; }
        location /old   { x402_protocol v1; proxy_pass http://%%BACKEND%%; }
        location /page  { error_page 400 =400 /sorry; proxy_pass http://%%BACKEND%%; }
        location /sorry { x402 off; return 200 "write base64\n"; }
    }
}
EOF
$t->start;

my $good = payment(unpaid($t, '/a'));
my %unreadable = (
    'no base64'     => '!!!',
    'no JSON'       => 'bm8ganNvbg==',
    'JSON null'     => 'bnVsbA==',
    'a NUL in it'   => encoded('{"x402Version":2' . "\0}"),
    'a member twice' => encoded('{"x402Version":2,"x402Version":2}'),
);
for my $name (sort keys %unreadable) {
    for (([ '/a', 400 ], [ '/usual', 402 ])) {
        my ($path, $status) = @$_;
        my $r = $t->get($path, headers => [ 'PAYMENT-SIGNATURE' => $unreadable{$name} ]);
        is $r->status, $status, "$path, $name";
        like offer($r)->{error}, qr/\AUnreadable payment header: /, 'the offer says why';
        is $r->body, plain_body($r), 'and so does the body';
        is $r->header('Cache-Control'), 'no-store', 'not to be stored';
    }
}
is $t->get('/a', headers => [ ('PAYMENT-SIGNATURE' => $good) x 2 ])->status, 400, 'two headers';
my $r = $t->get('/old', headers => [ 'X-PAYMENT' => '!!!' ]);
is $r->status, 400, 'version 1';
like $r->body, qr/"error":"Unreadable payment header: .*"accepts":\[\{/, 'with its offer';
$r = $t->get('/page', headers => [ 'PAYMENT-SIGNATURE' => '!!!' ]);
is $r->status . $r->body, "400write base64\n", 'error_page';
ok offer($r), 'with the offer';

is $t->get('/a')->status, 402, 'no payment';
is $t->get('/a', headers => [ 'PAYMENT-SIGNATURE' => '' ])->status, 402, 'an empty header is not a payment';
is $t->get('/a', headers => [ 'X-PAYMENT' => $good ])->status, 402, 'the header of another version';
is $t->get('/a', headers => [ 'PAYMENT-SIGNATURE' => encoded('{"x402Version":3}') ])->status, 402, 'another version';
is paid($t, '/a', change => { 'payload.signature' => 5 })->status, 402, 'another shape';
is $f->calls . $up->hits, '00', 'no call was made, nothing was made';
is $t->get('/a', headers => [ 'PAYMENT-SIGNATURE' => $good ])->status, 200, 'a payment is a payment';

finish;
