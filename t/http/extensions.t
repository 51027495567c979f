# x402_extension: what it makes of its files. Inherited as a set.

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
    x402_extension outer outer.json;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_price $0.01;

        location /outer/ { proxy_pass http://%%BACKEND%%; }
        location /own/   { x402_extension b own.json; x402_extension a own.json; proxy_pass http://%%BACKEND%%; }
        location /none/  { x402_extension off; proxy_pass http://%%BACKEND%%; }
        location /users/ { x402_extension bazaar bazaar.json route=/users/:id; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->write('outer.json', qq({ "info": {"from": "outside"},\n "schema": {} }));
$t->write('own.json', '{"info":{"n":1}}');
$t->write('bazaar.json', '{"info":{"input":{"type":"http"}},"schema":{"type":"object"}}');
$t->start;

is $t->get($_)->status, 402, "$_ has a price" for '/outer/x', '/own/x', '/none/x', '/users/7';
is_content paid($t, '/outer/y'), "answer to /outer/y\n", 'and sells';

finish;
