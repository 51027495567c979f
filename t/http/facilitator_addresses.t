# SPDX-License-Identifier: Apache-2.0
# The addresses of a facilitator are tried in turn, while nothing was sent.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Names;
use X402::Test;

# There is no listener on the first addresses of the name.
my $names = X402::Names->new(map {"127.0.0.$_"} 5, 4, 3, 2, 1);
my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f, holes => { DNS => $names->port, FPORT => $f->port });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    resolver 127.0.0.1:%%DNS%% ipv6=off;
    x402_facilitator http://facilitator.test:%%FPORT%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /names/  { alias %%DIR%%/html/; }
        location /before/ { x402_settle before; alias %%DIR%%/html/; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

for (1 .. 2) {
    $f->forget;
    is_content paid($t, '/names/a'), "SECRET\n", 'a name with addresses without a listener';
    is $f->order, 'verify settle', 'each call once';
    $f->close_idle;
    $f->forget;
    is_content paid($t, '/before/a'), "SECRET\n", 'and a settle';
    is $f->order, 'settle', 'once';
    $f->close_idle;
}

# The settle that died is not tried at another address.
is_content paid($t, '/names/a'), "SECRET\n", 'a payment';
for my $way (qw(close reset)) {
    $f->forget;
    $f->settle($way);
    is paid($t, '/before/a')->status, 503, "$way: unknown";
    is $f->calls('settle'), 1, "$way: one settle";
    $f->settle('paid');
}

finish;
