# SPDX-License-Identifier: Apache-2.0
# A payer that bought at one machine signs in at another that shares its store
# (x402_sign_in); a nonce is used once on all of them. Without the word of the
# store a client does not sign in, and is not told to pay.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::SignIn;
use X402::StoreProxy;
use X402::Test;
use X402::Wallet;

my ($f, $up, $redis, $wallet) = (facilitator(), backend(), X402::Redis->of_kind, X402::Wallet->new);
my $conf = machines_conf('timeout=3s', http => <<'EOF', locations => <<'EOF');
    x402_seal_key %%DIR%%/seal.key;
    x402_sign_in time=1h origin=https://shop.example;
    map $http_x_tier $tiered { dear 5.00; default 0.01; }
EOF
        x402_price $tiered;
        location /short/ { x402_sign_in time=2s origin=https://shop.example; proxy_pass http://%%BACKEND%%; }
        location /two/   {
            x402_accept network=base price=0.01;
            x402_accept network=base-sepolia price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
EOF
my $cut = X402::StoreProxy->new($redis->port);
my ($one, $two) = machines($conf, $f, $up, [ $redis->url, $cut->url ], files => { 'seal.key' => 'a' x 64 . "\n" });
$up->on('*', body => "SECRET\n");

my $good;    # the proof that was shown last
sub sign_in ($t, $path, %options) {
    my $by = delete $options{by} // $wallet;
    $good = proof($by, declared_in($t->get($path, %options)));
    return show_proof($t, $path, $good, %options);
}
sub buy ($t, $path, %options) { return paid($t, $path, %options, change => { from => $wallet->address, ($options{change} // {})->%* }) }

# --- bought here, known there

is error_of(sign_in($_, '/a')), '402 sign_in_not_paid', 'a signature alone buys nothing' for $one, $two;
is_content buy($one, '/a'), "SECRET\n", 'bought on one machine';
$f->forget;
for my $t ($two, $one, $two) {
    my $r = sign_in($t, '/a');
    is $r->status . $r->body, "200SECRET\n", 'the payer comes back, to any machine';
}
is $f->calls, 0, 'and pays nothing';
is error_of(sign_in($two, '/b')), '402 sign_in_not_paid', 'but not for something else';
is error_of(sign_in($two, '/a', by => X402::Wallet->new)), '402 sign_in_not_paid', 'and nobody else does';
is error_of(sign_in($two, '/a', headers => [ 'X-Tier' => 'dear' ])), '402 sign_in_not_paid', 'nor for more than was paid';
is_content buy($one, '/a', headers => [ 'X-Tier' => 'dear' ]), "SECRET\n", 'bought for more';
is sign_in($two, '/a', headers => [ 'X-Tier' => 'dear' ])->status, 200, 'opens what costs more';
is_content paid($one, '/two/a', change => { from => $wallet->address }), "SECRET\n", 'bought in one of two kinds of money';
is sign_in($two, '/two/a')->status, 200, 'opens, too';
is_content buy($one, '/short/a'), "SECRET\n", 'bought for two seconds';
sleep 3;
is error_of(sign_in($two, '/short/a')), '402 sign_in_not_paid', 'and then it is over';

# --- a nonce is used once

is sign_in($one, '/a')->status, 200, 'signed in';
is error_of(show_proof($_, '/a', $good)), '401 sign_in_nonce_used', 'a copy opens nothing, on any machine' for $two, $one;
my $copied = proof($wallet, declared_in($one->get('/a')));
my @clients = map {
    my $c = ($one, $two)[ $_ % 2 ]->connect;
    $c->write_request(GET => '/a', headers => [ 'SIGN-IN-WITH-X' => $copied ]);
    $c;
} 0 .. 15;
is scalar(grep { $_->status == 200 } map { $_->answer } @clients), 1, 'sixteen copies at once: one opens';

# --- strangers

sub nonces () { return scalar $redis->ask(KEYS => '*:n:*')->@* }
my $noted = nonces();
is error_of(sign_in($_, '/a', by => X402::Wallet->new)), '402 sign_in_not_paid', 'a stranger signs' for ($one, $two) x 3;
is nonces(), $noted, 'and the store has no more nonces';
sign_in($one, '/a');
is nonces(), $noted + 1, 'but that of a payer';
my $early = proof($wallet, declared_in($two->get('/early')));
is error_of(show_proof($two, '/early', $early)), '402 sign_in_not_paid', 'signed before it is bought';
is_content buy($two, '/early'), "SECRET\n", 'bought';
is error_of(show_proof($two, '/early', $early)), '401 sign_in_nonce_used', 'a copy of that opens nothing';
is sign_in($two, '/early')->status, 200, 'another signature does';

# --- a full store

$redis->ask(CONFIG => 'SET', maxmemory => 100);
is error_of(sign_in($one, '/a')), '503 busy', 'a full store takes no nonces';
is error_of(sign_in($one, '/a', by => X402::Wallet->new)), '402 sign_in_not_paid', 'and strangers are told as much as ever';
$redis->ask(CONFIG => 'SET', maxmemory => 0);
ok $one->wait_for(sub { sign_in($one, '/a')->status == 200 }), 'with room';

# --- the store does not answer

my $number = 0;
for my $how (qw(before after silent garbage)) {
    my $path = '/nonce' . ++$number;
    is_content buy($one, $path), "SECRET\n", "$how: bought";
    is sign_in($two, $path)->status, 200, "$how: known";
    $up->forget;
    my $asked = $cut->asked('nonce');
    $cut->on(nonce => $how);
    is error_of(sign_in($two, $path)), '503 busy', "$how: nobody signs in without the store's word";
    cmp_ok $cut->asked('nonce'), '>', $asked, "$how: it was asked";
    is $up->hits, 0, "$how: nothing is made";
    ok $two->wait_for(sub { sign_in($two, $path)->status == 200 }), "$how: and then it is as before";

    $path = '/bought' . $number;
    is_content buy($one, $path), "SECRET\n", "$how: bought elsewhere";
    $cut->on(bought => $how);
    my $proof = proof($wallet, declared_in($two->get($path)));
    is error_of(show_proof($two, $path, $proof)), '503 busy', "$how: a payer is not told to pay again";
    ok $two->wait_for(sub { show_proof($two, $path, $proof)->status == 200 }), "$how: the same signature opens when the store says it";
    $cut->on(bought => $how);
    is sign_in($two, $path)->status, 200, "$how: from then on this machine knows it";
    $cut->clear;
}
$cut->on(nonce => 0.4);
my $left  = proof($wallet, declared_in($two->get('/a')));
my $asked = $cut->asked('nonce');
my $c     = $two->connect;
$c->write_request(GET => '/a', headers => [ 'SIGN-IN-WITH-X' => $left ]);
ok $two->wait_for(sub { $cut->asked('nonce') > $asked }), 'a client leaves while the store is asked';
$two->leave($c);
is sign_in($two, '/a')->status, 200, 'and signs in again';
$cut->close;
ok $two->wait_for(sub { error_of(sign_in($two, '/a')) eq '503 busy' }), 'no connection: come again';
is_content buy($one, '/meanwhile'), "SECRET\n", 'bought meanwhile, elsewhere';
my $proof = proof($wallet, declared_in($two->get('/meanwhile')));
is error_of(show_proof($two, '/meanwhile', $proof)), '503 busy', 'no connection: come again, and do not pay again';
$cut->open;
ok $two->wait_for(sub { show_proof($two, '/meanwhile', $proof)->status == 200 }), 'which opens then';
ok $two->wait_for(sub { sign_in($two, '/a')->status == 200 }), 'a connection again';

cmp_ok $cut->answered('nonce') + $cut->answered('bought'), '>', 0, 'calls acknowledged: ' . $cut->answered('nonce');

finish;
