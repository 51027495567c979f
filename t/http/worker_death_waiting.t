# SPDX-License-Identifier: Apache-2.0
# A payment whose worker is killed while it is settled, and which is presented
# again at another worker in that moment: it is settled again and served then,
# not at some later attempt.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location / { proxy_pass http://%%BACKEND%%; }
        location /pid { return 200 $pid; x402 off; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->allow(qr/exited on signal 9/);
$t->start;

# A kept connection, and the worker that has it.
sub connection () {
    my $c = $t->connect;
    return ($c->request(GET => '/pid', keep => 1)->body, $c);
}

my $payment = payment(unpaid($t, '/a'));
my ($doomed, $c) = connection();
$f->settle('hold');
$f->forget;
$c->write_request(GET => '/a', headers => [ header_of($payment) ]);
ok $f->wait_calls(settle => 1), 'settling';

my ($other, $waiting);
for (1 .. 200) {
    ($other, $waiting) = connection();
    last if $other != $doomed;
    $waiting->hang_up;
}
isnt $other, $doomed, 'a connection to the other worker';
$waiting->write_request(GET => '/a', headers => [ header_of($payment) ]);
sleep 0.3;
is $f->calls('settle'), 1, 'the second presenter waits';
$f->settle('paid');
kill KILL => $doomed;
is_content $waiting->answer, "SECRET\n", 'it is served when the worker of the first is gone';
is $f->calls('settle'), 2, 'after settling once more';
is paid($t, '/a', payment => $payment)->status, 402, 'and the payment is used';

finish;
