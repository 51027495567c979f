# SPDX-License-Identifier: Apache-2.0
# A payment that is known from the journal alone, after a restart, is in the
# ledger when its outcome is learned in the background: what moved is booked.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone x402:1m journal=%%DIR%%/journal;
    x402_ledger %%DIR%%/books;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

sub events () {
    open my $file, '<', $t->dir . '/books' or return;
    return map { JSON::PP::decode_json($_) } <$file>;
}

$f->settle('close');
my $payment = payment(unpaid($t, '/a'));
is paid($t, '/a', payment => $payment)->status, 503, 'an unknown outcome';
ok $t->wait_for(sub { grep { $_->{event} eq 'unknown' } events() }), 'is in the ledger';
$f->settle('paid');
$f->forget;
$t->stop;
$t->start;
ok $f->wait_calls(settle => 1), 'after a restart it is asked about in the background';
my $resolved;
ok $t->wait_for(sub { ($resolved) = grep { $_->{event} eq 'resolved' } events() }), 'and what is learned is booked';
is "$resolved->{amount} $resolved->{network}", '10000 eip155:84532', 'with its amount';
is $resolved->{payer}, decoded($payment)->{payload}{authorization}{from}, 'and its payer';

finish;
