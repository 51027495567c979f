# SPDX-License-Identifier: Apache-2.0
package X402::RedisCluster;

# A cluster of three real redis-server, a third of the slots each.
#
#     my $cluster = X402::RedisCluster->new;
#     $cluster->url;                  # redis://127.0.0.1:port, the first node
#     $cluster->nodes->@*;            # X402::Redis, one each
#     $cluster->owner($shard);        # the node that has it
#     $cluster->begin_move($shard, $to);    # the slot is about to leave
#     $cluster->move_keys($shard, $to);     # with what it has
#     $cluster->end_move($shard, $to);      # all nodes know

use v5.36;
use Time::HiRes qw(sleep time);
use X402::Port;
use X402::Redis;

sub new ($class, %options) {
    my @nodes = map {
        X402::Redis->new('cluster-enabled' => 'yes', 'cluster-node-timeout' => 1000, 'cluster-config-file' => 'nodes.conf',
            'cluster-port' => X402::Port::reserve(), 'cluster-require-full-coverage' => 'no', appendonly => 'yes', %options)
    } 1 .. 3;
    my $self = bless { nodes => \@nodes }, $class;
    my @ends = (0, 5461, 10922, 16384);
    for my $i (0 .. 2) {
        $nodes[$i]->ask(CLUSTER => 'ADDSLOTSRANGE', $ends[$i], $ends[ $i + 1 ] - 1);
        $nodes[$i]->ask(CLUSTER => 'SET-CONFIG-EPOCH', $i + 1);
    }
    $nodes[0]->ask(CLUSTER => 'MEET', '127.0.0.1', $_->port, $_->{options}{'cluster-port'}) for @nodes[ 1, 2 ];
    my $end = time + 60;
    for my $node (@nodes) {
        until ($node->ask(CLUSTER => 'INFO') =~ /cluster_state:ok.*cluster_slots_ok:16384.*cluster_known_nodes:3/s) {
            die "the cluster is not ready\n" . $node->ask(CLUSTER => 'INFO') if time > $end;
            sleep 0.05;
        }
        $node->{id} = $node->ask(CLUSTER => 'MYID');
    }
    return $self;
}

sub nodes ($self) { return $self->{nodes} }
sub url ($self)   { return $self->{nodes}[0]->url }

sub slot ($self, $shard) { return $self->{nodes}[0]->ask(CLUSTER => 'KEYSLOT', "{$shard}") }

sub owner ($self, $shard) {
    my $slot = $self->slot($shard);
    my ($node) = grep { my $one = $_; grep { /myself/ && _has($_, $slot) } split /\n/, $one->ask(CLUSTER => 'NODES') } $self->{nodes}->@*;
    return $node;
}

sub _has ($line, $slot) {
    my (undef, undef, undef, undef, undef, undef, undef, undef, @ranges) = split / /, $line;
    return grep { /\A(\d+)(?:-(\d+))?\z/ && $slot >= $1 && $slot <= ($2 // $1) } @ranges;
}

sub begin_move ($self, $shard, $to) {
    my ($slot, $from) = ($self->slot($shard), $self->owner($shard));
    $to->ask(CLUSTER => 'SETSLOT', $slot, 'IMPORTING', $from->{id});
    $from->ask(CLUSTER => 'SETSLOT', $slot, 'MIGRATING', $to->{id});
    return;
}

sub move_keys ($self, $shard, $to) {
    my ($slot, $from) = ($self->slot($shard), $self->owner($shard));
    my $keys = $from->ask(CLUSTER => 'GETKEYSINSLOT', $slot, 10_000);
    $from->ask(MIGRATE => '127.0.0.1', $to->port, '', 0, 5000, 'KEYS', @$keys) if @$keys;
    return scalar @$keys;
}

sub end_move ($self, $shard, $to) {
    my $slot = $self->slot($shard);
    $_->ask(CLUSTER => 'SETSLOT', $slot, 'NODE', $to->{id}) for $to, grep { $_ != $to } $self->{nodes}->@*;
    return;
}

1;
