# SPDX-License-Identifier: Apache-2.0
# One payment buys one execution: in flight, after delivery, in any spelling,
# in any worker.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        listen 127.0.0.1:%%PORT_h2%% http2;
        add_header X-Worker $pid always;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up);
$up->on('*', body => "SECRET\n");
$t->start;

sub in_use ($answer, $name) {
    ok $answer->status == 409 && $answer->body eq '{"error":"payment_in_use","charged":false}'
        && ($answer->header('Retry-After') // '') =~ /\A[1-9]\d*\z/
        && !$answer->header('PAYMENT-REQUIRED') && !$answer->header('PAYMENT-RESPONSE')
        && $answer->header('Cache-Control') eq 'no-store', $name or diag $answer->summary;
    return;
}

sub used ($answer, $name) {
    ok $answer->status == 402 && offer($answer)->{error} eq 'payment_already_used'
        && !$answer->header('PAYMENT-RESPONSE'), $name or diag $answer->summary;
    return no_trace $answer, 'SECRET', "$name: no content";
}

# --- many at once

for my $h2 (0, 1) {
    my $name = $h2 ? 'HTTP/2, ' : '';
    $_->forget for $f, $up;
    my $payment = payment(unpaid($t, '/a'));
    $f->verify('hold');
    my (@answers, %workers);
    if ($h2) {
        my $c = $t->connect(h2 => 1, port => 'h2');
        my @ids = map { $c->write_request(GET => '/a', headers => [ header_of($payment) ]) } 1 .. 20;
        $f->wait_calls(verify => 1);
        $c->answer($ids[$_]) for 1 .. 19;
        $f->release;
        @answers = map { $c->answer($_) } @ids;
    }
    else {
        my @clients = map {
            my $c = $t->connect;
            $c->write_request(GET => '/a', headers => [ header_of($payment) ]);
            $c;
        } 1 .. 20;
        $f->wait_calls(verify => 1);
        $t->wait_for(sub { 19 == grep { $_->_fill(0); $_->raw } @clients });
        $f->release;
        @answers = map { $_->answer } @clients;
    }
    $f->verify('ok');
    my @good = grep { $_->status == 200 } @answers;
    is scalar @good, 1, "${name}one of twenty gets it";
    is scalar(grep { $_->status == 409 } @answers), 19, "${name}the others are told after a while";
    in_use +(grep { $_->status == 409 } @answers)[0], "${name}in use";
    is $f->order, 'verify settle', "${name}asked once";
    is $up->hits, 1, "${name}made once";
    $workers{ $_->header('X-Worker') // '' }++ for @answers;
    is scalar keys %workers, 2, 'in both workers' if !$h2;
    used paid($t, '/a', payment => $payment), "${name}and later it is used";
}

# --- in each phase of the first

my $payment = payment(unpaid($t, '/held'));
$up->on('/held', body => "SECRET\n", hold => 1);
$f->settle('hold');
my $c = $t->connect;
$c->write_request(GET => '/held', headers => [ header_of($payment) ]);
$up->wait_count('/held', 1);
in_use paid($t, '/held', payment => $payment), 'while content is made';
my $r = paid($t, '/elsewhere', payment => $payment);
ok $r->status == 409 || $r->status == 503 || $r->status == 402, 'elsewhere meanwhile';
$f->forget;
$up->release;
$f->wait_calls(settle => 1);
$r = paid($t, '/held', payment => $payment);
ok $r->status == 409 || $r->status == 503, 'while settling';
no_trace $r, 'SECRET', 'no content';
is $up->hits('/elsewhere'), 0, 'the backend is not asked for the other';
$f->settle('paid');
$f->release;
is_content $c->answer, "SECRET\n", 'the first gets its content';
is $f->calls('settle'), 1, 'settled once';

# --- most of the time the wait is worth it

$f->verify('ok');
$up->on('/slow', body => "SECRET\n", hold => 1);
my ($first, $second, @took);
# Other processes may have the processor for a moment: the best of some counts.
until (@took == 5 || @took && $took[-1] < 1) {
    $payment = payment(unpaid($t, '/slow'));
    $_->forget for $f, $up;
    ($first, $second) = map {
        my $connection = $t->connect;
        $connection->write_request(GET => '/slow', headers => [ header_of($payment) ]);
        $up->wait_count('/slow', 1) if !$_;
        $connection;
    } 0, 1;
    sleep 0.3;
    my $released = time;
    $up->release;
    is_content $first->answer, "SECRET\n", 'the first is served';
    used $second->answer, 'the second learns that the payment is used';
    push @took, time - $released;
    is $up->hits, 1, 'made once';
}
cmp_ok $took[-1], '<', 1, 'without waiting to the end';

# The first payment is refused: the second is not a second any more.
$payment = payment(unpaid($t, '/a'));
$_->forget for $f, $up;
$f->verify_once('hold', invalid => 'insufficient_funds');
($first, $second) = map {
    my $connection = $t->connect;
    $connection->write_request(GET => '/a', headers => [ header_of($payment) ]);
    $f->wait_calls(verify => 1) if !$_;
    $connection;
} 0, 1;
sleep 0.2;
$f->release;
is $first->answer->status, 402, 'the first is refused';
is_content $second->answer, "SECRET\n", 'the second gets its turn';
is $f->order, 'verify verify settle', 'and was verified itself';

# Gone while waiting: nothing is left behind.
$payment = payment(unpaid($t, '/slow'));
$_->forget for $f, $up;
$first = $t->connect;
$first->write_request(GET => '/slow', headers => [ header_of($payment) ]);
$up->wait_count('/slow', 1);
$second = $t->connect;
$second->write_request(GET => '/slow', headers => [ header_of($payment) ]);
sleep 0.2;    # so that it waits already; gone before is as good
ok $t->leave($second), 'one who waited leaves';
$up->release;
is_content $first->answer, "SECRET\n", 'the first does not care who leaves';
is $up->hits, 1, 'made once';

# --- after delivery: the same payment in other clothes

my $json    = JSON::PP->new->utf8->canonical;
my $payload = payload(unpaid($t, '/b'));
is_content paid($t, '/b', payment => encoded($payload)), "SECRET\n", 'bought';
$_->forget for $f, $up;
my $auth = $payload->{payload}{authorization};

sub with (%change) {
    my $copy = $json->decode($json->encode($payload));
    for my $path (keys %change) {
        my ($at, @keys) = ($copy, split /\./, $path);
        my $last = pop @keys;
        $at = $at->{$_} for @keys;
        $at->{$last} = $change{$path};
    }
    return encoded($copy);
}

my %clothes = (
    'as it was'     => with(),
    'no padding'    => with() =~ s/=+\z//r,
    'pretty JSON'   => encoded(JSON::PP->new->utf8->pretty->encode($payload)),
    'escaped JSON'  => encoded($json->encode($payload) =~ s/exact/\\u0065xact/r),
    'another signature' => with('payload.signature' => random_hex(65)),
    'nonce in upper case' => with('payload.authorization.nonce' => '0x' . uc substr $auth->{nonce}, 2),
    'payer in upper case' => with('payload.authorization.from' => '0x' . uc substr $auth->{from}, 2),
    'another validBefore' => with('payload.authorization.validBefore' => '' . ("$auth->{validBefore}" + 1)),
    'another validAfter' => with('payload.authorization.validAfter' => '1'),
    'more extra'    => with('accepted.extra.more' => 1),
    'another resource' => with('resource.url' => 'http://else.example/'),
    'with extensions' => with(extensions => { a => 1 }),
);
used paid($t, '/b', payment => $clothes{$_}), $_ for sort keys %clothes;
used paid($t, $_, payment => with()), "at $_" for '/c', '/b?', '/b?a=b', '/b/', '//b', '/%62', '/b;a';
used paid($t, '/b', payment => with(), host => 'else.example'), 'at another host';
used paid($t, '/b', payment => with(), method => $_), "by $_" for qw(POST PUT DELETE);
used paid($t, '/b', payment => with(), h2 => 1, port => 'h2'), 'over HTTP/2';
used paid($t, '/b', payment => with(), from => '127.0.0.2'), 'from another address';
is paid($t, '/b', payment => encoded($json->encode($payload) =~ s/\A\{/{"payload":{},/r))->status, 402,
    'with a key twice';
is $f->calls, 0, 'nothing of this was asked';
is $up->hits, 0, 'nor made';

is_content paid($t, '/b', payment => with('payload.authorization.nonce' => random_hex(32))), "SECRET\n",
    'another nonce is another payment';
is_content paid($t, '/b', payment => with('payload.authorization.from' => random_hex(20))), "SECRET\n",
    'another payer is another payment';

# --- after a reload

$t->wait_exit($t->reload);
used paid($t, '/b', payment => with()), 'after a reload';

finish;
