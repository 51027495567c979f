# SPDX-License-Identifier: Apache-2.0
# x402_zone sync=on where nothing else happens: what is on the disk already is waited for by nothing.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_processes 1;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone claims:1m journal=%%DIR%%/claims.journal sync=on;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

sub begin ($payment) {
    my $c = $t->connect;
    $c->write_request(GET => '/a', headers => [ header_of($payment) ]);
    return $c;
}

my $offer = unpaid($t, '/a');
my $open  = payment($offer);
$f->settle('close');
is paid($t, '/a', payment => $open)->status, 503, 'an outcome is unknown';

# Another payment has brought the journal to the disk and is on the wire. To ask about the first one again appends
# nothing, so that no flush ends for it.
$f->settle('hold');
$f->forget;
my $other = begin(payment($offer));
ok $f->wait_calls(settle => 1), 'another payment is on the wire';
my $again = begin($open);
ok $f->wait_calls(settle => 2, 10), 'the unknown one is asked about at once';
$f->settle('paid');
$f->release;
is_content $other->answer, "SECRET\n", 'the other one is served';
is_content $again->answer, "SECRET\n", 'and so is this';

finish;
