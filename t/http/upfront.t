# SPDX-License-Identifier: Apache-2.0
# paymentFlow "upfront": what is settled before content says so in its offer, where the wire has a word for it.

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
    x402_price 0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /after  { proxy_pass http://%%BACKEND%%; }
        location /before { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /wire   { x402_settle before; x402_accept network=hedera:mainnet pay_to=0.0.5 amount=1 asset=0.0.0
                           'extra={"feePayer":"0.0.7"}'; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

is offer($t->get('/after'))->{accepts}[0]{extra}{paymentFlow}, undef, 'after: no word';
is offer($t->get('/before'))->{accepts}[0]{extra}{paymentFlow}, 'upfront', 'before: upfront';
is offer($t->get('/wire'))->{accepts}[0]{extra}{paymentFlow}, undef, 'none where clients know none';

my $r = paid($t, '/before');
is_content $r, "SECRET\n", 'paid';
is $f->order, 'settle', 'no verify, one settle';
is $f->asked('settle')->{paymentRequirements}{extra}{paymentFlow}, 'upfront', 'as offered';

$f->settle(refused => 'insufficient_funds');
$_->forget for $f, $up;
is_refused paid($t, '/before'), 'refused';
ok $up->untouched, 'the backend saw nothing';

$f->settle('paid');
$up->on('/before', status => 500, body => 'no');
$r = paid($t, '/before');
is $r->status, 500, 'content that fails';
ok receipt($r)->{success}, 'comes with its receipt';
like $r->header('Cache-Control'), qr/private/, 'and is private';

finish;
