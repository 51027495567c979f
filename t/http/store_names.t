# SPDX-License-Identifier: Apache-2.0
# A payment identifier is one payment's on all machines that share a store: a
# second payment under it is refused wherever it is presented, and the name of a
# payment that came to nothing is free again.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $cut  = X402::StoreProxy->new($redis->port);
my $conf = machines_conf('timeout=2s', patient => 1, http => 'x402_extension payment-identifier may.json;');
my ($one, $two) = machines($conf, $f, $up, [ $redis->url, $cut->url ],
    files => { 'may.json' => '{"info":{"required":false},"schema":{"type":"object"}}' });
$up->on('*', body => "SECRET\n");
my $taken = '409{"error":"payment_identifier_in_use","charged":false}';

sub fresh () { $_->forget for $f, $up; $f->verify('ok'); $f->settle('paid'); return }

my $alice = random_hex(20);
sub named ($t, $path, $id, %change) {
    my $offer = unpaid($t, $path);
    my $echo  = $offer->{extensions};
    $echo->{'payment-identifier'}{info}{id} = $id;
    return payment($offer, from => $alice, extensions => $echo, %change);
}
sub ask_named ($t, $path, $id, %change) { return paid($t, $path, payment => named($t, $path, $id, %change)) }

my $number = 0;
for my $mode ('after', 'before') {
    my $path = "/$mode/a";
    my $id   = sub { sprintf 'order_%s_%08d', $mode, $number };
    $number++;
    my $first = named($one, $path, $id->());
    fresh;
    is_content paid($one, $path, payment => $first), "SECRET\n", "$mode: paid under a name";
    is paid($_, $path, payment => $first)->status, 402, "$mode: the payment itself is used" for $one, $two;
    fresh;
    my $answer = ask_named($two, $path, $id->());
    is $answer->status . $answer->body, $taken, "$mode: another payment under it, on another machine";
    is $f->calls('settle') + $up->hits, 0, "$mode: nothing is settled or made";
    $answer = ask_named($one, $path, $id->());
    is $answer->status . $answer->body, $taken, "$mode: and on the same";
    is_content ask_named($two, $path, $id->(), from => random_hex(20)), "SECRET\n", "$mode: another payer may use it";

    $number++;
    $f->settle(refused => 'insufficient_funds');
    is ask_named($one, $path, $id->())->status, 402, "$mode: a payment that is refused";
    fresh;
    is_content ask_named($two, $path, $id->()), "SECRET\n", "$mode: gives its name back";

    $number++;
    $f->settle('close');
    my $doubt = named($one, $path, $id->());
    is paid($one, $path, payment => $doubt)->status, 503, "$mode: one of unknown outcome";
    fresh;
    is ask_named($two, $path, $id->(), from => $alice)->status, $mode eq 'after' ? 200 : 200,
        "$mode: the payer gets what it may have paid, by a new one";
    is $f->calls('settle'), 1, "$mode: of which one is settled";

    $number++;
    $up->on("/$mode/fails", status => 500, body => "no\n");
    is ask_named($one, "/$mode/fails", $id->())->status, 500, "$mode: content that fails";
}

# Ten payments under one name, at once.
fresh;
$up->on('/after/race', body => "SECRET\n", delay => 0.05);
my @payments = map { named($one, '/after/race', 'race_00000000000000') } 1 .. 10;
fresh;
my @clients = map { ($one, $two)[ $_ % 2 ]->connect } 1 .. 10;
$clients[$_]->write_request(GET => '/after/race', headers => [ header_of($payments[$_]) ]) for 0 .. 9;
my @answers = map { $_->answer } @clients;
is scalar(grep { $_->status == 200 } @answers), 1, 'ten payments under one name: one is served';
is $f->calls('settle'), 1, 'and settled';
is scalar(grep { $_->status == 409 || $_->status == 503 } @answers), 9, 'the others are told so'
    or diag join ' ', map { $_->status . $_->body } @answers;

# The store does not answer: nothing is sold, and the name is not lost to its payment.
fresh;
my $payment = named($two, '/after/cut', 'cut_0000000000000000');
$cut->on(name => 'after');
my $answer = paid($two, '/after/cut', payment => $payment);
is $answer->status . $answer->body, '503{"error":"busy","charged":false}', 'the answer is lost: busy';
is $f->calls('settle') + $up->hits, 0, 'nothing is settled or made';
$two->wait_for(sub { ($answer = paid($two, '/after/cut', payment => $payment))->status == 200 });
is_content $answer, "SECRET\n", 'the same payment is good';
cmp_ok $cut->answered('name'), '>', 0, 'calls acknowledged: ' . $cut->answered('name');

finish;
