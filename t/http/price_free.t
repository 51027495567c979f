# SPDX-License-Identifier: Apache-2.0
# A price value "free" makes the request free, with the state "free"; 0 stays a
# payment of nothing. Price and x402_bypass may come from the request body, and
# are asked for when it has been read.

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
    map $x402_body_method $by_method { initialize free; tools/list free; tools/call 0.05; default 0.10; }
    map $x402_body_params_name        $by_tool { search free; draw 0.05; default 0.10; }
    map $x402_body_messages_0_role    $by_role { user 0.02; default 0.10; }
    map $x402_body_key    $member    { secret 1; default 0; }
    map $x402_body_key    $anyone    { "" 1; default 0; }
    map $arg_price        $by_arg    { free free; zero 0; default 0.01; }
    log_format state '$request_uri $x402_state';
    server {
        listen 127.0.0.1:%%PORT%%;
        access_log %%DIR%%/state.log state;
        location /rpc    { x402_read_body 1k; x402_price $by_method; proxy_pass http://%%BACKEND%%; }
        location /member { x402_read_body 1k; x402_price 0.01; x402_bypass $member; proxy_pass http://%%BACKEND%%; }
        location /made   { x402_read_body 1k; x402_price 0.01; x402_bypass $anyone; return 200 MADE; }
        location /tool   { x402_read_body 1k; x402_price $by_tool; proxy_pass http://%%BACKEND%%; }
        location /role   { x402_read_body 1k; x402_price $by_role; proxy_pass http://%%BACKEND%%; }
        location /arg    { x402_price $by_arg; proxy_pass http://%%BACKEND%%; }
        location /return { x402_price $by_arg; return 200 MADE; }
        location /blind  { x402_price $by_method; proxy_pass http://%%BACKEND%%; }
        location /blunt  { x402_price 0.01; x402_bypass $anyone; proxy_pass http://%%BACKEND%%; }
        location /off/   {
            x402_price 0.01; x402_bypass $arg_free;
            location /off/in/ { x402_bypass off; proxy_pass http://%%BACKEND%%; }
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->allow(qr/body_\.\.\. was read where the body is not known|was kept from an unpaid request|\[warn\]/);
$t->start;

sub ask ($path, $body, %options) { return $t->ask(POST => $path, body => $body, %options) }
sub price_of ($answer) { return (offer($answer) // { accepts => [ {} ] })->{accepts}[0]{amount} // 'none' }

# --- free

for my $method ('initialize', 'tools/list') {
    my $r = ask('/rpc', qq({"method":"$method"}));
    is $r->status, 200, "$method is free";
    is $r->header_count('PAYMENT-RESPONSE'), 0, 'without a receipt';
}
is price_of(ask('/rpc', '{"method":"tools/call"}')), '50000', 'a call has its price';
is price_of(ask('/rpc', '{}')), '100000', 'anything else has the default';
is ask('/rpc', '[{"method":"initialize"}]')->status, 400, 'a batch is refused';
is ask('/rpc', $_)->status, 400, "$_ is not an object" for '"free"', '1', 'null';
is $t->get('/arg?price=free')->status, 200, 'free by a map';
is price_of($t->get('/arg?price=zero')), '0', '0 is a payment of nothing';
is price_of($t->get('/arg')), '10000', 'and the rest pays';
is $t->get('/return?price=free')->body, 'MADE', 'free content of the rewrite phase';
is $t->get('/return')->status, 402, 'which has its price otherwise';
is $f->calls, 0, 'no facilitator was asked';
my $log = '';
$t->wait_for(sub { open my $file, '<', $t->dir . '/state.log' or return 0; local $/; ($log = <$file> // '') =~ m{/return \w} });
like $log, qr{^/rpc free$}m, 'the state is free';
like $log, qr{^/arg\?price=free free$}m, 'there, too';

# --- members of members

is price_of(ask('/tool', '{"params":{"name":"draw"}}')), '50000', 'a nested member';
is ask('/tool', '{"params":{"name":"search"}}')->status, 200, 'which can be free';
is price_of(ask('/tool', '{"params_name":"draw"}')), '50000', 'a member of that very name';
is price_of(ask('/tool', '{"params_name":"search","params":{"name":"draw"}}')), '100000', 'both: neither is believed';
is price_of(ask('/tool', '{"params":{"name":"draw"},"params_name":null}')), '100000', 'whatever the other one is';
is price_of(ask('/tool', '{"params":{"name":"search","NAME":"draw"}}')), '100000', 'nor names that differ in case alone';
is price_of(ask('/tool', '{"params":{"arguments":{"x":1,"X":2},"name":"draw"}}')), '50000', 'which matter in the price alone';
is price_of(ask('/tool', '{"params":["search"]}')), '100000', 'an array has no names';
is price_of(ask('/role', '{"messages":[{"role":"user"},{"role":"system"}]}')), '20000', 'an element of an array';
is price_of(ask('/role', $_)), '100000', "no such element: $_"
    for '{"messages":[]}', '{"messages":[{"role":"system"}]}', '{"messages":{"0":[]}}', '{"messages":[["user"]]}';

# --- bypass by the body

is ask('/member', '{"key":"secret"}')->status, 200, 'a member by the body';
is ask('/member', '{"key":"guess"}')->status, 402, 'no member';
is ask('/member', '')->status, 402, 'no body';
is $t->get('/made')->status, 402, 'content made before the body is read is not given away';

# --- not read, not believed

$up->forget;
is ask('/blind', '{"method":"initialize"}')->status, 500, 'a price of a body that is not read is refused';
is ask('/blunt', '{"key":"secret"}')->status, 402, 'so is a bypass of it';
ok $up->untouched, 'not served';

# --- off

is $t->get('/off/?free=1')->status, 200, 'a bypass';
is $t->get('/off/in/?free=1')->status, 402, 'is taken away by "off"';

finish;
