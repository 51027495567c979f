# SPDX-License-Identifier: Apache-2.0
# Extension payment-identifier: a client names what it pays for, and asks as often as it likes without paying twice.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price 0.01;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location /may/    { x402_extension payment-identifier may.json; proxy_pass http://%%BACKEND%%; }
        location /must/   { x402_extension payment-identifier must.json; proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_extension payment-identifier may.json; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /other/  { x402_extension payment-identifier may.json; proxy_pass http://%%BACKEND%%; }
        location /plain/  { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->write("$_->[0].json", qq({"info":{"required":$_->[1]},"schema":{"type":"object"}})) for [ may => 'false' ], [ must => 'true' ];
$up->on('*', body => "SECRET\n");
$t->start;

my $alice = random_hex(20);
my $n = 0;
sub fresh { return sprintf 'order_%d_%s', ++$n, substr random_hex(8), 2 }

# A payment under a name; extensions as the client echoes them, its own member added.
sub named ($path, $id, %change) {
    my $offer = unpaid($t, $path);
    my $echo  = $offer->{extensions};
    $echo->{'payment-identifier'}{info}{id} = $id if defined $id;
    return payment($offer, from => $alice, extensions => $echo, %change);
}
sub buy ($path, $id, %change) { return paid($t, $path, payment => named($path, $id, %change)) }

sub fault ($answer, $status, $word, $name) {
    ok $answer->status == $status && $answer->body eq qq({"error":"$word","charged":false})
        && !$answer->header('PAYMENT-REQUIRED') && !$answer->header('PAYMENT-RESPONSE'), $name or diag $answer->summary;
    return no_trace $answer, 'SECRET', "$name: no content";
}

# --- used once ---------------------------------------------------------------------

for my $path (qw(/may/a /before/a)) {
    $_->forget for $f, $up;
    my $id = fresh;
    my $payment = named($path, $id);
    is_content paid($t, $path, payment => $payment), "SECRET\n", "$path: paid under a name";
    my $calls = $f->calls;
    fault buy($path, $id), 409, 'payment_identifier_in_use', "$path: another payment under it";
    my $r = paid($t, $path, payment => $payment);
    is $r->status, 402, "$path: the same payment";
    is offer($r)->{error}, 'payment_already_used', "$path: has the answer of its claim";
    is scalar $f->calls, $calls, "$path: no facilitator was asked again";
    is $up->hits, 1, "$path: made once";
    is_content buy($path, $id, from => random_hex(20)), "SECRET\n", "$path: another payer may use it";
    is_content buy($path, fresh), "SECRET\n", "$path: another name is another order";
}
my $shared = fresh;
is_content buy('/may/a', $shared), "SECRET\n", 'a name';
is_content buy('/other/a', $shared), "SECRET\n", 'is free at another location';
fault buy('/may/b', $shared), 409, 'payment_identifier_in_use', 'and taken at the same, for all that is sold there';

# --- what came to nothing does not hold a name ----------------------------------------

for my $path (qw(/may/n /before/n)) {
    my $id = fresh;
    $f->verify_once(invalid => 'insufficient_funds');
    is buy($path, $id)->status, 402, "$path: not valid";
    $f->verify('ok');
    $f->settle_once(refused => 'insufficient_funds');
    is buy($path, $id)->status, 402, "$path: refused";
    $f->verify('ok');
    is_content buy($path, $id), "SECRET\n", "$path: the next payment under the name is taken";
}
my $id = fresh;
$up->on('/may/failing', status => 500, body => 'no');
is buy('/may/failing', $id)->status, 500, 'content that failed';
$up->on('/may/failing', body => "SECRET\n");
is_content buy('/may/failing', $id), "SECRET\n", 'is not charged, and its name is free';

# A payment in doubt keeps its name.
$id = fresh;
$f->settle_once(reset => 1);
my $payment = named('/may/doubt', $id);
is paid($t, '/may/doubt', payment => $payment)->status, 503, 'in doubt';
fault buy('/may/other', $id), 409, 'payment_identifier_in_use', 'no other payment has it';
is_content paid($t, '/may/doubt', payment => $payment), "SECRET\n", 'the same payment ends it';

# Its payer may sign again under the same name for what it may have paid.
for my $how ([ reset => 1 ], [ status => 500 ]) {
    $id = fresh;
    $f->settle_once(@$how);
    $payment = named('/may/doubt', $id);
    is paid($t, '/may/doubt', payment => $payment)->status, 503, "@$how: in doubt";
    $_->forget for $f, $up;
    is_content buy('/may/doubt', $id), "SECRET\n", "@$how: another payment under the name ends it";
    is $f->asked('settle')->{paymentPayload}{payload}{authorization}{nonce},
        decoded($payment)->{payload}{authorization}{nonce}, "@$how: by settling the first";
    is $up->hits, 1, "@$how: made once";
    fault buy('/may/doubt', $id), 409, 'payment_identifier_in_use', "@$how: which keeps the name";
}

# --- how it has to be written ------------------------------------------------------------

$_->forget for $f, $up;
fault buy('/must/a', undef), 400, 'payment_identifier_required', 'required and missing';
fault buy('/must/a', $_), 400, 'payment_identifier_invalid', 'invalid: ' . substr $_, 0, 20
    for 'short', 'x' x 129, "order with blanks here", "order/with/slashes1", 5, "order_\x{e4}_umlaut_here";
fault buy('/may/a', 'short'), 400, 'payment_identifier_invalid', 'invalid where it may be left out';
is scalar $f->calls, 0, 'no facilitator was asked';
ok $up->untouched, 'the backend saw nothing';
is_content buy('/must/a', fresh), "SECRET\n", 'required and there';
is_content buy('/may/a', undef), "SECRET\n", 'not required and missing';
is_content paid($t, '/plain/a', payment => payment(unpaid($t, '/plain/a'),
    extensions => { 'payment-identifier' => { info => { id => 'short' } } })), "SECRET\n", 'not offered: not read';

# --- many at once ------------------------------------------------------------------------

$_->forget for $f, $up;
$id = fresh;
$f->verify('hold');
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/may/race', headers => [ header_of(named('/may/race', $id)) ]);
    $c;
} 1 .. 6;
$f->wait_calls(verify => 6);
$f->verify('ok');
$f->release;
my @answers = map { $_->answer } @clients;
is scalar(grep { $_->status == 200 } @answers), 1, 'one of six payments under a name is taken';
is scalar(grep { $_->status == 409 } @answers), 5, 'the others are told';
is $f->calls('settle'), 1, 'one is charged';
is $up->hits('/may/race'), 1, 'made once';

finish;
