# SPDX-License-Identifier: Apache-2.0
# A settlement of unknown outcome is asked about again by us, with the same
# bytes, whether its client comes back or not.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $other, $up) = (facilitator(), facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { OTHER => $other->url });
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout settle=2s;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /other { x402_facilitator %%OTHER%%; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

sub tx ($payment) { return $f->transaction(decoded($payment)->{payload}{authorization}{nonce}) }

my %doubt;
my $began = time;
$_->settle('close') for $f, $other;
for my $path (qw(/a /b /c /other)) {
    $doubt{$path} = payment(unpaid($t, $path));
    is paid($t, $path, payment => $doubt{$path})->status, 503, "$path: unknown";
}
my %sent = map { decoded_nonce($_->{body}) => $_->{body} } $f->requests('settle');
sub decoded_nonce ($body) { return $body =~ /"nonce":"(0x[0-9a-f]+)"/ ? $1 : '' }
sub nonce ($payment) { return decoded($payment)->{payload}{authorization}{nonce} }

# Once paid, and twice words that prove nothing.
$_->forget for $f, $other, $up;
$_->settle('paid') for $f, $other;
$f->settle_once('paid');
$f->settle_once(refused => 'insufficient_funds');
$f->settle_once(refused => 'invalid_exact_evm_nonce_already_used');
ok $f->wait_calls(settle => 3), 'asked again without being presented again';
ok $other->wait_calls(settle => 1), 'each at its own facilitator';
my $took = time - $began;
ok $took > 3.5, "not before 5 s" or diag $took;
is $f->calls('verify'), 0, 'not verified again';
is_deeply +{ map { decoded_nonce($_->{body}) => $_->{body} } $f->requests('settle') }, \%sent,
    'once each by two workers, with the very bytes of the first time';
is $up->hits, 0, 'nothing is made without a client';

# Two workers call: the order of the calls shows which answer each got.
my %path_of = map { nonce($doubt{$_}) => $_ } keys %doubt;
my ($paid, @open) = map { $path_of{ decoded_nonce($_->{body}) } } $f->requests('settle');
my $tx = tx($doubt{$paid});
$t->log_like(qr/payment paid, content owed.*$tx/, 'paid: a line in the ledger');
$f->forget;
my $r = paid($t, $paid, change => { from => decoded($doubt{$paid})->{payload}{authorization}{from} });
is_content $r, "SECRET\n", 'paid: content is owed to its payer';
is receipt($r)->{transaction}, $tx, 'paid: under that receipt';
is $f->order, 'verify', 'paid: and not charged again';

is paid($t, '/elsewhere', payment => $doubt{$_})->status, 503, "a refusal proves nothing" for @open;
is_content paid($t, $open[0], payment => $doubt{ $open[0] }), "SECRET\n",
    'still unknown: the payment itself finishes it';

# The timer does not keep a worker, a settlement on the wire does.
$f->settle('close');
is paid($t, '/late', payment => payment(unpaid($t, '/late')))->status, 503, 'one more in doubt';
$f->settle('paid');
my $quit = time;
is $t->quit, 0, 'quit';
ok time - $quit < 20, 'the timer does not delay it' or diag time - $quit;

finish;
