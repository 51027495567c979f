# SPDX-License-Identifier: Apache-2.0
# Requests without payment cost next to nothing: no memory that
# stays, no call, no slot, and no more than a line each in the log.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

use constant AT_ONCE => 50;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
%%GLOBALS%%
events { worker_connections 256; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    keepalive_requests 100000;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location / { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
    }
}
EOC
$t->start;
my ($worker) = $t->workers;

sub resident () {
    open my $status, '<', "/proc/$worker/status" or die;
    return +(map { /VmRSS:\s+(\d+)/ } <$status>)[0];
}

# The status of every answer to many requests on one connection, counted.
sub flood ($h2, $rounds, @headers) {
    my $c = $t->connect($h2 ? (h2 => 1, port => 'h2') : ());
    my %seen;
    for (1 .. $rounds) {
        if ($h2) {
            my @ids = map { $c->write_request(GET => '/a', headers => \@headers) } 1 .. AT_ONCE;
            $seen{ $c->answer($_)->status }++ for @ids;
        }
        else {
            $c->send($c->head(GET => '/a', headers => \@headers) x AT_ONCE);
            $seen{ $c->answer->status }++ for 1 .. AT_ONCE;
        }
    }
    $c->hang_up;
    # An answer may be here before its line is in the log: that of the next request is not.
    unpaid($t, '/a');
    return \%seen;
}

my $offer = unpaid($t, '/a');
my @kinds = ([ 'no payment' ], [ 'garbage', 'PAYMENT-SIGNATURE' => 'x' x 2000 ],
    [ 'an unknown version', 'PAYMENT-SIGNATURE' => encoded({ x402Version => 7 }) ],
    [ 'a payment for something else', 'PAYMENT-SIGNATURE' => payment($offer, 'accepted.amount' => '1') ],
    [ 'a payment of no shape', 'PAYMENT-SIGNATURE' => payment($offer, 'payload.authorization.nonce' => '1') ],
    [ 'a payment that has run out', 'PAYMENT-SIGNATURE' => payment($offer, valid => -10) ]);
for my $kind (@kinds) {
    my ($name, @headers) = @$kind;
    for my $h2 (0, $name =~ /no payment|shape/ ? 1 : ()) {
        my $p = $h2 ? 'HTTP/2, ' : '';
        flood($h2, 6, @headers);    # pages that are touched for the first time
        my ($before, $lines) = (resident(), $t->log =~ tr/\n//);
        is_deeply flood($h2, 6, @headers), { 402 => 6 * AT_ONCE }, "$p$name: an offer each";
        my $more = resident() - $before;
        # Sanitizers keep what was freed.
        ok $more < 256, "$p$name: no memory stays" or diag "$more KB" if !$ENV{X402_SLOW};
        my $said = ($t->log =~ tr/\n//) - $lines;
        cmp_ok $said, '<=', 6 * AT_ONCE + 10, "$p$name: at most a line each";
    }
}
is $f->calls, 0, 'the facilitator was not asked';
ok $up->untouched, 'I1: nor the backend';
$t->log_unlike(qr/\[(?:warn|error|crit|alert)\][^\n]*x402/, 'faults of clients are at most info');
is_content paid($t, '/a'), "answer to /a\n", 'I5: nothing is locked';

finish;
