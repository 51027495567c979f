# SPDX-License-Identifier: Apache-2.0
# Several machines share a store: a payment that this machine would not take, since
# no facilitator answers it, or because too little of its time is left, may be one
# that another machine has taken. What is owed for it is delivered, and its client
# is not asked to pay again.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $conf = machines_conf('timeout=5s lease=3s', main => 'worker_processes 1;', http => 'x402_validity min=%%LEAST%%;');
# What the first takes is too late at the other, as if some time had passed.
my ($one, $other) = machines($conf, $f, $up, [ map { { STORE => $redis->url, LEAST => $_ } } '5s', '90s' ]);
$_->allow(qr/ failed: |fails (?:verify|settle) again/) for $one, $other;
$up->on('*', body => "SECRET\n");

# Content of the first machine that its client did not wait for.
sub owed ($path, %change) {
    my $payment = payment(unpaid($one, $path), %change);
    $_->forget for $f, $up;
    $f->settle('hold');
    my $c = $one->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    $f->wait_calls(settle => 1);
    $one->leave($c);
    $f->settle('paid');
    $f->release('settle');
    ok $one->wait_for(sub { $one->log =~ /paid, content owed[^\n]*\Q$path\E"/ }), "$path: content is owed";
    # The line is a moment before the store.
    ok $one->wait_for(sub { is_owed() }), "$path: which the store knows";
    $_->forget for $f, $up;
    return $payment;
}

# A claim is owed: state 4 without a lease.
sub is_owed () {
    return scalar grep { my $claim = $redis->ask(GET => $_) // ''; $claim =~ /\A.\x04...\0{8}/s } $redis->ask(KEYS => '*:c:*')->@*;
}

# Of an unknown outcome at the first machine.
sub in_doubt ($path, %change) {
    my $payment = payment(unpaid($one, $path), %change);
    $f->settle('close');
    is paid($one, $path, payment => $payment)->body, '{"error":"settlement_unknown","charged":"unknown"}', "$path: in doubt";
    $f->settle('paid');
    $_->forget for $f, $up;
    return $payment;
}

sub answer_of ($answer) { return $answer->status . ' ' . $answer->body }

# --- too little time is left

my %short = (valid => 80);
my $late = owed('/late', %short);
my $used = payment(unpaid($one, '/used'), %short);
is_content paid($one, '/used', payment => $used), "SECRET\n", 'used at the first machine';
my $doubt = in_doubt('/doubt', %short);
my $new = payment(unpaid($one, '/late'), %short);
$_->forget for $f, $up;
is offer(paid($other, '/late', payment => $new))->{error}, 'payment_validity_too_short', 'too late if it is new';
is $redis->known, 3, 'which leaves nothing in the store';
is_content paid($other, '/late', payment => $late), "SECRET\n", 'owed: another machine delivers it';
is offer(paid($other, '/late', payment => $late))->{error}, 'payment_already_used', 'and then it is used';
is offer(paid($other, '/used', payment => $used))->{error}, 'payment_already_used', 'as one that was delivered elsewhere';
my $answer = finally($other, '/doubt', $doubt);
is_content $answer, "SECRET\n", 'in doubt: it is finished, and not asked for again';

# For other content it is not good.
$late = owed('/own', %short);
$answer = paid($other, '/dear', payment => $late);
is $answer->status, 402, 'owed for something else: 402';
no_trace $answer, 'SECRET', 'no content';

# While another machine works on it.
$up->on('/busy', body => "SECRET\n", hold => 1);
my $payment = payment(unpaid($one, '/busy'), %short);
my $c = $one->connect;
$c->write_request(GET => '/busy', headers => [ header_of($payment) ]);
$up->wait_count('/busy', 1);
is paid($other, '/busy', payment => $payment)->body, '{"error":"payment_in_use","charged":false}', 'in use elsewhere: so it is here';
$up->release('/busy');
is_content $c->answer, "SECRET\n", 'and it is delivered there';

# --- no facilitator answers

# One payment in five seconds is let through, to see whether it answers again.
sub is_told_to_come_back ($name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $told;
    $other->wait_for(sub { $told = answer_of(paid($other, '/down', payment => $new)); return $told =~ /unavailable/ });
    return is $told, '503 {"error":"facilitator_unavailable","charged":false}', "$name: told to come back";
}

$payment = owed('/down');
$doubt   = in_doubt('/down/doubt');
$used    = payment(unpaid($one, '/down/used'));
is_content paid($one, '/down/used', payment => $used), "SECRET\n", 'used at the first machine';
$new = payment(unpaid($one, '/down'));
my $known = $redis->known;
$f->verify('close');
is paid($other, '/')->status, 502, 'it does not answer the other machine' for 1 .. 5;
$_->forget for $f, $up;
is_told_to_come_back('a new payment');
# Those that were let through to see whether it answers are freed a moment later.
ok $other->wait_for(sub { $redis->known == $known }), 'which leaves nothing in the store';
is_content paid($other, '/down', payment => $payment), "SECRET\n", 'owed: it is delivered without a facilitator';
is $f->calls('verify'), 0, 'which was not asked';
is offer(paid($other, '/down/used', payment => $used))->{error}, 'payment_already_used', 'what was delivered is used';
# --- the store does not answer, either

$redis->freeze;
is_told_to_come_back('without a store, and without a facilitator');
$late = payment(unpaid($one, '/late'), %short);
is answer_of(paid($other, '/late', payment => $late)), '503 {"error":"busy","charged":false}',
    'without a store a payment that may be known elsewhere is not asked for again';
$redis->thaw;
ok $other->wait_for(sub { paid($other, '/late', payment => $late)->status == 402 }, 20), 'with it, it is refused';
is_content finally($other, '/down/doubt', $doubt), "SECRET\n", 'what was in doubt is finished';

finish;
