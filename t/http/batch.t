# SPDX-License-Identifier: Apache-2.0
# x402_batch: a JSON-RPC batch is refused, or costs the sum of its elements.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_read_body 64k;
    map $x402_body_method $price { initialize free; draw 0.05; look 0.01; default 0.10; }
    map $x402_body_method $member { member 1; default 0; }
    map $x402_body_method $lax { draw 0; default 1; }
    map $x402_body_method $to { draw 0x209693Bc6afc0C5328bA36FaF03C514EF312287C; default 0x1111111111111111111111111111111111111111; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location /refuse   { x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /sum      { x402_batch sum; x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /constant { x402_batch sum; x402_price 0.02; proxy_pass http://%%BACKEND%%; }
        location /member   { x402_batch sum; x402_price $price; x402_bypass $member; proxy_pass http://%%BACKEND%%; }
        location /lax      { x402_batch sum; x402_price $price; x402_bypass $lax; proxy_pass http://%%BACKEND%%; }
        location /split    { x402_batch sum; x402_price 0.01; x402_pay_to $to; proxy_pass http://%%BACKEND%%; }
        location /given    { x402_batch sum; x402_price $price; x402_free 3/d key=$remote_addr; proxy_pass http://%%BACKEND%%; }
        location /quota    { x402_batch sum; x402_price $price; x402_quota payer 3/d; proxy_pass http://%%BACKEND%%; }
        location /keyed    { x402_batch sum; x402_price $price; x402_free 1/d key=$price; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($text, facilitator => $f, backend => $up);
$t->allow(qr/was read where the body is not known|no offer can be made/);
$up->on('*', body => "SECRET\n");
$t->start;

sub ask ($path, $body) { return $t->ask(POST => $path, body => $body) }
sub batch (@methods) { return '[' . join(',', map {qq({"method":"$_"})} @methods) . ']' }
sub price_of ($answer) { return (offer($answer) // { accepts => [ {} ] })->{accepts}[0]{amount} // $answer->status }

is ask('/refuse', batch('look'))->status, 400, 'refused by default';
is price_of(ask('/sum', '{"method":"look"}')), 10000, 'a single request has its price';
is price_of(ask('/sum', batch('look'))), 10000, 'as has a batch of one';
is price_of(ask('/sum', batch(qw(look draw other look)))), 170000, 'a batch costs the sum';
is price_of(ask('/sum', batch(qw(other draw)))), 150000, 'in any order';
is price_of(ask('/sum', batch(qw(initialize look)))), 10000, 'what is free adds nothing';
is price_of(ask('/sum', batch(qw(look initialize)))), 10000, 'at the end, too';
is ask('/sum', batch(qw(initialize initialize)))->status, 200, 'a batch of free ones is free';
is price_of(ask('/constant', batch(qw(a b c)))), 60000, 'a constant price counts for each';
is price_of(ask('/constant', '{}')), 20000, 'and once for one';

# Signs what is asked for this body, and pays for that or another.
sub signed ($path, $body) { return payment(offer(ask($path, $body))) }
sub bought ($path, $body, $payment = signed($path, $body)) {
    return paid($t, $path, method => 'POST', body => $body, payment => $payment);
}

my $body = batch(qw(look draw));
is_content bought('/sum', $body), "SECRET\n", 'it is sold';
is $f->asked('settle')->{paymentRequirements}{amount}, '60000', 'for the sum';
is(($up->requests)[-1]{body}, $body, 'and the backend gets it whole');
is bought('/sum', $body, signed('/sum', batch('look')))->status, 402, 'the price of one does not pay for two';

is ask('/member', batch(qw(member member)))->status, 200, 'a bypass that all elements have';
is price_of(ask('/member', batch(qw(member look)))), 110000, 'is none where one has it not';
is price_of(ask('/lax', batch(qw(a draw)))), 150000, 'whatever the default of its map';

is ask('/sum', $_)->status, 400, "refused: " . substr $_, 0, 30
    for '[]', '[1]', '[[]]', '[{"method":"look"},null]', '[{"a":1,"A":2}]', '[' . join(',', ('{}') x 65) . ']', '[{}', '[{"a":1,"a":2}]',
    '[' x 40 . ']' x 40;
is price_of(ask('/sum', '[' . join(',', ('{}') x 64) . ']')), 6400000, 'as many as there may be';
is ask('/split', batch('draw', 'draw'))->status, 402, 'one receiver';
is ask('/split', batch('draw', 'look'))->status, 500, 'two receivers cannot be paid at once';
is ask('/keyed', batch('look', 'draw'))->status, 500, 'a map that was computed too early sells nothing';

# A price that a reload moved has its grace, but never for more than one request.
$up->forget;
$f->forget;
my $old = signed('/constant', '{}');
my $other = signed('/constant', '{}');
$t->conf($text =~ s/x402_price 0\.02/x402_price 0.03/r)->reload;
is bought('/constant', batch(qw(a b)), $old)->status, 402, 'an older price buys no batch';
is_content bought('/constant', '{}', $other), "SECRET\n", 'but one request';

# Each element counts.
is ask('/given', batch(qw(look look)))->status, 200, 'two of three are free';
is price_of(ask('/given', batch(qw(look look)))), 20000, 'a batch of two is not';
is ask('/given', batch('look'))->status, 200, 'one is';
is price_of(ask('/given', '{"method":"look"}')), 10000, 'and then none';
my @payer = (from => '0x' . 'ab' x 20);
my $twice = batch(qw(look look));
sub quoted ($body) { return bought('/quota', $body, payment(offer(ask('/quota', $body)), @payer))->status }
is quoted($twice), 200, 'a quota of three';
is quoted($twice), 429, 'has no room for two batches of two';

my $blind = $text =~ s/x402_read_body 64k;//r;
$blind =~ s/x402_price \$price/x402_price 0.01/g;
$blind =~ s/x402_bypass[^;]*;|x402_free[^;]*;|x402_quota[^;]*;//g;
my ($said, $passed) = $t->test_config($blind);
ok !$passed && $said =~ /"x402_batch sum" needs the request body/, 'a body that is not read' or diag $said;

finish;
