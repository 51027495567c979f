# SPDX-License-Identifier: Apache-2.0
# A client that resets its connection in the moment its settlement is answered,
# while the upstream still sends: the content is owed, and no memory is touched
# that is gone (what a sanitizer sees).

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
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /buffered { proxy_pass http://%%BACKEND%%/big; }
        location /stream   { proxy_buffering off; proxy_pass http://%%BACKEND%%/big; }
    }
}
EOF
my $line = 'SECRET ' . 'x' x 56 . "\n";
$up->on('/big', body => $line, size => 5_000_000);
$t->start;
my ($worker) = $t->workers or die 'no worker';

for my $path ('/buffered', '/stream') {
    my $payment = payment(unpaid($t, $path));
    my $owed = $t->log_count(qr/payment owed|content owed/);
    $f->settle('hold');
    $_->forget for $f, $up;
    my $c = $t->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    ok $f->wait_calls(settle => 1), "$path: settling";
    # Both wait for the worker, the answer first: over loopback what was sent is there.
    kill STOP => $worker;
    $f->settle('paid');
    $f->release;
    $c->abort;
    kill CONT => $worker;
    ok $t->wait_for(sub { $t->log_count(qr/payment owed|content owed/) > $owed }), "$path: owed";
    my $r = paid($t, $path, payment => $payment);
    is length $r->body, 5_000_000, "$path: and delivered";
    is $f->calls('settle'), 1, "$path: settled once";
}
is +($t->workers)[0], $worker, 'the worker is the same';

finish;
