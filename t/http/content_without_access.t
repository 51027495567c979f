# SPDX-License-Identifier: Apache-2.0
# Content that is made after a redirect without passing the access phase of its
# own location is kept back, although the request passed that of another.

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
    server {
        listen 127.0.0.1:%%PORT%%;
        # GET is free here, and passes the access phase of this location
        location /first/ { x402_price $0.01; x402_methods POST; root %%DIR%%/html; try_files $uri /made; }
        location /made   { x402_price $0.02; return 200 SECRET; }
    }
}
EOF
$t->start;

my $r = $t->get('/first/a');
is $r->status, 402, 'the mark of one location does not open another';
is offer($r)->{accepts}[0]{amount}, '20000', 'the offer is that of the content';
no_trace $r, 'SECRET', 'no content';

finish;
