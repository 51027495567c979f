# SPDX-License-Identifier: Apache-2.0
# What x402_status tells of the store: whether workers reach it, what its calls
# came to, how long payments waited, and what it was not told yet.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Redis;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { STORE => $redis->url })->start;
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_store %%STORE%% timeout=5s;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location = /status { x402_status; }
    }
}
EOF
$up->on('*', body => "SECRET\n");

sub told ($format) { return $t->ask(GET => "/status?format=$format")->body }
sub store ()       { return JSON::PP::decode_json(told('json'))->{store} }
sub shows ($metric, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok($t->wait_for(sub { told('prometheus') =~ /^nginx_x402_store_$metric$/m }), $name) || diag told('prometheus');
}

shows('workers\{state="connected"\} 2', 'both workers reach it');
my $payment = payment(unpaid($t, '/a'));
is_content paid($t, '/a', payment => $payment), "SECRET\n", 'paid';
shows(qq(calls_total\\{call="$_",outcome="granted"\\} 1), "$_ is counted") for qw(take settling paid finish);
shows('wait_duration_seconds_count 3', 'a payment waited three times');
shows('calls_total\{call="due",outcome="granted"\} \d+', 'looking for what is due, too');
shows('unconfirmed 0', 'and nothing is left to write');
my $wait = store()->{wait};
is $wait->{count}, 3, 'JSON tells the same';
cmp_ok $wait->{sum_us}, '>', 0, 'in microseconds';
my $page = told('html');
like $page, qr{<h2>Store <span class="tag good">connected</span>}, 'the page shows it';

# Money has moved, and the store is away: it is told later.
$f->forget;
$f->settle('hold');
my $c = $t->connect;
$c->write_request(GET => '/b', headers => pay_with($t, '/b'));
$f->wait_calls(settle => 1);
$redis->stop;
$f->settle('paid');
$f->release('settle');
is_content $c->answer, "SECRET\n", 'the store is away: content whose money has moved is delivered';
shows('workers\{state="away"\} 2', 'both workers do not reach it');
ok $t->wait_for(sub { store()->{unconfirmed} >= 1 }), 'and it is not confirmed yet';
is paid($t, '/c')->status, 503, 'nothing more is sold';
shows('calls_total\{call="take",outcome="away"\} \d+', 'which is counted');
like told('html'), qr{<h2>Store <span class="tag bad">away</span>}, 'the page shows that, too';
$redis->start;
shows('workers\{state="connected"\} 2', 'both workers reach it again');
shows('unconfirmed 0', 'and it is confirmed');

finish;
