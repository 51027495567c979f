# SPDX-License-Identifier: Apache-2.0
# x402_store ... cluster: three nodes have a third of the shards each. Where a
# shard is, its node says; one that is moved while payments run is followed; a
# node that is killed takes its own payers with it, and no others.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::RedisCluster;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $cluster = X402::RedisCluster->new;
my @nodes   = $cluster->nodes->@*;
my $conf    = machines_conf('timeout=2s lease=3s', patient => 1, http => 'x402_seal_key %%DIR%%/seal.key; add_header X-Left $x402_pass_left always;',
    locations => 'location /pass/ { x402_pass time=1h requests=6; proxy_pass http://%%BACKEND%%; }');
my ($one, $other) = machines($conf, $f, $up, [ ($cluster->url . ' cluster') x 2 ], files => { 'seal.key' => 'a' x 64 . "
" });
$up->on('*', body => "SECRET\n");

sub is_busy ($answer, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is $answer->status . $answer->body, '503{"error":"busy","charged":false}', "$name: come again" || diag $answer->summary;
}
my ($left, $pass) = (6);
sub left ($t) {
    my $answer = $t->get('/pass/a', headers => [ 'X402-Pass' => $pass ]);
    return $answer->status . ' ' . ($answer->header('X-Left') // '');
}

# Payers by the node that knows them, which is seen when they pay.
my (@payer, @shard);
for (1 .. 60) {
    last if 3 == grep {$_} @payer[ 0 .. 2 ];
    my $payer = random_hex(20);
    my %before = map { $_ => 1 } map { $_->ask(KEYS => '*:c:*')->@* } @nodes;
    is_content paid($one, '/of', change => { from => $payer }), "SECRET\n", 'a payer';
    for my $node (0 .. 2) {
        my ($new) = grep { !$before{$_} } $nodes[$node]->ask(KEYS => '*:c:*')->@*;
        next if !$new || $payer[$node];
        $payer[$node] = $payer;
        ($shard[$node]) = $new =~ /\{(\d+)\}/;
    }
}
is scalar(grep {$_} @payer), 3, 'each node knows some of the payers';
my $connections;
$one->wait_for(sub { $connections = () = $nodes[1]->ask(CLIENT => 'LIST') =~ /cmd=(?!client)/g; $connections == 2 });
is $connections, 2, 'one connection for each worker, here of two machines';
$_->log_unlike(qr/CROSSSLOT|MOVED/, 'no word of slots') for $one, $other;

# One payment, one delivery, wherever it is.
for my $node (0 .. 2) {
    my $path    = "/once/$node";
    my $payment = payment(unpaid($one, $path), from => $payer[$node]);
    $_->forget for $f, $up;
    my @clients = map { ($one, $other)[ $_ % 2 ]->connect } 1 .. 6;
    $_->write_request(GET => $path, headers => [ header_of($payment) ]) for @clients;
    my @answers = map { $_->answer } @clients;
    is scalar(grep { $_->status == 200 } @answers), 1, "node $node: one is served";
    is $f->calls('settle') . $up->hits, '11', "node $node: settled once, made once";
}

# An unknown outcome of each node is asked about in the background.
for my $node (0 .. 2) {
    $f->settle_once('close');
    is paid($one, "/due/$node", change => { from => $payer[$node] })->status, 503, "node $node: an unknown outcome";
    $f->forget;
    ok $one->wait_for(sub { $f->calls('settle') >= 1 }, 20), "node $node: is asked about";
}
ok $one->wait_for(sub { !grep { $_->ask('KEYS', '*:b:*')->@* } @nodes }, 20), 'and learned';

# A slot is moved while payments run.
my ($payer, $shard) = ($payer[0], $shard[0]);
my $sold = payment(unpaid($one, '/sold'), from => $payer);
is_content paid($one, '/sold', payment => $sold), "SECRET\n", 'sold before the move';
$up->on('/moves', body => "SECRET\n", hold => 1);
my $moves = payment(unpaid($one, '/moves'), from => $payer);
my $c = $one->connect;
$c->write_request(GET => '/moves', headers => [ header_of($moves) ]);
$up->wait_count('/moves', 1);
$cluster->begin_move($shard, $nodes[1]);
cmp_ok $cluster->move_keys($shard, $nodes[1]), '>', 1, 'claims are moved';
is_busy(paid($other, '/sold', payment => $sold), 'what was sold is not sold again, in the middle of the move');
$cluster->end_move($shard, $nodes[1]);
$up->release('/moves');
is_content $c->answer, "SECRET\n", 'a payment that was on its way is delivered';
is_content paid($_, '/moved', change => { from => $payer }), "SECRET\n", 'and others go on' for $one, $other;
is paid($other, $_->[0], payment => $_->[1])->status, 402, "$_->[0]: used" for [ '/sold', $sold ], [ '/moves', $moves ];

# A new payment in the middle of a move comes again, and no more. None of its keys
# is at the old node, which says ASK; the new one says TRYAGAIN.
my $second = payment(unpaid($one, '/during'), from => $payer);
$cluster->begin_move($shard, $nodes[2]);
is_busy(paid($one, '/during', payment => $second), 'a new payment during a move');
$one->log_like(qr/\[error\].*node "127\.0\.0\.1:${\ $nodes[2]->port}".*TRYAGAIN.*get 503 until it is there/, 'which the new node has said');
$cluster->move_keys($shard, $nodes[2]);
$cluster->end_move($shard, $nodes[2]);
my @during = map { paid($one, '/during', payment => $second) } 1 .. 2;
is scalar(grep { $_->status == 200 } @during), 1, 'and good once';
is $up->hits('/during'), 1, 'made once';

# What needs one key goes on all the while: the old node says ASK, and the new one
# is asked with ASKING.
$pass = paid($one, '/pass/a')->header('X402-Pass');
my ($of_pass, $from);
$one->wait_for(sub {
    for my $node (@nodes) {
        my ($key) = $node->ask(KEYS => '*:p:*')->@* or next;
        ($of_pass, $from) = ($key =~ /\{(\d+)\}/, $node);
    }
    return $from;
});
my ($to) = grep { $_ != $from } @nodes;
sub asking () {
    my ($calls) = $to->ask(INFO => 'commandstats') =~ /cmdstat_asking:calls=(\d+)/;
    return $calls // 0;
}
my $asking = asking();
is left($_), '200 ' . --$left, 'a pass before its key moves' for $one, $other;
$cluster->begin_move($of_pass, $to);
is left($one), '200 ' . --$left, 'a move begins, and the key is where it was';
cmp_ok $cluster->move_keys($of_pass, $to), '>', 0, 'it is moved';
is left($_), '200 ' . --$left, 'the node that gets it counts' for $one, $other;
cmp_ok asking() - $asking, '>=', 2, 'because it is asked for it';
$cluster->end_move($of_pass, $to);
is left($one), '200 ' . --$left, 'and after the move';
# One of the payers may have the same shard.
$cluster->begin_move($of_pass, $from);
$cluster->move_keys($of_pass, $from);
$cluster->end_move($of_pass, $from);

# A node is killed: its payers are told to come again, the others pay.
my $gone = payment(unpaid($one, '/gone'), from => $payer[1]);
is_content paid($one, '/gone', payment => $gone), "SECRET\n", 'sold before the node dies';
my $acknowledged = $nodes[1]->known;
$nodes[1]->stop;
my $away;
ok $one->wait_for(sub {
    $_->forget for $f, $up;
    ($away = paid($one, '/away', change => { from => $payer[1] }))->body eq '{"error":"busy","charged":false}';
}), 'a node is killed: its payers are told to come again' or diag $away->summary;
is $f->calls, 0, 'nobody is asked for them';
ok $one->wait_for(sub { paid($one, '/there', change => { from => $payer[2] })->status == 200 }, 20), 'others pay';
$one->log_like(qr/\[error\].*node "127\.0\.0\.1:\d+".*start it, or correct the address/, 'with a line that says which');
$nodes[1]->start;
ok $one->wait_for(sub { paid($one, '/back', change => { from => $payer[1] })->status == 200 }, 20), 'and it is back';
is finally($other, '/gone', $gone)->status, 402, 'with what it knew';
cmp_ok $acknowledged, '>', 0, "claims acknowledged: $acknowledged";

# The words of the configuration and the server are not the same.
my $plain = X402::Redis->new;
for my $case (
    [ $plain->url . ' cluster', qr/is not a node of a cluster; leave "cluster" out/ ],
    [ $cluster->url, qr/is a node of a cluster; add "cluster"/ ],
) {
    my ($store, $line) = @$case;
    $one->stop;
    $one->{holes}{STORE} = $store;
    $one->conf($conf);
    $one->start;
    is paid($one, '/wrong')->status, 503, "$store: busy";
    $one->log_like($line, 'with a line that says what to do');
}

finish;
