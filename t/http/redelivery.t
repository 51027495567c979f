# SPDX-License-Identifier: Apache-2.0
# Content that was charged and not delivered is owed to the client that paid:
# the same payment brings it, at most three times, and no other client gets it.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_zone x402:1m;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_price %%PRICE%%;
        location /     { proxy_pass http://%%BACKEND%%; }
        location /key/ { x402_redeliver_key $http_x_client; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { PRICE => '$0.01' });
$up->on('*', body => "SECRET\n");
$t->start;

# A payment that was charged while its client was gone.
sub owed ($path, %options) {
    my $payment = payment(unpaid($t, $path));
    $f->forget;
    $f->settle('hold');
    my $c = $t->connect;
    $c->write_request($options{method} // 'GET', $path,
        headers => [ ($options{headers} // [])->@*, header_of($payment) ]);
    $f->wait_calls(settle => 1) or die 'no settle';
    $t->leave($c) or die 'not gone';
    $f->settle('paid');
    $f->release('settle');
    $t->wait_for(sub { index($t->log, tx($payment)) >= 0 }) or die 'no ledger line';
    $_->forget for $f, $up;
    return $payment;
}

sub tx ($payment) { return $f->transaction(decoded($payment)->{payload}{authorization}{nonce}) }

sub used ($answer, $name) {
    ok $answer->status == 402 && offer($answer)->{error} eq 'payment_already_used'
        && !$answer->header('PAYMENT-RESPONSE'), $name or diag $answer->summary;
    return no_trace $answer, 'SECRET', "$name: no content";
}

# --- who may have it

my $payment = owed('/a?b=1');
used paid($t, '/a?b=2', payment => $payment), 'another query';
used paid($t, '/other', payment => $payment), 'another path';
used paid($t, '/a?b=1', payment => $payment, host => 'other'), 'another host';
used paid($t, '/a?b=1', payment => $payment, from => '127.0.0.2'), 'another client';
used paid($t, '/a?b=1', payment => $payment, method => 'POST', body => 'x'), 'another method';
is $up->hits, 0, 'the backend was not asked';
my $r = paid($t, '/a?b=1', payment => $payment);
is_content $r, "SECRET\n", 'the same request';
is receipt($r)->{transaction}, tx($payment), 'the old receipt';
is $f->calls, 0, 'nothing asked';
is $up->hits, 1, 'made again, once';
used paid($t, '/a?b=1', payment => $payment), 'and then it is used';

# --- a key of the operator's choice

$payment = owed('/key/a', headers => [ 'X-Client' => 'me' ]);
used paid($t, '/key/a', payment => $payment, headers => [ 'X-Client' => 'you' ]), 'another key';
used paid($t, '/key/a', payment => $payment), 'no key';
is_content paid($t, '/key/a', payment => $payment, headers => [ 'X-Client' => 'me' ], from => '127.0.0.2'),
    "SECRET\n", 'the same key from another address';

# a client without a key is known by its address, not by having none
$payment = owed('/key/b');
used paid($t, '/key/b', payment => $payment, from => '127.0.0.2'), 'no key, like another client';
used paid($t, '/key/b', payment => $payment, from => '127.0.0.2', headers => [ 'X-Client' => '127.0.0.1' ]),
    'the address of another as a key';
is_content paid($t, '/key/b', payment => $payment), "SECRET\n", 'no key, the same address';

# --- a failure in between is not the delivery

$payment = owed('/fails');
$up->on('/fails', status => 500, body => 'oops');
$r = paid($t, '/fails', payment => $payment);
is $r->status . $r->body, '500oops', 'a failure passes';
is receipt($r)->{transaction}, tx($payment), 'with the receipt';
$up->on('/fails', body => "SECRET\n");
is_content paid($t, '/fails', payment => $payment), "SECRET\n", 'and the content is still owed';

# --- at most three executions

$payment = owed('/thrice');
$up->on('/thrice', status => 500, body => 'oops');
is paid($t, '/thrice', payment => $payment)->status, 500, "execution $_" for 2, 3;
$up->forget;
$up->on('/thrice', body => "SECRET\n");
$r = paid($t, '/thrice', payment => $payment);
isnt $r->status, 200, 'no fourth';
no_trace $r, 'SECRET', 'no content';
is $up->hits, 0, 'the backend is not asked';
is $f->calls, 0, 'nor the facilitator';

# --- not for requests with a body

$payment = payment(unpaid($t, '/post'));
$f->settle('hold');
my $c = $t->connect;
$f->forget;
$c->write_request(POST => '/post', headers => [ header_of($payment) ], body => 'order');
$f->wait_calls(settle => 1);
$c->abort;
$f->settle('paid');
$f->release('settle');
$t->wait_for(sub { index($t->log, tx($payment)) >= 0 });
$up->forget;
used paid($t, '/post', payment => $payment, method => 'POST', body => 'order'), 'a POST is not repeated';
is $up->hits, 0, 'the backend is not asked';

# --- a reload and a new price do not matter to money that has moved

$payment = owed('/later');
$t->{holes}{PRICE} = '$3';
$t->conf($conf);
$t->wait_exit($t->reload);
is offer($t->get('/later'))->{accepts}[0]{amount}, '3000000', 'a new price';
$r = paid($t, '/later', payment => $payment);
is_content $r, "SECRET\n", 'what was paid before is still owed';
is receipt($r)->{transaction}, tx($payment), 'under the old receipt';

finish;
