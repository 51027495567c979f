# SPDX-License-Identifier: Apache-2.0
# However many new payments come in, one whose outcome is unknown can still be
# finished: some slots are kept for that.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { worker_connections 2048; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_max_calls 40;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    root %%DIR%%/html;
    server { listen 127.0.0.1:%%PORT%%; }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

my $doubt = payment(unpaid($t, '/a'));
$f->settle('close');
is paid($t, '/a', payment => $doubt)->status, 503, 'an unknown outcome';
$f->settle('paid');
$f->forget;

# From many addresses, since one alone may not take them all.
$f->verify('hold');
my @clients = map {
    my $c = $t->connect(from => '127.0.0.' . (2 + $_));
    $c->write_request(GET => '/a', headers => pay_with($t, '/a'));
    $c;
} 1 .. 60;
$f->wait_calls(verify => 35);
ok $t->wait_for(sub { 25 == grep { $_->_fill(0); $_->raw } @clients }), '25 of 60 are rejected';
is $f->calls('verify'), 35, 'seven eighths of the slots are taken';
is_content paid($t, '/a', payment => $doubt), "SECRET\n", 'the unknown one is finished';
$f->verify('ok');
$f->release;
is scalar(grep { $_->answer->status == 200 } @clients), 35, 'and those that had a slot are served';

finish;
