# SPDX-License-Identifier: Apache-2.0
# x402_verify local against an attacker with as many keys as it likes and no money: each of its payments has a good
# signature, none can be settled. It gets work done, a share that is bounded for each of its addresses, and no content. An honest
# payer is served all the while.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(sleep time);
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_processes 1;
events { worker_connections 1024; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_max_calls 32;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_verify local;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$up->on('/slow', body => "SECRET\n", hold => 1);
$t->start;

my $offer  = unpaid($t, '/a');
my $honest = X402::Wallet->new;
# A fresh key for each payment, made from one: the number is the nonce, and a key is new if no record knows its address.
sub forged_from ($n) { return $n % 2 ? "127.0.2.$n" : '127.0.1.1' }
sub fresh { return X402::Wallet->new->pay($offer, valid => 299) }

# The facilitator knows who has money.
$f->settle(refused => 'insufficient_funds', except => $honest->address);
$f->verify(invalid => 'insufficient_funds', except => $honest->address);

sub honest_is_served ($name, $from) {
    my $begun = time;
    is_content paid($t, '/a', payment => $honest->pay($offer, valid => 299), from => $from), "SECRET\n", $name;
    return time - $begun;
}

# --- one key after the other

for my $n (1 .. 4) {
    $_->forget for $f, $up;
    my $r = paid($t, '/a', payment => fresh(), from => '127.0.1.1');
    is $r->status, 402, 'a payment that cannot be settled buys nothing';
    no_trace $r, 'SECRET', 'and no byte of the content';
    is $up->hits, $n == 1 ? 1 : 0, $n == 1 ? 'work is done for the first of an address' : 'and not for those behind it, whatever their key';
}
honest_is_served('an honest payer at that address is served', '127.0.1.1');

# --- all at once, from one address and from many, for content that takes its time

my @keys  = map { fresh() } 1 .. 40;
my $some  = sub { return $_[0] % 2 ? '127.0.3.1' : "127.0.4.$_[0]" };
$_->forget for $f, $up;
my @crowd = map {
    my $c = $t->connect(from => $some->($_));
    $c->write_request(GET => '/slow', headers => [ header_of($keys[ $_ - 1 ]) ]);
    $c
} 1 .. @keys;
$t->wait_for(sub { $up->hits('/slow') >= 8 });
my @seconds = map { honest_is_served("an honest payer is served beside them, $_", "127.0.5.$_") } 1 .. 6;
cmp_ok +(sort { $a <=> $b } @seconds)[-1], '<', 5, 'and does not wait';
$up->release('/slow');
my @answers = map { $_->answer } @crowd;
is scalar(grep { $_->raw =~ /SECRET/ } @answers), 0, 'none of the crowd has a byte of the content';
cmp_ok $up->hits('/slow'), '<=', 32, "content was made for @{[ $up->hits('/slow') ]} of forty";
my %statuses;
$statuses{ $_->status }++ for @answers;
is join(' ', grep { $_ != 402 && $_ != 503 } keys %statuses), '', 'they are refused, or told to come back';

# --- and then

$_->forget for $f, $up;
is paid($t, '/a', payment => fresh(), from => $some->(1))->status, 402, 'the next of their addresses';
is $f->order . $up->hits, 'verify0', 'is verified';
$_->forget for $f, $up;
honest_is_served('an honest payer', '127.0.6.1');
is $f->order, 'settle', 'is served with one call, as before';

finish;
