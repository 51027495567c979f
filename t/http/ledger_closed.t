# SPDX-License-Identifier: Apache-2.0
# An outcome that is never learned: 503 for the same payment, never a demand for money, until ten minutes after its
# validity has ended. Then it is closed, which the ledger says once.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use Digest::SHA qw(sha256);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone mine:1m journal=%%DIR%%/claims.journal;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_timeout 2s;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");

# As if `seconds` had passed: a record is mark, check, kind, length, body; in that of a claim `expires` stands
# behind key, state, flags and executions.
sub age ($seconds) {
    for my $file (glob "$t->{dir}/claims.journal*") {
        open my $in, '<:raw', $file or die $!;
        my $bytes = do { local $/; <$in> } // '';
        my ($at, $out) = (0, '');
        while ($at + 24 <= length $bytes) {
            my ($mark, undef, $kind, $length) = unpack 'a8 a8 V V', substr $bytes, $at, 24;
            my $body = substr $bytes, $at + 24, $length;
            substr($body, 38, 8) = pack 'q<', unpack('q<', substr $body, 38, 8) - $seconds if $kind == 6;
            my $checked = pack('V V', $kind, $length) . $body;
            $out .= $mark . substr(sha256($checked), 0, 8) . $checked;
            $at += 24 + $length;
        }
        open my $file_out, '>:raw', $file or die $!;
        print {$file_out} $out;
        close $file_out or die $!;
    }
    return;
}

$t->start;
$f->settle('close');
my $payer   = random_hex(20);
my $payment = payment(unpaid($t, '/a'), from => $payer, valid => 6);
is paid($t, '/a', payment => $payment)->status, 503, 'in doubt';
my $until = decoded($payment)->{payload}{authorization}{validBefore};
sleep 0.1 while time < $until + 1;
$f->settle('paid');
$f->forget;

my $closed = qr/\[notice\].*payment closed: outcome never learned, network: "eip155:84532", payer: "\Q$payer\E", amount: "10000", asset: "0x/i;
my $r = paid($t, '/elsewhere', payment => $payment);
is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', 'its validity is over: still in doubt';
is $r->header_count('PAYMENT-REQUIRED'), 0, 'and no demand for money';
$t->log_unlike($closed, 'not closed yet');

$t->quit;
age(570);
$t->start;
is paid($t, '/elsewhere', payment => $payment)->status, 503, 'nine minutes and a half later: still in doubt';
sleep 1.5;
$t->log_unlike($closed, 'not closed yet');
is $f->calls, 0, 'no facilitator is asked about a payment that cannot be used';

$t->quit;
age(40);
$t->start;
ok $t->wait_for(sub { $t->log =~ $closed }), 'ten minutes later: closed, says the ledger, and of whom';
$r = paid($t, '/a', payment => $payment);
is $r->status, 402, 'the payment is over';
is offer($r)->{error}, 'payment_already_used', 'as one that was used';
sleep 2.2;
is $t->log_count($closed), 1, 'closed is told once, by two workers';
is $f->calls . $up->hits, '01', 'no call was made, nothing was made again';

$t->quit;
$t->start;
sleep 2.2;
is $t->log_count($closed), 1, 'nor again after a restart';
is paid($t, '/a', payment => $payment)->status, 402, 'which does not open it again';

finish;
