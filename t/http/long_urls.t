# SPDX-License-Identifier: Apache-2.0
# The offer has a bound whatever a stranger asks for: of a URL beyond 1 KB the query is left out, and the rest cut.
# A stock nginx in front, which holds 4 KB of headers, passes it on.

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
    large_client_header_buffers 4 32k;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /       { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /both/  { x402_protocol v2 v1; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /own/   { x402_price $0.01; x402_resource "https://shop.example$request_uri"; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT_front%%;
        proxy_buffer_size 4k;
        location / { proxy_pass http://127.0.0.1:%%PORT%%; proxy_set_header Host $host; }
    }
}
EOF
$t->start;

my $at = 'http://localhost';
for (
    [ '/p?q=' . 'a' x 900,           "$at/p?q=" . 'a' x 900 ],
    [ '/p?q=' . 'a' x 1100,          "$at/p" ],
    [ '/p?q=' . 'a' x 4000,          "$at/p" ],
    [ '/' . 'b' x 2000,              substr("$at/" . 'b' x 2000, 0, 1024) ],
    [ '/' . 'b' x 2000 . '?q=1',     substr("$at/" . 'b' x 2000, 0, 1024) ],
    [ '/' . 'b' x 1006 . '%41' x 99, "$at/" . 'b' x 1006 ],
    [ '/own/?q=' . 'a' x 4000,       'https://shop.example/own/' ],
) {
    my ($uri, $url) = @$_;
    my $name = substr($uri, 0, 12) . '... of ' . length $uri;
    for my $port ('', 'front') {
        my $r = $t->get($uri, $port ? (port => $port) : ());
        is $r->status, 402, "$name: status";
        is offer($r)->{resource}{url}, $url, "$name: what the offer says";
        cmp_ok length $r->header('PAYMENT-REQUIRED'), '<', 3584, "$name: its size";
    }
}
my $r = $t->get('/both/?q=' . 'a' x 4000);
is decoded_body($r)->{accepts}[0]{resource}, "$at/both/", 'version 1 says the same';
is_content paid($t, '/p?q=' . 'a' x 4000), "answer to /p\n", 'and it can be paid';
is_content paid($t, '/' . 'b' x 2000), 'answer to /' . 'b' x 2000 . "\n", 'a long path, too';

sub decoded_body ($answer) { return JSON::PP->new->utf8->decode($answer->body) }

finish;
