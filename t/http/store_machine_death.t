# SPDX-License-Identifier: Apache-2.0
# A machine that is killed in any state of a payment is taken over by another
# one that shares its store: nothing is sold twice, and nothing is lost.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $conf = machines_conf('timeout=5s lease=5s');
my $port = X402::Port::reserve();
my ($number, $one) = (1);

sub machine () {
    my $t = nginx($conf, facilitator => $f, backend => $up, port => $port, address => '127.0.0.' . ++$number,
        holes => { STORE => $redis->url });
    $t->allow(qr/exited on signal 9/);
    return $t->start;
}
my $other = machine();
$up->on('*', body => "SECRET\n");

# A payment that begins on a machine of its own, which is killed once `ready`.
sub begun_and_killed ($path, $ready, %change) {
    $one = machine();
    $_->forget for $f, $up;
    my $payment = payment(unpaid($one, $path), %change);
    my $c = $one->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    $ready->($c);
    $one->destroy;
    return $payment;
}

# The first answer that is not "wait".
# While it is verified: the payment is good again once the lease is over.
$f->verify('hold');
my $payment = begun_and_killed('/verifying', sub ($c) { $f->wait_calls(verify => 1) });
$f->verify('ok');
is paid($other, '/verifying', payment => $payment)->status, 409, 'killed while verifying: in use for a while';
$_->forget for $f, $up;
is_content finally($other, '/verifying', $payment), "SECRET\n", 'and then the payment is good';
is $f->order, 'verify settle', 'from the beginning';

# While content is made: the same.
$up->on('/made', body => "SECRET\n", hold => 1);
$payment = begun_and_killed('/made', sub ($c) { $up->wait_count('/made', 1) });
$up->on('/made', body => "SECRET\n");
is_content finally($other, '/made', $payment), "SECRET\n", 'killed while content is made: good in the end';
is $f->calls('settle'), 1, 'settled once';

# After settle was sent: asked again by the other machine, with the same bytes.
$f->settle('hold');
$payment = begun_and_killed('/settling', sub ($c) { $f->wait_calls(settle => 1) });
my $sent = +($f->requests('settle'))[0]{body};
is paid($other, '/settling', payment => $payment)->status, 409, 'killed while settling: in use for a while';
$f->settle('paid');
$_->forget for $f, $up;
is_content finally($other, '/settling', $payment), "SECRET\n", 'another machine delivers the content';
is $f->calls('verify'), 0, 'which is not verified again';
is +($f->requests('settle'))[-1]{body}, $sent, 'and asked about with the same bytes';
is $up->hits, 1, 'the backend ran once more';
is finally($other, '/settling', $payment)->status, 402, 'and it is used';

# The client does not come back for it: the store tells which machine asks.
$f->settle('hold');
$payment = begun_and_killed('/forgotten', sub ($c) { $f->wait_calls(settle => 1) });
$sent = +($f->requests('settle'))[0]{body};
$f->settle('paid');
$f->forget;
ok $other->wait_for(sub { $f->calls('settle') >= 1 }), 'an outcome is learned without a client';
is +($f->requests('settle'))[0]{body}, $sent, 'with the same bytes';
$other->log_like(qr/paid, content owed/, 'and content is owed');
$_->forget for $f, $up;
is_content finally($other, '/forgotten', $payment), "SECRET\n", 'to the payment';
is $f->calls, 0, 'nobody is asked for it';

# While content is sent: owed.
my $content = 'SECRET ' x 30_000;
$up->on('/sent', body => $content, hold_after => 150_000);
$payment = begun_and_killed('/sent', sub ($c) {
    $other->wait_for(sub { $c->rest(0.05); $c->raw =~ /SECRET SECRET/ });
});
$up->on('/sent', body => $content);
is_content finally($other, '/sent', $payment), $content, 'killed while content is sent: it is owed';
is $f->calls('settle'), 1, 'and settled once';
is finally($other, '/sent', $payment)->status, 402, 'and then it is used';

# Owed to a payer that signs a new payment, on another machine.
$up->on('/again', body => $content, hold_after => 150_000);
my $payer = random_hex(20);
$payment = begun_and_killed('/again', sub ($c) {
    $other->wait_for(sub { $c->rest(0.05); $c->raw =~ /SECRET SECRET/ });
}, from => $payer);
$up->on('/again', body => $content);
$_->forget for $f, $up;
sleep 6;    # the lease: before, it may still be delivered
is_content paid($other, '/again', change => { from => $payer }), $content, 'a new payment of the payer gets what is owed';
is $f->order, 'verify', 'and is not settled';

finish;
