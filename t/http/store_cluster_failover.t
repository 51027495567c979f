# SPDX-License-Identifier: Apache-2.0
# x402_store ... cluster: a node is killed (kill -9) and its replica takes over.
# Payments of its payers go on, what was sold is not sold again, and what had an
# unknown outcome is finished by another machine.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Failover;
use X402::Machines;
use X402::Redis;
use X402::RedisCluster;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
$up->on('*', body => "SECRET\n");

my $cluster = X402::RedisCluster->new;
my @nodes   = $cluster->nodes->@*;
my ($one, $other) = two_machines($cluster->url . ' cluster', $f, $up);
# A payer that the second node knows.
my $payer;
$one->wait_for(sub {
    is_content paid($one, '/payer', change => { from => $payer = random_hex(20) }), "SECRET\n", 'a payer';
    return $nodes[1]->known > 0;
}, 60);
my $replica = $cluster->replica($nodes[1]);
my @sold    = sold($one, 3, from => $payer);
$f->settle_once('close');
my $unknown = payment(unpaid($one, '/unknown'), from => $payer);
is paid($one, '/unknown', payment => $unknown)->status, 503, 'an unknown outcome';
ends_well $one, sub { $replica->known >= 5 }, 'the replica knows them';
my $acknowledged = $replica->known;

$cluster->hurry;
$nodes[1]->stop;
ends_well $one, sub { $replica->ask('ROLE')->[0] eq 'master' }, 'the node is killed, and its replica takes over';
sells_again('cluster', $_, change => { from => $payer }) for $one, $other;
is_used('cluster', $other, \@sold, $f, $up);
is_content finally($other, '/unknown', $unknown), "SECRET\n", 'cluster: the unknown outcome is learned by another machine';
is $up->hits('/unknown'), 1, 'cluster: and its content made there';
# The old node comes back as a replica.
$cluster->calm;
$nodes[1]->start;
ends_well $one, sub { $nodes[1]->ask('ROLE')->[0] eq 'slave' }, 'the old node is back as a replica';
sells_again('cluster, the old node is back', $_, change => { from => $payer }) for $one, $other;

cmp_ok $acknowledged, '>', 0, "payments acknowledged: $acknowledged";

finish;
