# SPDX-License-Identifier: Apache-2.0
# A pass that is good for a number of requests (x402_pass requests=) is counted on
# all machines together that share a store. A store that does not say what is
# left opens nothing, and takes nothing for a request that got nothing.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::SignIn qw(error_of);
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $conf = machines_conf('timeout=3s', main => 'worker_processes 2;', http => <<'EOF', locations => <<'EOF');
    x402_seal_key %%DIR%%/seal.key;
    x402_pass time=1h requests=6;
    add_header X-Left "$x402_pass_left" always;
EOF
        location = /status { x402 off; x402_status prometheus; }
        location /timed/ { x402_pass time=1h; proxy_pass http://%%BACKEND%%; }
        location /many/  { x402_pass time=1h requests=100; proxy_pass http://%%BACKEND%%; }
        location /short/ { x402_pass time=6s requests=6; proxy_pass http://%%BACKEND%%; }
EOF
my $cut = X402::StoreProxy->new($redis->port);
my ($one, $two) = machines($conf, $f, $up, [ $redis->url, $cut->url ], files => { 'seal.key' => 'a' x 64 . "\n" });
$up->on('*', body => "SECRET\n");

sub bought ($path = '/a') {
    my $r = paid($one, $path);
    is_content $r, "SECRET\n", "$path: bought";
    return scalar($r->header('X402-Pass')) // die $r->summary;
}
# What is left of the pass that was sold last, as the store has it.
my %known;
sub last_sold () { my ($new) = grep { !$known{$_}++ } $redis->ask('KEYS', 'x402:*:p:*')->@*; return $new }
sub left_of ($key) { return unpack 'N', $redis->ask('GETRANGE', $key, 0, 3) }
sub with ($t, $path, @passes) { return $t->get($path, headers => [ map { ('X402-Pass' => $_) } @passes ]) }
sub is_busy ($r, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $r->status . $r->body, '503{"error":"busy","charged":false}', $name;
    ok $r->header('Retry-After'), "$name: come again";
}

# Both workers of a machine have found the store.
for my $t ($one, $two) {
    ok $t->wait_for(sub { $t->get('/status')->body =~ /store_workers\{state="connected"\} 2/ }), 'connected with the store';
    is paid($t, '/first')->status, 200, 'and sells';
}
$_->forget for $f, $up;

# --- counted on all

my $pass = bought;
is join(' ', map { my $r = with($_, '/a', $pass); $r->status . ':' . $r->header('X-Left') } $one, $two, $two, $one, $two, $one),
    '200:5 200:4 200:3 200:2 200:1 200:0', 'six requests, on two machines';
is error_of(with($_, '/a', $pass)), '402 pass_used_up', 'and no more' for $one, $two;
is $f->calls('settle'), 1, 'settled once';

# At once.
$pass = bought;
$up->on('/a', body => "SECRET\n", delay => 0.1);
my @clients = map { my $c = ($one, $two)[ $_ % 2 ]->connect; $c->write_request(GET => '/a', headers => [ 'X402-Pass' => $pass ]); $c } 1 .. 12;
my @answers = map { $_->answer } @clients;
is scalar(grep { $_->status == 200 } @answers), 6, 'twelve at once: six are let in' or diag map { $_->summary } @answers;
is scalar(grep { $_->status == 402 } @answers), 6, 'and six are asked to pay';
$up->on('/a', body => "SECRET\n");

# The second of two passes, where the first is used up.
my $other = bought;
is with($two, '/a', $pass, $other)->header('X-Left'), '5', 'a second pass is looked at when the first is used up';
is with($two, '/a', 'nonsense', $pass, $other)->header('X-Left'), '4', 'and a third';

# --- what got no content is given back

$up->on('/fails', status => 500, body => "no\n");
my $answered = $cut->answered('pass');
is with($two, '/fails', $other)->status, 500, 'content that fails';
$two->wait_for(sub { $cut->answered('pass') >= $answered + 2 });
is with($one, '/a', $other)->header('X-Left'), '3', 'is not counted, on any machine';
$up->on('/held', body => "SECRET\n", hold => 1);
my $c = $two->connect;
$c->write_request(GET => '/held', headers => [ 'X402-Pass' => $other ]);
$up->wait_count('/held', 1);
$two->leave($c);
ok $one->wait_for(sub { with($one, '/a', $other)->header('X-Left') eq '1' }), 'a client that leaves has made the upstream work';

# A hundred at once, more than the store kept in mind once.
my %before = map { $_ => 1 } $redis->ask('KEYS', 'x402:*:p:*')->@*;
my $many = bought('/many/a');
my ($many_key) = grep { !$before{$_} } $redis->ask('KEYS', 'x402:*:p:*')->@*;
$up->on('/many/a', status => 500, body => "no\n", hold => 1);
my @many = map { my $m = ($one, $two)[ $_ % 2 ]->connect; $m->write_request(GET => '/many/a', headers => [ 'X402-Pass' => $many ]); $m } 1 .. 100;
$up->wait_count('/many/a', 100);
is left_of($many_key), 0, 'a hundred requests at once';
$up->release('/many/a');
is scalar(grep { $_->answer->status == 500 } @many), 100, 'all of them fail';
ok $one->wait_for(sub { left_of($many_key) == 100 }), 'and are given back' or diag left_of($many_key);
is $redis->ask('EXISTS', $many_key =~ s/:p:/:q:/r), 0, 'with nothing to remember';

# --- one payment, one count

$pass = bought('/again');
is with($two, '/again', $pass)->header('X-Left'), '5', 'one is used';
my ($key) = grep { $redis->ask('PTTL', $_) > 0 } $redis->ask('KEYS', 'x402:*:p:*')->@*;
ok $key, 'the count is kept for as long as the pass is good';
cmp_ok $redis->ask('PTTL', $key), '<=', 3_600_000, 'and no longer';

# --- a pass that the store does not know

$redis->ask('FLUSHALL');
for my $t ($one, $two) {
    my $said;
    # It was sold only just now: for some seconds, come again.
    $t->wait_for(sub { ($said = error_of(with($t, '/again', $pass))) ne '503 busy' }, 20);
    is $said, '402 pass_not_known', 'a store that was emptied opens nothing';
}
my $short = bought('/short/a');
is with($two, '/short/a', $short)->status, 200, 'a pass of some seconds';
sleep 7;
is error_of(with($two, '/short/a', $short)), '402 pass_expired', 'and then it is over';

# --- the store does not answer

for my $how (qw(before after silent garbage)) {
    last_sold for 1 .. 20;
    $pass = bought("/$how");
    # The other worker may still be without a connection.
    ok $two->wait_for(sub { with($two, "/$how", $pass)->status == 200 }), "$how: one is used";
    my $key = last_sold;
    ok $one->wait_for(sub { left_of($key) == 5 }), "$how: and one is counted" or diag left_of($key);
    $up->forget;
    $cut->on(pass => $how);
    is_busy with($two, "/$how", $pass), "$how: no content on a guess";
    is $up->hits, 0, "$how: nothing is made";
    ok $two->wait_for(sub { with($two, "/$how", $pass)->status == 200 }), "$how: and then it opens again";
    ok $one->wait_for(sub { left_of($key) == 4 }), "$how: what was taken for nothing is given back" or diag left_of($key);
}
last_sold for 1 .. 20;
$pass = bought('/late');
my $late;
$one->wait_for(sub { $late = last_sold });
$cut->on(pass => 2);
$c = $two->connect;
my $asked = $cut->asked('pass');
$c->write_request(GET => '/late', headers => [ 'X402-Pass' => $pass ]);
ok $two->wait_for(sub { $cut->asked('pass') > $asked }), 'the store is slow';
$two->leave($c);
$up->forget;
ok $one->wait_for(sub { $cut->asked('pass') >= $asked + 2 && left_of($late) == 6 }), 'and the client leaves: its request is given back'
    or diag left_of($late);

# With a payment beside it, the payment is looked at.
$cut->close;
ok $two->wait_for(sub { with($two, '/late', $pass)->status == 503 }), 'no connection to the store: come again';
is with($two, '/timed/a', bought('/timed/a'))->status, 200, 'a pass that is not counted needs no store';
$cut->open;
ok $two->wait_for(sub { with($two, '/late', $pass)->status != 503 }), 'a connection again';

# A reload in the middle.
$pass = bought('/reload');
$cut->on(pass => 0.5);
$c = $two->connect;
$asked = $cut->asked('pass');
$c->write_request(GET => '/reload', headers => [ 'X402-Pass' => $pass ]);
ok $two->wait_for(sub { $cut->asked('pass') > $asked }), 'a reload while the store is asked';
$two->reload;
is $c->answer->status, 200, 'the request is let in';

# --- a key is replaced on one machine after the other: no pass is lost

chmod 0600, $_->write('next.key', 'b' x 64 . "\n") for $one, $two;
my @steps = (
    [ 'accepted' => '%%DIR%%/seal.key %%DIR%%/next.key' ],
    [ 'in front' => '%%DIR%%/next.key %%DIR%%/seal.key' ],
    [ 'alone'    => '%%DIR%%/next.key' ],
);
my ($older, $counted) = (bought('/timed/a'), bought('/rotated'));
for my $step (@steps) {
    my ($name, $keys) = @$step;
    my $new;
    for my $t ($one, $two) {
        $t->conf($conf =~ s{(x402_seal_key )[^;]+}{$1$keys}r)->reload;
        my $which = $t == $one ? 'one' : 'both';
        for my $seller ($one, $two) {
            $new = paid($seller, '/timed/a')->header('X402-Pass');
            is join(' ', map { with($_, '/timed/a', $new)->status } $one, $two), '200 200', "the new key $name on $which: a pass opens both";
        }
        is join(' ', map { with($_, '/timed/a', $older)->status } $one, $two), '200 200', "the new key $name on $which: so does an older one";
    }
    $older = $new;    # those before are over by the next step
    is with($two, '/rotated', $counted)->header('X-Left'), $name eq 'accepted' ? '5' : '4', 'a count goes on' if $name ne 'alone';
}
is error_of(with($_, '/rotated', $counted)), '402 pass_invalid', 'a pass of the key that is gone opens nothing' for $one, $two;

cmp_ok $cut->answered('pass'), '>', 0, 'calls acknowledged: ' . $cut->answered('pass');

finish;
