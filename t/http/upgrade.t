# SPDX-License-Identifier: Apache-2.0
# A 101 would take the connection away from under the hold: a WebSocket is paid
# for before the upstream is asked, any other change of protocol is refused.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
        location /free/ { proxy_pass http://%%BACKEND%%/; }
        location /paid/ { x402_price $0.01; proxy_pass http://%%BACKEND%%/; }
        location /now/  { x402_price $0.01; proxy_pass http://%%BACKEND%%/; proxy_buffering off; }
    }
}
EOF
$up->on('/socket', status => 101, body => 'SECRET frames',
    headers => [ Upgrade => 'websocket', Connection => 'Upgrade' ]);
$up->on('/plain', body => "SECRET\n");
$up->on('/lost', status => 404, body => 'no');
$t->start;

my @upgrade = (Upgrade => 'websocket', Connection => 'Upgrade',
    'Sec-WebSocket-Key' => 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version' => '13');

my $c = $t->connect;
is $c->request(GET => '/free/socket', headers => \@upgrade)->status, 101, 'free: as ever';
ok $t->wait_for(sub { $c->rest(0.02); $c->raw =~ /SECRET/ }), 'with what follows';
$c->hang_up;

$up->forget;
for my $kind ([ h2c => Upgrade => 'h2c', Connection => 'Upgrade' ],
    [ 'no upgrade' => () ])
{
    my ($name, @headers) = @$kind;
    for my $path (qw(/paid/socket /now/socket)) {
        $c = $t->connect;
        is $c->request(GET => $path, headers => \@headers)->status, 402, "$name, $path: unpaid";
        $c->hang_up;
        is $up->hits, 0, "$name, $path: the backend saw nothing";

        $f->forget;
        my $payment = payment(unpaid($t, $path));
        $c = $t->connect;
        my $r = $c->request(GET => $path, headers => [ @headers, header_of($payment) ]);
        is $r->status, 502, "$name, $path: a 101 is refused";
        $c->rest(0.1);
        no_trace $c->raw, 'SECRET', "$name, $path: nothing leaks around the hold";
        is $f->calls('settle'), 0, "$name, $path: not charged";
        $c->hang_up;
        $up->forget;
    }

    # An answer other than 101 is an answer.
    $f->forget;
    my $r = $t->get('/paid/plain', headers => [ @headers, pay_with($t, '/paid/plain')->@* ]);
    is_content $r, "SECRET\n", "$name: an ordinary answer";
    is $f->order, 'verify settle', "$name: in the ordinary order";
    $f->forget;
    $r = $t->get('/paid/lost', headers => [ @headers, pay_with($t, '/paid/plain')->@* ]);
    is $r->status, 404, "$name: a failure";
    is $f->calls('settle'), 0, "$name: is not charged";
    $up->forget;
}

# --- WebSocket

for my $path (qw(/paid/socket /now/socket)) {
    $_->forget for $f, $up;
    $c = $t->connect;
    my $r = $c->request(GET => $path, headers => \@upgrade);
    is $r->status, 402, "WebSocket, $path: unpaid";
    $c->hang_up;
    ok $up->untouched, "WebSocket, $path: the backend saw nothing";

    my $payment = payment(unpaid($t, $path));
    $c = $t->connect;
    $r = $c->request(GET => $path, headers => [ @upgrade, header_of($payment) ]);
    is $r->status, 101, "WebSocket, $path: switched";
    ok receipt($r)->{success}, "WebSocket, $path: under a receipt";
    ok $t->wait_for(sub { $c->rest(0.02); $c->raw =~ /SECRET frames/ }), "WebSocket, $path: with what follows";
    $c->hang_up;
    is $f->order, 'settle', "WebSocket, $path: settled first";
    $r = $t->get($path, headers => [ @upgrade, header_of($payment) ]);
    is $r->status, 402, "WebSocket, $path: once";
    is offer($r)->{error}, 'payment_already_used', "WebSocket, $path: delivered";
    is $up->hits, 1, "WebSocket, $path: one connection";
}

$_->forget for $f, $up;
$f->settle(refused => 'insufficient_funds');
is_refused $t->get('/paid/socket', headers => [ @upgrade, pay_with($t, '/paid/socket')->@* ]), 'WebSocket: no money';
ok $up->untouched, 'WebSocket: the backend saw nothing';
$f->settle('paid');

# The upstream does not switch: an answer like any other, paid for already.
$_->forget for $f, $up;
is_content $t->get('/paid/plain', headers => [ @upgrade, pay_with($t, '/paid/plain')->@* ]), "SECRET\n",
    'WebSocket: an ordinary answer';
is $f->order, 'settle', 'WebSocket: settled first';
my $payment = payment(unpaid($t, '/paid/failing'));
$up->on('/failing', status => 500, body => 'no');
my $r = $t->get('/paid/failing', headers => [ @upgrade, header_of($payment) ]);
is $r->status, 500, 'WebSocket: the upstream fails';
ok receipt($r)->{success}, 'WebSocket: charged, and says so';
$up->on('/failing', body => "SECRET\n");
is_content $t->get('/paid/failing', headers => [ @upgrade, header_of($payment) ]), "SECRET\n",
    'WebSocket: owed, and delivered for the same payment';

is $t->ask(CONNECT => '/paid/plain')->status =~ /\A(?:40[0-9])\z/, 1, 'CONNECT gets nowhere';

finish;
