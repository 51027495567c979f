# SPDX-License-Identifier: Apache-2.0
# x402_settle off: the facilitator's word is taken, nothing is settled here, and one payment still buys one delivery.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_settle off;
    log_format state "$request_uri $x402_state";
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        access_log %%DIR%%/state.log state;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$up->on('/failing', status => 500, body => 'no');
$t->start;

my $r = $t->get('/a');
is $r->status, 402, 'unpaid';
ok $up->untouched, 'the backend saw nothing';

my $payment = payment(unpaid($t, '/a'));
$r = paid($t, '/a', payment => $payment);
is $r->status, 200, 'paid';
is $r->body, "SECRET\n", 'content';
is $r->header_count('PAYMENT-RESPONSE'), 0, 'no receipt: nothing was settled';
like $r->header('Cache-Control'), qr/private/, 'not for shared caches';
is $f->order, 'verify', 'verified, and that is all';
$t->log_like(qr/\[notice\].*payment verified, not settled.*amount: "10000"/, 'a ledger line');

for (1 .. 4) {
    $r = paid($t, '/a', payment => $payment);
    is $r->status, 402, 'again: used';
    is offer($r)->{error}, 'payment_already_used', 'and said so';
}
is $up->hits, 1, 'made once';
is $f->order, 'verify', 'asked once';

# Refused, and failing content.
$_->forget for $f, $up;
$f->verify(invalid => 'insufficient_funds');
is paid($t, '/a')->status, 402, 'refused';
ok $up->untouched, 'the backend saw nothing';
$f->verify('ok');
$payment = payment(unpaid($t, '/failing'));
is paid($t, '/failing', payment => $payment)->status, 500, 'content fails';
$up->on('/failing', body => "SECRET\n");
is paid($t, '/failing', payment => $payment)->body, "SECRET\n", 'and is still owed for the same payment';
is paid($t, '/failing', payment => $payment)->status, 402, 'once';
is $f->calls('settle'), 0, 'never settled';

# A payer's other payment is answered under the old one: nothing was settled there either.
my $payer = random_hex(20);
$up->on('/owed', status => 500, body => 'no');
is paid($t, '/owed', change => { from => $payer })->status, 500, 'content fails';
$up->on('/owed', body => "SECRET\n");
is paid($t, '/owed', change => { from => $payer })->body, "SECRET\n", 'and is owed to its payer';
is $f->calls('settle'), 0, 'never settled';

my @states;
$t->wait_for(sub {
    open my $file, '<', $t->dir . '/state.log' or return 0;
    return (@states = <$file>) >= 18;
}, 3);
sub states ($path) { return join ' ', map { m{^\Q$path\E (\w*)} ? $1 : () } @states }
is states('/a'), 'challenged challenged verified refused refused refused refused challenged refused', '$x402_state'
    or diag @states;
is states('/failing'), 'challenged verified verified refused', '$x402_state: taken up by the same payment';
is states('/owed'), 'challenged verified challenged verified', '$x402_state: by another payment of its payer';
$t->log_like(qr/payment owed: verified, content not delivered.*failing/, 'the ledger: verified and owed');
$t->log_unlike(qr{payment owed: charged}, 'the ledger: nothing was charged');

finish;
