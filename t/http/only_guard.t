# SPDX-License-Identifier: Apache-2.0
# Where no chain keeps a payment from being used twice (x402_settle off, Fast)
# the zone does, for as long as the payment can be used.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    %%ZONE%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        keepalive_requests 10000;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /off/  { %%OFF%% proxy_pass http://%%BACKEND%%; }
        location /fast/ { %%FAST%% proxy_pass http://%%BACKEND%%; }
        location /algo/ {
            x402_timeout 2;
            x402_accept network=algorand-testnet price=0.01
                pay_to=RESOURCESERVERADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALTSRPAE;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
my $off  = 'x402_settle off;';
my $fast = 'x402_accept network=fast-testnet price=0.01'
    . ' pay_to=fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh;';
my $small = 'x402_zone mine:64k;';
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { ZONE => $small, OFF => $off, FAST => $fast });
my $journal = "$t->{dir}/claims.journal";
$up->on('*', body => "SECRET\n");
$f->supported(kinds => [
    [ 2, 'exact', 'eip155:84532' ], [ 2, 'exact', 'fast:testnet' ],
    [ 2, 'exact', 'algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe', { feePayer => 'RESOURCESERVERADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALTSRPAE' } ],
]);

# --- the advice

sub advice (%holes) {
    local $t->{holes} = { ZONE => $small, OFF => '', FAST => '', %holes };
    my ($text, $passed) = $t->test_config($conf);
    ok $passed, '-t passes' or diag $text;
    return $text =~ /\[warn\] (.*(?:journal=path|sync=on).*)/ ? $1 : '';
}
like advice(OFF => $off), qr/x402_settle off.* in .*tested\.conf:\d+/, 'settle off without a journal: a warning';
like advice(FAST => $fast), qr/Fast.* in .*tested\.conf:\d+/, 'Fast without a journal: a warning';
like advice(OFF => $off, ZONE => ''), qr/x402_settle off/, 'with the zone that is made when none is written';
like advice(OFF => $off, FAST => $fast, ZONE => "x402_zone mine:64k journal=$journal;"), qr/sync=on.* in .*tested\.conf:\d+/,
    'a journal that is not synced: another';
is advice(OFF => $off, FAST => $fast, ZONE => "x402_zone mine:64k journal=$journal sync=on;"), '', 'none with one that is';
is advice(), '', 'none where a chain stands behind payments';

# --- never given up for another payment

sub fast_payment ($offer, $nonce) {
    return payment($offer, payload => { type => 'signAndSendTransaction', transactionCertificate => {
        envelope => { signature => [1], transaction => { sender => '0x' . 'ab' x 32, nonce => "$nonce" } },
        signatures => [ [ [1], [2] ] ],
    } });
}

for (['/off/a', sub ($offer, $n) { payment($offer) }], ['/fast/a', \&fast_payment]) {
    my ($path, $sign) = @$_;
    $t->start;
    my ($offer, @used, $full) = (unpaid($t, $path));
    my $c = $t->connect;
    for my $n (1 .. 200) {
        my $value = $sign->($offer, $n);
        my $r = $c->request(GET => $path, headers => [ header_of($value) ]);
        if ($r->status == 200) { push @used, $value; next }
        $full = $r;
        last;
    }
    cmp_ok scalar @used, '>', 20, "$path: served";
    ok $full && $full->status == 503 && $full->body eq '{"error":"busy","charged":false}',
        "$path: busy, when all the room is theirs" or diag $full ? $full->summary : 'never full';
    $t->log_like(qr/no room for another payment in the zone/, "$path: and why");
    $up->forget;
    is scalar(grep { $c->request(GET => $path, headers => [ header_of($_) ])->status == 402 } @used),
        scalar @used, "$path: all are remembered";
    is $up->hits, 0, "$path: nothing is made";
    $t->quit;
}

# --- a kill of all processes

$t->{holes}{ZONE} = "x402_zone mine:1m journal=$journal;";
$t->conf($conf);
$t->start;
my $payment = payment(unpaid($t, '/off/a'));
is paid($t, '/off/a', payment => $payment)->status, 200, 'settle off: served';
my $other = payment(unpaid($t, '/off/b'));
$up->on('/off/b', body => "SECRET\n", hold => 1);
my $c = $t->connect;
$c->write_request(GET => '/off/b', headers => [ header_of($other) ]);
$up->wait_count('/off/b', 1);
$t->kill_all;
$t->start;
$f->forget;
is paid($t, '/off/a', payment => $payment)->status, 402, 'settle off, killed: used is used';
is paid($t, '/off/c', payment => $other)->status, 402, 'settle off, killed while content was made: no new payment';
is $f->calls, 0, 'no facilitator is asked';

# --- a form that does not say how long it is good

my $group = payment(unpaid($t, '/algo/a'), payload => {
    paymentGroup => [ encoded("\x81\xa3txn\x81\xa3grp\xc4\x20" . 'g' x 32) ], paymentIndex => 0 });
$f->settle('close');
my $r = paid($t, '/algo/a', payment => $group);
is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', 'Algorand: unknown';
is $r->header('Retry-After'), 5, 'Algorand: not over with the time of the offer';

finish;
