# SPDX-License-Identifier: Apache-2.0
# A machine that stands still for longer than its lease, or whose answers from
# the store are lost: what others took over meanwhile is theirs, so that content
# is delivered once; and no owed content is lost on the way.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $cut  = X402::StoreProxy->new($redis->port);
my $conf = machines_conf('timeout=%%TIMEOUT%% lease=3s', patient => 1);
my ($one, $hasty, $other) = machines($conf, $f, $up,
    [ map { { STORE => $_->[0], TIMEOUT => $_->[1] } } [ $cut->url, '20s' ], [ $cut->url, '1s' ], [ $redis->url, '5s' ] ]);
$up->on('*', body => "SECRET\n");

sub presented ($t, $path, $payment) {
    my $c = $t->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    return $c;
}

# A payment whose client left: its content is owed.
sub owed ($path) {
    $_->forget for $f, $up;
    $f->settle('hold');
    my $payment = payment(unpaid($other, $path));
    my $c = presented($other, $path, $payment);
    $f->wait_calls(settle => 1);
    $other->leave($c);
    $f->settle('paid');
    $f->release('settle');
    $other->log_like(qr/paid, content owed.*\Q$path\E/, "$path: content is owed");
    $_->forget for $f, $up;
    return $payment;
}

# The store knows the scripts by now.
is_content paid($_, '/after/warm'), "SECRET\n", 'warm' for $one, $hasty, $other;
is_content finally($other, '/after/warm2', owed('/after/warm2')), "SECRET\n", 'what is owed, too';
$_->forget for $f, $up, $cut;

# The answer to PAID is old when it is read.
my $payment = payment(unpaid($one, '/after/paid'));
$cut->on(paid => 2);
my $c = presented($one, '/after/paid', $payment);
$one->wait_for(sub { $cut->asked('paid') >= 1 });
kill STOP => $one->workers;
is_content finally($other, '/after/paid', $payment), "SECRET\n", 'a machine stands still behind PAID: another delivers';
kill CONT => $one->workers;
my $answer = $c->answer;
is $answer->status, 402, 'and this one does not, when it goes on';
no_trace $answer, 'SECRET', 'not a byte';
is finally($_, '/after/paid', $payment)->status, 402, 'and it is used' for $one, $other;

# Content that is owed, or paid before it is made, takes longer than the lease.
for my $way ('owed', 'before') {
    my $path = $way eq 'owed' ? '/after/owed' : '/before/made';
    $payment = $way eq 'owed' ? owed($path) : payment(unpaid($one, $path));
    $up->on($path, body => "SECRET\n", hold => 1);
    $c = presented($one, $path, $payment);
    $up->wait_count($path, 1);
    kill STOP => $one->workers;
    $up->on($path, body => "SECRET\n");
    is_content finally($other, $path, $payment), "SECRET\n", "$way: a machine stands still while content is made: another delivers";
    $up->release($path);
    sleep 1;
    kill CONT => $one->workers;
    $answer = $c->answer;
    is $answer->status . $answer->body, '409{"error":"payment_in_use"}', "$way: and this one does not, when it goes on";
    no_trace $answer, 'SECRET', "$way: not a byte";
    is finally($_, $path, $payment)->status, 402, "$way: and it is used" for $one, $other;
}
$one->log_like(qr/\[warn\].*raise lease= of x402_store/, 'a line says what to do');

# Answers to RESUME that come too late use up no execution.
$payment = owed('/after/late');
for (1 .. 4) {
    $cut->on(resume => 2);
    is paid($hasty, '/after/late', payment => $payment)->status, 503, 'the answer to RESUME is late: come again';
    sleep 4;    # the lease
}
is_content finally($other, '/after/late', $payment), "SECRET\n", 'and in the end the content is there';
is $up->hits, 1, 'made once';

# The worker dies before the store hears that it is paid; the facilitator says
# it no second time.
$payment = payment(unpaid($one, '/after/known'));
$one->allow(qr/exited on signal 9/);
$cut->on(paid => 'swallow');
my $asked = $cut->asked('paid');
$c = presented($one, '/after/known', $payment);
$one->wait_for(sub { $cut->asked('paid') > $asked });
$f->settle(refused => 'invalid_exact_evm_nonce_already_used');
$f->forget;
# The others do not know it, and may ask as soon as its lease is over.
my @others = map { $_->workers } $hasty, $other;
kill STOP => @others;
kill KILL => $one->workers;
is_content finally($one, '/after/known', $payment), "SECRET\n", 'what a machine knows to be paid is not doubted again';
is $f->calls, 0, 'nobody is asked about it';
kill CONT => @others;
is finally($other, '/after/known', $payment)->status, 402, 'and then it is used, everywhere';

cmp_ok $cut->answered, '>', 0, 'calls acknowledged: ' . $cut->answered;

finish;
