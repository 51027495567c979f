# SPDX-License-Identifier: Apache-2.0
# Ten copies of one payment, over four workers and two connections to each: the
# backend runs once, in each order of arrival and settlement.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_processes 4;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location = /worker { x402 off; return 200 $pid; }
        location /after/   { proxy_pass http://%%BACKEND%%; }
        location /before/  { x402_settle before; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

# Kept connections, two to each worker: the worker that answers serves the next request.
my %connections;
for (1 .. 400) {
    my $c = $t->connect;
    my $worker = $c->request(GET => '/worker')->body;
    push $connections{$worker}->@*, $c if ($connections{$worker} // [])->@* < 2;
    last if 4 == grep { @$_ == 2 } values %connections;
}
my @connections = map { @$_ } values %connections;
is scalar @connections, 8, 'two connections to each of four workers';
my @more = map { $t->connect } 1, 2;

for my $mode ('after', 'before') {
    for my $round (1 .. 5) {
        my $path    = "/$mode/$round";
        my $payment = payment(unpaid($t, $path));
        $up->on($path, body => "SECRET $round\n", delay => 0.05);
        $_->forget for $f, $up;
        my @clients = (@connections, @more);
        $_->write_request(GET => $path, headers => [ header_of($payment) ]) for @clients;
        my @answers = map { $_->answer } @clients;
        is $up->hits, 1, "$path: the backend runs once";
        is $f->calls('settle'), 1, "$path: settled once";
        is scalar(grep { $_->status == 200 && $_->body eq "SECRET $round\n" } @answers), 1, "$path: one is served";
        is scalar(grep { $_->status == 402 || $_->status == 409 } @answers), 9, "$path: nine are not";
    }
}

finish;
