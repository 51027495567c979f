# SPDX-License-Identifier: Apache-2.0
# A shard of a cluster is found at another node while the question is on its way
# whether the former one was emptied. What the former one answers says nothing
# of the new one, which is asked, too, and told of the passes that were sold.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::RedisCluster;
use X402::StoreProxy;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $cluster = X402::RedisCluster->new;
my $node    = $cluster->nodes->[0];
my $cut     = X402::StoreProxy->new($node->port);
my $conf    = machines_conf('timeout=20s', http => 'x402_seal_key %%DIR%%/seal.key;',
    locations => 'location /pass/ { x402_pass time=1h requests=6; proxy_pass http://%%BACKEND%%; }');
my ($t) = machines($conf, $f, $up, [ ($cut->url =~ s/ cluster\z//r) . ' cluster' ], files => { 'seal.key' => 'a' x 64 . "\n" });
$up->on('*', body => "SECRET\n");
sub keys_of ($pattern) { return $node->ask(KEYS => $pattern)->@* }
sub shard_of ($key)    { return $key =~ /\{(\d+)\}/ ? $1 : die "no shard in $key" }

# Payers of this node, by their shards, which are drawn by chance: until some
# have one. And a pass in one of these: that none of so many fits does not
# happen by chance.
my ($wanted, %payer, $pass) = (5);
for (1 .. 500) {
    last if keys %payer >= $wanted;
    my $payer = random_hex(20);
    my %before = map { $_ => 1 } keys_of('*:c:*');
    last if paid($t, '/of', change => { from => $payer })->body ne "SECRET\n";
    my ($new) = grep { !$before{$_} } keys_of('*:c:*');
    $payer{ shard_of($new) } = $payer if $new;
}
is keys %payer, $wanted, 'payers of the shards of one node';
for (1 .. 500) {
    last if $pass || paid($t, "/pass/$_")->body ne "SECRET\n";
    ($pass) = grep { $payer{ shard_of($_) } } keys_of('x402:*:p:*');
}
ok $pass, 'the store knows one in the shard of a payer' or finish, exit;
my ($other) = grep { $_ != shard_of($pass) } sort keys %payer;

# The proxy is one node to this machine, and what it stands in front of another.
my $elsewhere = '-MOVED 1 127.0.0.1:' . $node->port;
$cut->on(take => $elsewhere);
is_content paid($t, '/a', change => { from => $payer{$other} }), "SECRET\n", 'a shard is found at another node';

# The question leaves behind the call of a payment, and is answered behind it.
$node->ask(DEL => $pass);
$cut->on(take => "6 $elsewhere");
my $answer = paid($t, '/b', change => { from => $payer{ shard_of($pass) } });
is_content $answer, "SECRET\n", 'that of the pass moves, too, while its epoch is asked for';
ok $t->wait_for(sub { $node->ask(EXISTS => $pass) }, 10), 'what the new node may have lost is written to it again';

finish;
