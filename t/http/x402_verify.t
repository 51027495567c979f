# SPDX-License-Identifier: Apache-2.0
# x402_verify: content is made and held without the facilitator's word, and settle decides. Work is at risk, money is
# not: what was paid is delivered once, what was not paid does not leave, and a forger is asked about at the facilitator.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(sleep);
use JSON::PP;
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout settle=1500ms;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_verify off;
    map $x402_payer $none { default ""; }
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /         { proxy_pass http://%%BACKEND%%; proxy_set_header Payer $x402_payer; }
        location /before/  { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /rule/    { x402_deny $none; proxy_pass http://%%BACKEND%%; }
        location /named/   { x402_extension payment-identifier may.json; proxy_pass http://%%BACKEND%%; }
        location /upto/    { x402_accept scheme=upto price=0.05 'extra={"facilitatorAddress":"0x1111111111111111111111111111111111111111"}';
                             proxy_pass http://%%BACKEND%%; }
        location /remote/  { x402_verify remote; proxy_pass http://%%BACKEND%%; }
        location /local/   { x402_verify local; x402_timeout 3650d; proxy_pass http://%%BACKEND%%; }
        location /trusted/ { x402_verify trusted; x402_timeout 3650d; x402_facilitator_timeout verify=20s settle=20s; proxy_pass http://%%BACKEND%%; }
        location /real/    { x402_network base; x402_verify trusted; x402_timeout 3650d; proxy_pass http://%%BACKEND%%; }
        location /another/ { x402_pay_to 0x1111111111111111111111111111111111111111; x402_verify trusted; x402_timeout 3650d;
                             proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->write('may.json', '{"info":{"required":false},"schema":{"type":"object"}}');
$up->on('*', body => "SECRET\n");
$t->start;

# A refusal is remembered for its client: each story has an address of its own.
my $last = 1;
sub somebody { return (from => '127.0.1.' . ++$last) }

sub again ($path, $payment, %via) {
    $_->forget for $f, $up;
    return paid($t, $path, payment => $payment, %via);
}

# --- off

for my $h2 (0, 1) {
    my %via = (somebody(), $h2 ? (h2 => 1, port => 'h2') : ());
    my $p = $h2 ? 'HTTP/2, ' : '';
    $_->forget for $f, $up;
    $f->settle('hold');
    my $c  = $t->connect(%via);
    my $id = $c->write_request(GET => '/a', headers => pay_with($t, '/a'));
    $f->wait_calls(settle => 1);
    is $up->hits, 1, "${p}content is made before anybody was asked";
    sleep 0.05;
    ok $c->raw !~ /SECRET/, "${p}and held";
    $f->settle('paid');
    $f->release;
    is_content $c->answer($h2 ? $id : ()), "SECRET\n", "${p}then it leaves, with the receipt";
    is $f->order, 'settle', "${p}one call";

    # once
    my $payment = payment(unpaid($t, '/a'));
    is_content again('/a', $payment, %via), "SECRET\n", "${p}a payment buys";
    is again('/a', $payment, %via)->status, 402, "${p}once";
    is $f->calls . $up->hits, '00', "${p}and asks and makes nothing then";

    # what is not charged is not settled
    $up->on('/broken', status => 500, body => 'sorry');
    is again('/broken', payment(unpaid($t, '/broken')), %via)->status, 500, "${p}a failure passes";
    is $f->calls, 0, "${p}and costs nothing";

    # A client that leaves.
    my %gone = (%via, somebody());
    $up->on('/slow', body => "SECRET\n", hold => 1);
    $payment = payment(unpaid($t, '/slow'));
    $c = $t->connect(%gone);
    $c->write_request(GET => '/slow', headers => [ header_of($payment) ]);
    $up->wait_count('/slow', 1);
    $t->leave($c);
    $up->on('/slow', body => "SECRET\n");
    my $r;
    $t->wait_for(sub { $r = again('/slow', $payment, %gone); $r->status != 409 });
    is_content $r, "SECRET\n", "${p}left before settle: the payment is free again";
    is $f->order, 'verify settle', "${p}and its client is verified, which had work for nothing";

    # unknown
    for my $spec ([ 'close' ], [ status => 500, body => 'x' ], [ 'silent' ]) {
        my %other = (%via, somebody());
        $f->settle(@$spec);
        $payment = payment(unpaid($t, '/a'));
        $r = again('/a', $payment, %other);
        is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', "${p}unknown: $spec->[0]";
        no_trace $r, 'SECRET', "${p}no content";
        $f->settle('paid');
        is_content again('/a', $payment, %other), "SECRET\n", "${p}the same payment brings it";
        is $f->order, 'settle', "${p}in one call";
        is again('/a', $payment, %other)->status, 402, "${p}once";
    }

    # refused: no content, and this client is asked about from now on
    my %thief = (%via, somebody());
    my ($forged, $next) = map { payment(unpaid($t, '/a')) } 1, 2;
    $f->settle(refused => 'invalid_exact_evm_payload_signature');
    $r = again('/a', $forged, %thief);
    is_refused $r, "${p}a forged payment";
    is $up->hits, 1, "${p}costs work, once";
    $f->verify(invalid => 'invalid_exact_evm_payload_signature');
    is again('/a', $next, %thief)->status, 402, "${p}the next one of this client";
    is $f->order . $up->hits, 'verify0', "${p}is verified first, and nothing is made";
    $f->verify('ok');
    $f->settle('paid');
    is_content again('/a', payment(unpaid($t, '/a')), %via), "SECRET\n", "${p}other clients";
    is $f->order, 'settle', "${p}are not asked about";
}

# Whom a forger names is not to blame.
{
    my $victim = random_hex(20);
    my %thief  = somebody();
    $f->settle(refused => 'invalid_exact_evm_payload_signature');
    is_refused again('/a', payment(unpaid($t, '/a'), from => $victim), %thief), 'forged in the name of another';
    $f->settle('paid');
    is_content again('/a', payment(unpaid($t, '/a'), from => $victim), somebody()), "SECRET\n", 'its own payment';
    is $f->order, 'settle', 'is served as before';
}

# The same payment, many times at once.
{
    my ($payment, %via) = (payment(unpaid($t, '/a')), somebody());
    $_->forget for $f, $up;
    $f->settle('hold');
    my @clients = map { my $c = $t->connect(%via); $c->write_request(GET => '/a', headers => [ header_of($payment) ]); $c }
        1 .. 20;
    $f->wait_calls(settle => 1);
    $f->settle('paid');
    $f->release;
    my @answers = map { $_->answer } @clients;
    is scalar(grep { $_->status == 200 } @answers), 1, 'one of twenty copies is served';
    is $up->hits . $f->order, '1settle', 'made once, settled once';
}

# --- what is verified all the same

for my $case (
    [ '/rule/a',   'verify settle', 'rules about payers' ],
    [ '/remote/a', 'verify settle', 'remote' ],
    [ '/before/a', 'settle',        'before: one call in any case' ],
    )
{
    my ($path, $order, $name) = @$case;
    is_content again($path, payment(unpaid($t, $path)), somebody()), "SECRET\n", $name;
    is $f->order, $order, "$name: $order";
}
{
    my $offer = unpaid($t, '/named/a');
    my $named = { $offer->{extensions}->%* };
    $named->{'payment-identifier'}{info}{id} = 'order_1_' . substr random_hex(8), 2;
    is_content again('/named/a', payment($offer, extensions => $named), somebody()), "SECRET\n", 'a name';
    is $f->order, 'verify settle', 'a name: verified';
}

# What is owed is delivered before anything is charged.
{
    my ($payer, %via) = (random_hex(20), somebody());
    $up->on('/owed', body => 'SECRET ' x 100, die_after => 300);
    $f->settle('paid');
    again('/before/owed', payment(unpaid($t, '/before/owed'), from => $payer), %via);
    $up->on('/before/owed', body => "SECRET\n", status => 200);
    $f->settle('close');
    again('/a', payment(unpaid($t, '/a'), from => $payer), %via);
    $f->settle('paid');
    is again('/a', payment(unpaid($t, '/a'), from => $payer), %via)->status, 200, 'an unknown outcome that nobody verified';
    is $f->order, 'settle', 'keeps nobody from buying';
}

# The cost of upto.
$up->on('/upto/a', body => "SECRET\n", headers => [ 'Settlement-Overrides' => '{"amount":"20000"}' ]);
is_content again('/upto/a', permit2(unpaid($t, '/upto/a')), somebody()), "SECRET\n", 'upto';
is $f->order, 'settle', 'upto: one call';
is $f->asked('settle')->{paymentRequirements}{amount}, '20000', 'upto: for what the content costs';

# --- local and trusted: payments that the official client has signed

sub vector ($name) {
    open my $file, '<:raw', "$FindBin::Bin/../vectors/evm-payments.json" or die "evm-payments.json: $!";
    my ($row) = grep { $_->{name} eq $name } JSON::PP->new->decode(do { local $/ = undef; <$file> })->{vectors}->@*;
    return $row->{header};
}
my $signed       = vector('v2 exact eip3009 base-sepolia');
my $other_signed = vector('v2 exact eip3009 with extensions echoed');
my $signer       = decoded($signed)->{payload}{authorization}{from};

$f->settle('paid');
is_content again('/local/a', payment(unpaid($t, '/local/a')), somebody()), "SECRET\n", 'local: a signature of nobody';
is $f->order, 'verify settle', 'local: is for the facilitator to judge';
is_content again('/local/a', $signed, somebody()), "SECRET\n", 'local: signed by its payer';
is $f->order, 'settle', 'local: one call';
is again('/local/a', $signed, somebody())->status, 402, 'local: once';

sub without_extensions ($header) {
    my $payment = decoded($header);
    delete $payment->{extensions};
    return encoded($payment);
}
$other_signed = without_extensions($other_signed);
for (1 .. 2) {
    is_content again('/trusted/a', payment(unpaid($t, '/trusted/a'), from => $signer), somebody()), "SECRET\n",
        "trusted: payment $_ of this payer here";
    is $f->order, 'verify settle', 'trusted: verified, while its record is short';
}
is_content again('/trusted/a', payment(unpaid($t, '/trusted/a'), from => $signer), somebody()), "SECRET\n",
    'trusted: a good record, and the signature of nobody';
is $f->order, 'verify settle', 'trusted: verified';
is_content again('/trusted/a', $other_signed, somebody()), "SECRET\n", 'trusted: a good record and its signature';
is $f->order, 'settle', 'trusted: one call';

# What was asked about a payer. Outcomes that earlier stories left unknown are asked for in the background.
sub order_of ($payer) {
    return join ' ', map { $_->{key} } grep { $_->{body} =~ /${\$payer->address}/i } $f->requests;
}

# A record is worth as many executions as it has settlements: a payer that has earned it, and whose wallet is empty
# then, is not served more often, from however many addresses and workers.
{
    my $wallet = X402::Wallet->new;
    my $offer  = unpaid($t, '/trusted/a');
    my $pay    = sub { return $wallet->pay($offer, valid => 299) };
    for (1 .. 5) { again('/trusted/a', $pay->(), somebody()) }
    is order_of($wallet), 'settle', 'trusted: a record of five';
    $f->settle(refused => 'insufficient_funds');
    my @made;
    for (1 .. 5) {
        is_refused again('/trusted/a', $pay->(), somebody()), 'an empty wallet: refused';
        push @made, order_of($wallet) . $up->hits;
    }
    is "@made[0 .. 2]", 'settle1 settle1 settle1', 'content is made for what was paid before';
    is $made[3], 'verify settle1', 'then it is verified';
    $f->verify('ok');
    $f->settle('paid');

    $wallet = X402::Wallet->new;
    for (1 .. 4) { again('/trusted/a', $pay->(), somebody()) }
    $_->forget for $f, $up;
    $f->settle('hold');
    $f->verify('hold');
    my @clients = map {
        my $c = $t->connect(somebody());
        $c->write_request(GET => '/trusted/a', headers => [ header_of($pay->()) ]);
        $c
    } 1 .. 20;
    $f->wait_calls(verify => 18);
    is $up->hits . (() = order_of($wallet) =~ /settle/g), '22', 'twenty at once on a record of four: two are served, the others verified';
    $f->verify('ok');
    $f->settle('paid');
    $f->release($_) for qw(verify settle);
    is scalar(grep { $_->answer->status == 200 } @clients), 20, 'and all of them buy';
}

# Money: a record says nothing about other money. That of test money costs nothing, nor does that of payments to a
# receiver that is the payer itself, at a server that sells for many.
{
    my $wallet = X402::Wallet->new;
    my $buy    = sub ($path) { return again($path, $wallet->pay(unpaid($t, $path), valid => 299), somebody()) };
    $buy->('/trusted/a') for 1 .. 4;
    is order_of($wallet), 'settle', 'trusted: a record in test money';
    for my $path (qw(/real/a /another/a)) {
        for (1 .. 3) {
            is_content $buy->($path), "SECRET\n", "$path: sold";
            is order_of($wallet), 'verify settle', "$path: verified";
        }
        $buy->($path);
        is order_of($wallet), 'settle', "$path: has a record of its own";
    }
}

# A forgery in its name does not cost a payer its record.
{
    my $wallet = X402::Wallet->new;
    my $pay    = sub { return $wallet->pay(unpaid($t, '/trusted/a'), valid => 299) };
    for (1 .. 3) { again('/trusted/a', $pay->(), somebody()) }
    $f->settle(refused => 'invalid_exact_evm_payload_signature');
    again('/a', payment(unpaid($t, '/a'), from => $wallet->address), somebody());
    $f->settle('paid');
    again('/trusted/a', $pay->(), somebody());
    is order_of($wallet), 'settle', 'trusted: a forgery in its name takes nothing of its record';
}

# Money: a settlement that was refused ends it.
$f->settle(refused => 'insufficient_funds');
is_refused again('/trusted/a', payment(unpaid($t, '/trusted/a'), from => $signer), somebody()), 'trusted: refused';

finish();
