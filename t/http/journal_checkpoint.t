# SPDX-License-Identifier: Apache-2.0
# A journal that grows is rewritten while nginx runs: it stays small, sells on, and forgets nothing, with
# any process killed at any time.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

# Settle requests of some KB, so that few payments make a long journal.
my ($f, $up) = (facilitator(), backend());
my $extra = '{"note":"' . 'n' x 2000 . '"}';
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { EXTRA => $extra });
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone mine:16m journal=%%DIR%%/claims.journal;
    x402_facilitator %%FACILITATOR%%;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location / {
            x402_accept network=base-sepolia price=0.01 'extra=%%EXTRA%%';
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$up->on('*', body => "SECRET\n");
my @files = map {"$t->{dir}/claims.journal$_"} '', '.2';
sub size () { my $sum = 0; $sum += -s $_ // 0 for @files; return $sum }

$t->start;
my $offer = unpaid($t, '/a');
my @known;
my $longest = 0;

# Until it was rewritten once more.
sub sell ($name, $each = sub ($n) { }) {
    my $before = $t->log_count(qr/journal rewritten/);
    my ($n, $failed) = (0, 0);
    while ($t->log_count(qr/journal rewritten/) == $before && $n < 1500) {
        my $payment = payment($offer);
        my $r = eval { paid($t, '/a', payment => $payment) };
        $failed++ if !$r || $r->body ne "SECRET\n";
        push @known, $payment;
        my $size = size;
        $longest = $size if $size > $longest;
        $each->(++$n);
    }
    cmp_ok $n, '<', 1500, "$name: rewritten";
    return is $failed, 0, "$name: all $n are served";
}

$f->settle_once('close');
my $doubt = payment(unpaid($t, '/doubt'));
is paid($t, '/doubt', payment => $doubt)->status, 503, 'one of unknown outcome';

# --- while it sells

sell('once');
my $once = $longest;
is -s $files[0], 0, 'into its other file';
cmp_ok -s $files[1], '<', $once / 1.5, 'where it is shorter';
sell('again');
is -s $files[1], 0, 'and back';
is sprintf('%o', (stat $files[1])[2] & 07777), '600', 'the other file is readable by its owner only, too';

# --- killed, whenever that is: a worker, all of them; a reload in between

$t->allow(qr/exited on signal 9|are not a record/);
for my $round (1 .. 2) {
    sell("round $round", sub ($n) {
        return if $n % 200;
        my @workers = $t->workers or die 'no worker';
        my $worker  = $workers[ rand @workers ];
        kill KILL => $worker;
        $t->wait_exit($worker);
        $t->wait_for(sub { 2 == $t->workers });
    });
    $t->wait_exit($t->reload) if $round == 1;
    $t->kill_all;
    $t->start;
}

$f->settle('paid');
$_->forget for $f, $up;
my @again = map { paid($t, '/a', payment => $_) } @known;
is scalar(grep { $_->status == 402 && offer($_)->{error} eq 'payment_already_used' } @again), scalar(@again),
    'all of ' . @again . ' payments are used';
is $f->calls . ' ' . $up->hits, '0 0', 'no facilitator was asked about one';
is_content paid($t, '/doubt', payment => $doubt), "SECRET\n", 'what was unknown is finished by its payment';

finish;
