# SPDX-License-Identifier: Apache-2.0
# x402_store replicas=: what a payment waits for is known to the replicas, too.
# Without them nothing is sold and nothing is sent; content whose money has moved
# is delivered; and what was sold outlives the server that was told of it.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Redis;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $redis   = X402::Redis->new;
my $replica = $redis->replica;
my $conf    = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_store %%STORE%% timeout=1s %%REPLICAS%%;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen %%ADDRESS%%:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location = /status { x402_status prometheus; }
    }
}
EOF
my $port = X402::Port::reserve();
my $t = nginx($conf, facilitator => $f, backend => $up, port => $port, address => '127.0.0.1',
    holes => { STORE => $redis->url, REPLICAS => 'replicas=1' })->start;
$up->on('*', body => "SECRET\n");

sub waits () {
    my ($calls) = $redis->ask(INFO => 'commandstats') =~ /cmdstat_wait:calls=(\d+)/;
    return $calls // 0;
}

sub presented ($path, $payment) {
    my $c = $t->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    return $c;
}

# The payment is good once the replica is there.
sub is_back ($path, $payment, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $replica->thaw;
    my ($answer, $begun) = (undef, time);
    $t->wait_for(sub { ($answer = paid($t, $path, payment => $payment))->status == 200 }, 20);
    is $answer->body, "SECRET\n", "$name: and then the payment is good" or diag $t->log;
    return cmp_ok time - $begun, '<', 10, "$name: without waiting for its lease";
}

is_content paid($t, '/first'), "SECRET\n", 'with a replica';
my $waits = waits();
is_content paid($t, '/second'), "SECRET\n", 'and its scripts are known';
is waits() - $waits, 3, 'a payment waits for the replica three times';

# Not there when a payment comes.
my $payment = payment(unpaid($t, '/take'));
$_->forget for $f, $up;
$replica->freeze;
my $answer = paid($t, '/take', payment => $payment);
is $answer->status . $answer->body, '503{"error":"busy","charged":false}', 'the replica is silent at the door: busy';
is $f->calls + $up->hits, 0, 'nobody is asked';
$t->log_like(qr/\[error\].*0 of the replicas have what was written, and replicas= asks for 1; start them again/,
    'with a line that says what to do');
my $begun = time;
is paid($t, '/again')->status, 503, 'and then' for 1 .. 5;
cmp_ok time - $begun, '<', 0.45, 'at once';
ok $t->wait_for(sub { $t->ask(GET => '/status')->body =~ /store_workers\{state="away"\} 1/ }), 'which the metrics tell';
is_back('/take', $payment, 'at the door');
$t->log_like(qr/\[notice\].*has its replicas again/, 'which is told');

# Not there when content is made: nothing is sent.
$up->on('/settling', body => "SECRET\n", hold => 1);
$payment = payment(unpaid($t, '/settling'));
$_->forget for $f, $up;
my $c = presented('/settling', $payment);
$up->wait_count('/settling', 1);
$replica->freeze;
$up->release('/settling');
$answer = $c->answer;
is $answer->status, 503, 'the replica is silent before settle: 503';
no_trace $answer, 'SECRET', 'no content';
is $f->calls('settle'), 0, 'nothing was sent';
$up->on('/settling', body => "SECRET\n");
is_back('/settling', $payment, 'before settle');
is $f->calls('settle'), 1, 'settled once';

# Not there when money has moved.
$f->settle('hold');
$payment = payment(unpaid($t, '/paid'));
$f->forget;
$c = presented('/paid', $payment);
$f->wait_calls(settle => 1);
$replica->freeze;
$f->settle('paid');
$f->release('settle');
is_content $c->answer, "SECRET\n", 'the replica is silent before content: it is delivered, because money has moved';
$replica->thaw;
ok $t->wait_for(sub { paid($t, '/ready')->status == 200 }, 20), 'the replica is back';
is paid($t, '/paid', payment => $payment)->status, 402, 'and the payment is used';

# The server dies in the middle of sales: its replica knows all that was sold.
my @sold;
for (1 .. 12) {
    $payment = payment(unpaid($t, '/sold'));
    push @sold, $payment if paid($t, '/sold', payment => $payment)->status == 200;
}
$redis->stop;
cmp_ok scalar @sold, '>', 0, 'payments acknowledged: ' . @sold;
$replica->ask(REPLICAOF => 'NO', 'ONE');
my $other = nginx($conf, facilitator => $f, backend => $up, port => $port, address => '127.0.0.2',
    holes => { STORE => $replica->url, REPLICAS => '' })->start;
$_->forget for $f, $up;
is scalar(grep { paid($other, '/sold', payment => $_)->status == 200 } @sold), 0, 'none of them is sold twice';
is $f->calls + $up->hits, 0, 'as the replica says';

finish;
