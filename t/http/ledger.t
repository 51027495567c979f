# SPDX-License-Identifier: Apache-2.0
# Money events are lines at notice, in the error log of the location they
# happened in, with or without the client that began them.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, level => 'warn');
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        error_log %%DIR%%/money.log notice;
        location / { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

sub ledger () {
    open my $fh, '<', $t->dir . '/money.log' or return '';
    local $/;
    return scalar <$fh>;
}
sub said ($pattern, $name) {
    return ok $t->wait_for(sub { ledger() =~ $pattern }), $name;
}

paid($t, '/paid');
said(qr/\[notice\].*x402: payment paid, network: "eip155:84532", payer: "0x[0-9a-fA-F]{40}", amount: "10000",.*transaction: "0x[0-9a-f]{64}".*client: 127\.0\.0\.1/,
    'paid, with its request');

$f->settle(refused => 'insufficient_funds');
paid($t, '/refused');
said(qr{\[notice\].*payment refused,.*reason: "insufficient_funds", resource: "http://[^"]*/refused"}, 'refused, with the reason');

$f->settle('close');
paid($t, '/unknown');
said(qr{\[notice\].*payment unknown,.*resource: "http://[^"]*/unknown"}, 'unknown');

# the client leaves, the line stays
$f->settle('hold');
$f->forget;
my $c = $t->connect;
$c->write_request(GET => '/gone', headers => pay_with($t, '/gone'));
$f->wait_calls(settle => 1);
ok $t->leave($c, 'hang_up'), 'the client leaves';
$f->settle('paid');
$f->release;
said(qr{\[notice\].*payment paid, content owed,.*resource: "http://[^"]*/gone"}, 'content owed, without its client');

unlike ledger(), qr/signature|0x[0-9a-f]{130}/i, 'never a signature';

finish;
