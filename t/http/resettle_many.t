# SPDX-License-Identifier: Apache-2.0
# A worker asks about as many unknown outcomes at once as a sixteenth of its
# slots, also where x402_facilitator_max_calls is not written: 256.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { worker_connections 1024; }
http {
    %%HTTP%%
    x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; }
    x402_facilitator patient;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    root %%DIR%%/html;
    server { listen 127.0.0.1:%%PORT%%; }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

my $doubtful = 70;
$f->settle('close');
my @statuses = map { paid($t, '/a', change => { from => sprintf('0x%040x', $_) })->status } 1 .. $doubtful;
is_deeply \@statuses, [ (503) x $doubtful ], 'outcomes that are unknown';

$f->forget;
$f->settle('hold');
ok $f->wait_calls(settle => $doubtful), 'are asked about at once, all of them';
$f->settle('paid');
$f->release;

finish;
