# SPDX-License-Identifier: Apache-2.0
# The client leaves: before settlement nothing is charged and the payment stays
# good; once settlement is sent it is finished, and the content is owed.
# Runs with both transports.

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
    x402_price $0.01;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /file/       { alias %%DIR%%/html/; }
        location /buffered/   { proxy_pass http://%%BACKEND%%/; x402_settle_wait 1h; }
        location /unbuffered/ { proxy_pass http://%%BACKEND%%/; proxy_buffering off; }
    }
}
EOF
my $content = 'SECRET ' x 2000;
$t->write('html/a', $content);
$up->on('/a', body => $content);
$up->on('/held', body => $content, hold => 1);
$up->on('/half', body => $content, hold_after => 5000);
$t->start;

# How a client can leave.
my %ways = (
    'closes'      => { leave => sub ($c, $id) { $t->leave($c, 'hang_up') } },
    'resets'      => { leave => sub ($c, $id) { $t->leave($c) } },
    'HTTP/2, cancels'  => { h2 => 1, leave => sub ($c, $id) { $c->reset($id); $c->ping } },
    'HTTP/2, closes' => { h2 => 1, leave => sub ($c, $id) { $t->leave($c, 'hang_up') } },
);

for my $way (sort keys %ways) {
    my $leave = $ways{$way}{leave};
    my %via   = $ways{$way}{h2} ? (h2 => 1, port => 'h2') : ();

    # Sends a paid request, waits for the moment, leaves. Returns the payment.
    my $left = sub ($path, $moment) {
        $_->forget for $f, $up;
        my $payment = payment(unpaid($t, $path));
        my $c  = $t->connect(%via);
        my $id = $c->write_request(GET => $path, headers => [ header_of($payment) ]);
        ok $moment->(), "$way, $path: the moment has come";
        ok $leave->($c, $id), "$way, $path: nginx knows";
        return ($payment, $c);
    };
    my $good = sub ($path, $payment, $name, $order = 'verify settle') {
        $f->forget;
        is_content paid($t, $path, payment => $payment, %via), $content, "$way, $name: the payment is still good";
        is $f->order, $order, "$way, $name: asked for $order";
    };

    # while verifying
    $f->verify('hold');
    my ($payment) = $left->('/file/a', sub { $f->wait_calls(verify => 1) });
    ok $f->wait_gone('verify'), "$way while verifying: the call is given up";
    $f->verify('ok');
    is $f->calls('settle'), 0, "$way while verifying: not settled";
    $good->('/file/a', $payment, 'while verifying');

    # while content is made
    for my $path (qw(/buffered/held /unbuffered/held /buffered/half)) {
        my $upstream = $path =~ s{\A/[^/]*}{}r;
        my $held = { $upstream eq '/held' ? (hold => 1) : (hold_after => 5000) };
        $up->on($upstream, body => $content, %$held);
        ($payment) = $left->($path, sub { $up->wait_count($upstream, 1) && sleep 0.03 });
        ok $up->wait_gone($upstream), "$way, $path: the backend is let go";
        is $f->calls('settle'), 0, "$way, $path: not settled";
        $up->on($upstream, body => $content);
        $good->($path, $payment, $path);
    }

    # while settling: it goes on, and the content is owed to the same payment
    for my $path (qw(/file/a /buffered/a /unbuffered/a)) {
        $f->settle('hold');
        ($payment) = $left->($path, sub { $f->wait_calls(settle => 1) });
        my $nonce = decoded($payment)->{payload}{authorization}{nonce};
        ok !grep({ $_->{gone} } $f->requests('settle')), "$way, $path while settling: the call goes on";
        $f->settle('paid');
        $f->release('settle');
        my $tx = $f->transaction($nonce);
        $t->log_like(qr/\[notice\].*$tx/, "$way, $path while settling: a line in the log");
        $f->forget;
        my $r = paid($t, $path, payment => $payment, %via);
        is_content $r, $content, "$way, $path while settling: the content is owed";
        is receipt($r)->{transaction}, $tx, "$way, $path while settling: under the old receipt";
        is $f->calls, 0, "$way, $path while settling: nothing is asked again";
    }

    # while settling, and it is refused: nothing is owed
    $f->settle(hold => 1, refused => 'insufficient_funds');
    ($payment) = $left->('/file/a', sub { $f->wait_calls(settle => 1) });
    $f->settle('paid');
    $f->release('settle');
    # who was refused once is settled first
    $good->('/file/a', $payment, 'while settling, refused', 'settle');

    # while settling, and the outcome is unknown
    $f->settle(hold => 1, close => 1);
    ($payment) = $left->('/file/a', sub { $f->wait_calls(settle => 1) });
    $f->settle('paid');
    $f->release('settle');
    $t->log_like(qr/unknown/, "$way while settling, unknown: a line in the log");
    $f->forget;
    is_content paid($t, '/file/a', payment => $payment, %via), $content, "$way while settling, unknown: finished later";
    is $f->order, 'settle', "$way while settling, unknown: by settling again";
}

# A client that reads nothing and leaves in the middle of a released body has had its content.
$t->write('html/big', 'SECRET ' x 4_000_000);
$f->forget;
my $c = $t->connect(receive_buffer => 4096);
my $headers = pay_with($t, '/file/big');
$c->write_request(GET => '/file/big', headers => $headers);
like $c->answer(until => qr/SECRET/)->body, qr/SECRET/, 'the body begins';
ok $t->leave($c), 'and the client leaves';
my $r = $t->get('/file/big', headers => $headers);
is $r->status, 402, 'delivered is delivered';
is offer($r)->{error}, 'payment_already_used', 'and said so';

# gone together with its request, before nginx has even read it: the signal
# that it left comes with the request and is not given twice
for my $n (1 .. 5) {
    my $payment = payment(unpaid($t, '/file/a'));
    my ($worker) = $t->workers or die 'no worker';
    $f->forget;
    $f->verify('hold');
    kill STOP => $worker;
    my $c = $t->connect;
    $c->write_request(GET => '/file/a', headers => [ header_of($payment) ]);
    $c->hang_up;
    kill CONT => $worker;
    $t->wait_for(sub { $f->wait_calls(verify => 1, 0.2) || 1 });
    $f->verify('ok');
    my $again;
    $t->wait_for(sub { $again = paid($t, '/file/a', payment => $payment); $again->status != 409 });
    is_content $again, $content, "gone with the request, $n: the payment is free again";
    $f->release;
}

finish;
