# SPDX-License-Identifier: Apache-2.0
# A payment that ran out while its content was made buys nothing and costs
# nothing; and whatever the clocks say, it is not settled twice.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_timeout 30s;
    x402_validity min=1s;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location / { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
    }
}
EOC
$up->on('*', body => "SECRET\n", hold => 1);
$t->start;

my $until = int(time) + 6;
my @clients = map {
    my $h2 = $_;
    my $payment = payment(unpaid($t, '/a'), 'payload.authorization.validBefore' => "$until");
    my $c = $t->connect($h2 ? (h2 => 1, port => 'h2') : ());
    { h2 => $h2, payment => $payment, c => $c, id => $c->write_request(GET => "/a$h2", headers => [ header_of($payment) ]) };
} 0, 1;
ok $up->wait_count("/a$_", 1), 'the content is being made' for 0, 1;
sleep 0.02 while time < $until + 0.1;
# What the official facilitator says then.
$f->settle(refused => 'invalid_exact_evm_payload_authorization_valid_before');
$up->release;
for my $client (@clients) {
    my ($p, $c) = ($client->{h2} ? 'HTTP/2, ' : '', $client->{c});
    my $r = $c->answer($client->{h2} ? $client->{id} : ());
    is_refused $r, "${p}too late: a clean 402";
    no_trace $c->raw, 'SECRET', "${p}too late: no content";
}
cmp_ok $f->calls('settle'), '<=', 2, 'asked at most once each';

$up->on('*', body => "SECRET\n");
$_->forget for $f, $up;
for my $client (@clients) {
    my $r = $t->get("/a$client->{h2}", headers => [ header_of($client->{payment}) ]);
    is $r->status, 402, 'the same payment, too late';
    ok offer($r), 'with a fresh offer';
}
is $f->calls . $up->hits, '00', 'no facilitator is asked about it';
$f->settle('paid');
is_content paid($t, '/a0', change => { valid => 60 }), "SECRET\n", 'a new one is good';

finish;
