# SPDX-License-Identifier: Apache-2.0
# What each answer to settle means: paid, refused, not processed, or unknown.
# Content leaves for the first one only; a fresh offer is made for none but the
# second; the same payment can be used again where no money moved.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout settle=3s;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; root %%DIR%%/html; }
    }
}
EOF
my $content = "SECRET content\n";
$t->write('html/paid', $content);
$t->start;

# One payment presented under a scripted settle answer; then again, with the
# facilitator in order.
sub outcome ($name, @spec) {
    $f->forget;
    $f->settle(@spec);
    my $payment = payment(unpaid($t, '/paid'));
    my $first   = paid($t, '/paid', payment => $payment);
    my $order   = $f->order;
    $f->settle('paid');
    $f->forget;
    my $again = paid($t, '/paid', payment => $payment);
    return ($first, $order, $again, $f->order);
}

sub is_paid ($name, @spec) {
    my ($first, $order, $again) = outcome($name, @spec);
    is_content $first, $content, "paid: $name";
    ok $again->status == 402 && offer($again)->{error} eq 'payment_already_used'
        && !$again->header('PAYMENT-RESPONSE'), "paid: $name: used up";
    return;
}

sub is_no ($name, @spec) {
    my ($first, $order, $again, $then) = outcome($name, @spec);
    is_refused $first, "refused: $name";
    no_trace $first, 'SECRET', "refused: $name: no content";
    is $order, 'verify settle', "refused: $name: asked once";
    is_content $again, $content, "refused: $name: can be tried again";
    is $then, 'settle', "refused: $name: and is then settled first";
    return $first;
}

sub not_processed ($name, $status, @spec) {
    my ($first, $order, $again, $then) = outcome($name, @spec);
    my $word = $status == 503 ? 'busy' : 'facilitator_failed';
    ok $first->status == $status && $first->body =~ /\A\{"error":"$word"/
        && !$first->header('PAYMENT-RESPONSE') && !$first->header('PAYMENT-REQUIRED')
        && $first->header('Cache-Control') eq 'no-store', "not processed: $name"
        or diag $first->summary;
    no_trace $first, 'SECRET', "not processed: $name: no content";
    is_content $again, $content, "not processed: $name: the payment is still good";
    is $then, 'verify settle', "not processed: $name: and is verified again";
    return $first;
}

sub is_unknown ($name, @spec) {
    my ($first, $order, $again, $then) = outcome($name, @spec);
    ok $first->status == 503 && $first->body eq '{"error":"settlement_unknown","charged":"unknown"}'
        && !$first->header('PAYMENT-RESPONSE') && !$first->header('PAYMENT-REQUIRED')
        && $first->header('Cache-Control') eq 'no-store', "unknown: $name"
        or diag $first->summary;
    no_trace $first, 'SECRET', "unknown: $name: no content";
    is_content $again, $content, "unknown: $name: the same payment finishes it";
    is $then, 'settle', "unknown: $name: by settling again, no more";
    return $order;
}

# --- paid

is_paid('as it should be', 'paid');
is_paid('status 201', status => 201);
is_paid('no payer', without => ['payer']);
is_paid('payer null', with => { payer => undef });
is_paid('the amount', with => { amount => '10000' });
is_paid('amount null', with => { amount => undef });
is_paid('network by another name', with => { network => 'base-sepolia' });
is_paid('errorReason null', with => { errorReason => undef });
is_paid('chunked', 'chunked');
is_paid('byte by byte', 'trickle');
is_paid('1xx first', 'interim');
is_paid('close-delimited', 'eof');

my $pending = { transaction => '0x' . 'ab' x 32 };
$f->forget;
$f->settle_once(refused => 'settlement_pending', with => $pending);
is_content paid($t, '/paid'), $content, 'pending, then paid';
is $f->order, 'verify settle settle', 'asked once more at once';

# --- an empty text is as absent as null

is_paid("$_ empty", with => { $_ => '' }) for qw(payer amount errorReason errorMessage);
is_paid("$_ null", with => { $_ => undef }) for qw(payer amount errorReason errorMessage);

# --- refused

is_no($_, refused => $_) for qw(insufficient_funds invalid_exact_evm_payload_signature
    invalid_exact_evm_payload_authorization_valid_before invalid_exact_evm_nonce_already_used
    invalid_exact_evm_payload_recipient_mismatch unsupported_scheme);
my $r = is_no('status 400', status => 400, refused => 'insufficient_funds',
    with => { errorMessage => 'too poor', transaction => '' });
is receipt($r)->{errorReason}, 'insufficient_funds', 'the receipt says why';
is receipt($r)->{errorMessage}, 'too poor', 'in the words of the facilitator';
is receipt($r)->{network}, 'eip155:84532', 'and where';
is_no('status 404 with an answer', status => 404, refused => 'insufficient_funds');
is_no('a mined revert', refused => 'transaction_failed', with => $pending);

# --- not processed

not_processed("status $_", 502, status => $_, body => '{"error":"no"}') for 401, 403, 404;
not_processed('a redirect that cannot be followed', 502, status => 302, body => '');
$t->log_like(qr/\[crit\]/, 'the operator hears of it');
$r = not_processed('status 429', 503, status => 429, body => '{}');
like $r->header('Retry-After'), qr/\A[1-9]\d*\z/, 'Retry-After';

# --- unknown

is_unknown('reset', 'reset');
is_unknown('closed', 'close');
is_unknown('silence', 'silent');
is_unknown('half an answer', half => 150);
is_unknown('more than 256 KB', huge => 257 << 10);
is_unknown("status $_", status => $_, body => 'oops') for 400, 500, 502, 503;
is_unknown('an empty body', body => '');
is_unknown('HTML', body => '<html>"success":true</html>');
is_unknown('cut JSON', body => '{"success":true,"transaction":"0x1","network":"eip155:84532"');
is_unknown('success as text', with => { success => 'true' });
is_unknown('success as number', with => { success => 1 });
is_unknown('no success', without => ['success']);
is_unknown('success with status 400', status => 400);
is_unknown('success with status 500', status => 500);
is_unknown('another network', with => { network => 'eip155:8453' });
is_unknown('no network', without => ['network']);
is_unknown('another payer', with => { payer => random_hex(20) });
is_unknown('another amount', with => { amount => '1' });
is_unknown('transaction null', with => { transaction => undef });
is_unknown('an unlisted reason', refused => 'something_else');
is_unknown('no reason', refused => 'x', without => ['errorReason']);
is_unknown('a listed reason, but a transaction', refused => 'insufficient_funds', with => $pending);
is_unknown('failed without a transaction', refused => 'transaction_failed');
is_unknown('a failed transaction that is pending', refused => 'transaction_failed',
    with => { %$pending, errorMessage => 'settlement_pending, but failed to persist for retry: disk full' });
is_unknown('refused with status 500', status => 500, refused => 'insufficient_funds');
is_unknown('duplicate_settlement', refused => 'duplicate_settlement');
is is_unknown('pending twice', refused => 'settlement_pending', with => $pending),
    'verify settle settle', 'asked once more, not without end';
is is_unknown('pending without a transaction', refused => 'settlement_pending'),
    'verify settle', 'asked once';

# --- what the second call has not sent the first one has

my $asked_twice = payment(unpaid($t, '/paid'));
$f->forget;
$f->settle_once(refused => 'settlement_pending', with => $pending);
$f->settle_once(redirect => dead_url());
is paid($t, '/paid', payment => $asked_twice)->status, 503, 'pending, and then no connection: unknown';
$f->settle(refused => 'invalid_exact_evm_nonce_already_used');
$t->reload;
is paid($t, '/paid', payment => $asked_twice)->body, $content, 'its nonce is used: by the first call';
$f->settle('paid');

# --- nothing was sent: there is no listener when settle is due

$f->verify(ok => 1, hold => 1, last => 1);
my $payment = payment(unpaid($t, '/paid'));
my $c = $t->connect;
$f->forget;
$c->write_request(GET => '/paid', headers => [ header_of($payment) ], close => 1);
$f->wait_calls(verify => 1);
$f->close_idle;
$f->vanish;
$f->release('verify');
$r = $c->answer;
is $r->status, 502, 'no connection for settle';
no_trace $c->raw, 'SECRET', 'no content';
is $f->calls('settle'), 0, 'nothing sent';

finish;
