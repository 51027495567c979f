# SPDX-License-Identifier: Apache-2.0
# x402_extension: offers say what the files say, and a payment has to keep it.
# Inherited as a set.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(decode_base64);

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

sub extensions ($path, %o) { return unpaid($t, $path, %o)->{extensions} }

is_deeply extensions('/outer/x'), { outer => { info => { from => 'outside' }, schema => {} } }, 'inherited';
is_deeply extensions('/own/x'), { map { $_ => { info => { n => 1 } } } qw(a b) }, 'an own list replaces';
like decode_base64(scalar $t->get('/own/x')->header('PAYMENT-REQUIRED')), qr/"extensions":\{"b":\{"info":\{"n":1}},"a":/, 'in its order';
is extensions('/none/x'), undef, 'off';

my $bazaar = extensions('/users/7?x=1')->{bazaar};
is_deeply $bazaar->{info}{input}, { type => 'http', method => 'GET', pathParams => { id => '7' } }, 'bazaar: this request';
is $bazaar->{routeTemplate}, '/users/:id', 'bazaar: its template';
is extensions('/users/7', method => 'PUT')->{bazaar}{info}{input}{method}, 'PUT', 'bazaar: its method';
is_deeply extensions('/users/7/more')->{bazaar}{info}{input}{pathParams}, {}, 'bazaar: a path of another form';

# --- what a payment keeps

sub with_extensions ($path, $extensions) {
    return payment(unpaid($t, $path), extensions => $extensions);
}

sub keeps ($path, $extensions, $name) {
    is_content paid($t, $path, payment => with_extensions($path, $extensions)), "answer to $path\n", $name;
    return;
}

sub breaks ($path, $extensions, $name) {
    $f->forget;
    my $r = paid($t, $path, payment => with_extensions($path, $extensions));
    is $r->status, 402, $name;
    is offer($r)->{error}, 'extension_echo_mismatch', "$name: says why";
    is $f->calls, 0, "$name: no facilitator is asked";
    return;
}

keeps('/outer/1', without(), 'no extensions');
keeps('/outer/2', {}, 'none of them');
keeps('/outer/3', extensions('/outer/3'), 'an exact echo');
keeps('/outer/4', { outer => { info => { from => 'outside', more => 1 } }, other => 1 }, 'more than that');
keeps('/none/1', { outer => 1 }, 'what was not offered');
keeps('/users/8', extensions('/users/8'), 'bazaar');
breaks('/outer/5', { outer => { info => { from => 'inside' } } }, 'another value');
breaks('/outer/6', { outer => undef }, 'null');
breaks('/none/2', { 'builder-code' => { info => { a => 'mine' } } }, 'an application that was not offered');
breaks('/users/9', extensions('/users/8'), 'bazaar of another path');

keeps('/outer/7', extensions('/outer/7'), 'and the facilitator');
is_deeply $f->asked('verify')->{paymentPayload}{extensions}, extensions('/outer/7'), 'gets what the client sent';

# Signing in opens nothing, offered or not.
my $proof = encoded({ domain => 'localhost', address => random_hex(20), signature => random_hex(65), chainId => 'eip155:84532' });
is $t->get('/outer/8', headers => [ 'SIGN-IN-WITH-X' => $proof ])->status, 402, 'who signs in pays like anybody';

finish;
