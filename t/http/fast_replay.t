# SPDX-License-Identifier: Apache-2.0
# The same X-PAYMENT buys once: later, at once, in any worker, at any path of its
# price, in another spelling, and, with a journal, after every process was killed.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Fast;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    %%ZONE%%
    x402_protocol fast;
    x402_facilitator %%FACILITATOR%%;
    x402_network fast-testnet;
    x402_pay_to fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh;
    x402_price 0.001;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { ZONE => '' });
my $journal = "$t->{dir}/claims.journal";
$t->{holes}{ZONE} = "x402_zone mine:1m journal=$journal;";
$t->conf($conf);
$up->on('*', body => "SECRET\n");
$f->verify('ok', with => { payer => 'fast1payer' });
$t->start;

sub show ($path, $payment, %options) { return $t->ask(GET => $path, %options, headers => [ 'X-PAYMENT' => $payment ]) }
sub of ($path) { return fast_offer($t->get($path)) }

sub is_used ($answer, $name) {
    my $body = fast_offer($answer) // {};
    ok $answer->status == 402 && $body->{error} eq 'payment_already_used' && $body->{accepts}->@* == 1
        && $answer->header_count('X-PAYMENT-RESPONSE') == 0, $name or diag $answer->summary;
    return;
}

# --- later ---------------------------------------------------------------------

my $recorded = recorded_payment();
is show('/a', $recorded)->body, "SECRET\n", 'a recorded payment is served';
is_used(show('/a', $recorded), "again: used ($_)") for 1 .. 6;    # both workers
is_used(show('/b', $recorded), 'nor is another path of that price paid with it');
my $cert = decoded($recorded);
my $transaction = $cert->{payload}{transactionCertificate}{envelope}{transaction};
$transaction->{sender} = '0x' . join '', map { sprintf '%02x', $_ } $transaction->{sender}->@*;
$transaction->{nonce} += 0;
is_used(show('/a', encoded($cert)), 'nor with another spelling of it');
pop $cert->{payload}{transactionCertificate}{signatures}->@*;
is_used(show('/a', encoded($cert)), 'nor with fewer signatures');
is $up->hits, 1, 'made once';
is $f->order, 'verify', 'asked once';

# --- at once -------------------------------------------------------------------

for my $round (1 .. 3) {
    $_->forget for $f, $up;
    my $payment = fast_payment(of('/a'));
    $f->verify(hold => 1, with => { payer => 'fast1payer' });
    my @all = map {
        my $c = $t->connect;
        $c->write_request(GET => '/a', headers => [ 'X-PAYMENT' => $payment ]);
        $c;
    } 1 .. 8;
    $f->wait_calls(verify => 1);
    $f->verify('ok', with => { payer => 'fast1payer' });
    $f->release;
    my @status = map { $_->answer->status } @all;
    is scalar(grep { $_ == 200 } @status), 1, "eight at once: one is served ($round)" or diag "@status";
    is scalar(grep { $_ != 200 && $_ != 402 && $_ != 409 } @status), 0, 'the others are refused' or diag "@status";
    is $up->hits, 1, 'made once';
    is $f->calls, 1, 'asked once';
}

# --- what was refused is not used ----------------------------------------------

$_->forget for $f, $up;
my $payment = fast_payment(of('/a'));
$f->verify(invalid => 'insufficient_signatures: certificate expired');
my $r = show('/a', $payment);
is $r->status, 402, 'an expired certificate';
is fast_offer($r)->{error}, 'insufficient_signatures: certificate expired', 'in the words of the facilitator';
is $up->hits, 0, 'the backend saw nothing';
$f->verify('ok', with => { payer => 'fast1payer' });
is show('/a', $payment)->status, 200, 'and the same payment is good when the facilitator says so';

# --- after every process was killed ----------------------------------------------

$t->kill_all;
$t->start;
$_->forget for $f, $up;
is_used(show('/a', $_), 'killed and started again: used') for $recorded, $payment;
is $f->calls . $up->hits, '00', 'no facilitator was asked';
is show('/a', fast_payment(of('/a')))->status, 200, 'and a new one is good';

finish;
