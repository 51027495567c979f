# SPDX-License-Identifier: Apache-2.0
# A pass with requests= that one machine has just sold is shown at another one,
# before the store knows of it: the client is asked to come again, and not to
# pay again. The same where its content was owed for long, and while machines
# come back to a store that was away. A store that was emptied is not told of the
# passes that it knew, also not with a later connection.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::SignIn;
use X402::StoreProxy;
use X402::Test;
use X402::Wallet;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $conf = machines_conf('timeout=3s', http => <<'EOF', locations => <<'EOF');
    x402_seal_key %%DIR%%/seal.key;
    x402_pass time=1h requests=6;
    add_header X-Left "$x402_pass_left" always;
EOF
    location /signed/ { x402_sign_in time=1h origin=https://shop.example; proxy_pass http://%%BACKEND%%; }
EOF
my ($cut, $cut_off) = map { X402::StoreProxy->new($redis->port) } 1, 2;
my ($one, $two, $three, $four) =
    machines($conf, $f, $up, [ $redis->url, $redis->url, $cut->url, $cut_off->url ], files => { 'seal.key' => 'a' x 64 . "\n" });
$up->on('*', body => "SECRET\n");

sub bought ($t, $path) {
    my $r = paid($t, $path);
    is_content $r, "SECRET\n", "$path: bought";
    return scalar($r->header('X402-Pass')) // die $r->summary;
}
sub with ($t, $path, $pass) { return $t->get($path, headers => [ 'X402-Pass' => $pass ]) }

sub finally_with ($t, $path, $pass) {
    my $r;
    $t->wait_for(sub { $r = with($t, $path, $pass); $r->status != 503 }, 30);
    return $r;
}

# --- at once

for my $t ($one, $two, $three, $four) {
    ok $t->wait_for(sub { paid($t, '/warm')->status == 200 }), 'connected with the store';
}
my @closed;
for my $i (1 .. 40) {
    my ($from, $to) = $i % 2 ? ($one, $two) : ($two, $one);
    my $used = with($to, "/$i", paid($from, "/$i")->header('X402-Pass'));
    push @closed, $used->status if $used->status != 200 || $used->header('X-Left') ne '5';
}
is "@closed", '', 'a pass that was just sold opens at the other machine';

# --- before the store knows of it

$cut->always(pass => 'before');
my $pass = bought($three, '/early');
my $r    = with($one, '/early', $pass);
is $r->status . $r->body, '503{"error":"busy","charged":false}', 'the store does not know it yet: come again';
ok $r->header('Retry-After'), 'in a moment';
# It does not stand in the way of another one.
my $older = bought($two, '/early');
ok $one->wait_for(sub { with($one, '/early', $older)->status == 200 }), 'another pass, which the store knows';
$r = $one->get('/early', headers => [ map { ('X402-Pass' => $_) } $pass, $older ]);
is $r->status, 200, 'both: the one that it knows opens';
is $r->header('X-Left'), '4', 'and is counted';
$r = $one->get('/early', headers => [ map { ('X402-Pass' => $_) } $pass, $older =~ s/....\z/AAAA/r ]);
is $r->status . $r->body, '503{"error":"busy","charged":false}', 'beside one that is not good: come again, too';
# Nor of a signature.
$cut_off->always(pass => 'before');
my ($signed, $wallet) = (bought($four, '/signed/'), X402::Wallet->new);
is_content paid($one, '/signed/', change => { from => $wallet->address }), "SECRET\n", 'a wallet buys, too';
sub show_both ($by) {
    return show_proof($one, '/signed/', proof($by, declared_in($one->get('/signed/'))), headers => [ 'X402-Pass' => $signed ]);
}
is show_both($wallet)->status, 200, 'the signature of who bought opens beside a pass that is not known yet';
is error_of(show_both(X402::Wallet->new)), '503 busy', 'that of a stranger does not, and does not hide the pass';
is error_of(show_proof($one, '/signed/', 'x', headers => [ 'X402-Pass' => $signed ])), '503 busy', 'nor does a malformed one';
is error_of(show_proof($one, '/signed/', 'x')), '401 sign_in_malformed', 'which is refused alone';
$cut->clear;
ok $one->wait_for(sub { with($one, '/early', $pass)->status == 200 }), 'and then it opens' or diag $three->log;
is with($two, '/early', $pass)->header('X-Left'), '4', 'and has all of its requests';

# --- a store that was emptied

$up->on('/before/owed', status => 500, body => "broken\n");
my ($owed, $payment) = (time, payment(unpaid($three, '/before/owed')));
is paid($three, '/before/owed', payment => $payment)->status, 500, 'content that failed is owed';
$pass = bought($one, '/emptied');
is with($two, '/emptied', $pass)->header('X-Left'), '5', 'one is used';
$redis->ask('FLUSHALL');
$_->log_like(qr/\[crit\].*was emptied, or is another/, 'the store was emptied') for $one, $two;
ok $one->wait_for(sub { $redis->known > 0 }), 'and is told again of payments';
ok $two->wait_for(sub { $r = error_of(with($two, '/emptied', $pass)); $r !~ /\A503/ }, 30), 'a pass of which it knew';
is $r, '402 pass_not_known', 'is known no more';
is scalar($redis->ask(KEYS => 'x402:*:p:*')->@*), 0, 'and is not told again';
is error_of(finally_with($one, '/emptied', $pass)), '402 pass_not_known', 'on any machine';
$redis->ask(CLIENT => KILL => TYPE => 'normal', SKIPME => 'yes');
$one->log_like(qr/is there again/, 'nor when a machine has connected again');
is error_of(finally_with($one, '/emptied', $pass)), '402 pass_not_known', 'is it good once more';
is scalar($redis->ask(KEYS => 'x402:*:p:*')->@*), 0, 'nor told again';

# --- of content that was owed for longer than these ten seconds

sleep 1 while time < $owed + 11;
$up->on('/before/owed', body => "SECRET\n");
$cut->always(pass => 'before');
$r = paid($three, '/before/owed', payment => $payment);
is_content $r, "SECRET\n", 'content that was owed';
$pass = $r->header('X402-Pass');
like $r->header('Set-Cookie'), qr/Max-Age=35[0-8]\d;/, 'its pass is good as long as if it had come at once';
is error_of(with($one, '/before/owed', $pass)), '503 busy', 'and was sold now';

# --- the store was away for longer than these ten seconds

sleep 11;
is error_of(with($one, '/before/owed', $pass)), '402 pass_not_known', 'the store was not told of it';
$redis->ask(CLIENT => KILL => TYPE => 'normal', SKIPME => 'yes');
ok $one->wait_for(sub { paid($one, '/warm')->status == 200 }), 'a machine is connected again';
is error_of(with($one, '/before/owed', $pass)), '503 busy', 'perhaps before the one that sold it';
$cut->clear;
ok $one->wait_for(sub { with($one, '/before/owed', $pass)->status == 200 }), 'and then it opens';

finish;
