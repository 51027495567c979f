# SPDX-License-Identifier: Apache-2.0
package X402::RedisCluster;

# A cluster of three real redis-server, a third of the slots each.
#
#     my $cluster = X402::RedisCluster->new;
#     my $cluster = X402::RedisCluster->new(tls => $dir);    # certificates of X402::Certificates
#     $cluster->url;                  # redis://127.0.0.1:port, the first node; or rediss://
#     $cluster->nodes->@*;            # X402::Redis, one each
#     $cluster->owner($shard);        # the node that has it
#     $cluster->begin_move($shard, $to);    # the slot is about to leave
#     $cluster->move_keys($shard, $to);     # with what it has
#     $cluster->end_move($shard, $to);      # all nodes know
#     my $replica = $cluster->replica($node);    # in step, and ready to take over
#     $cluster->hurry;                # a node that is silent is replaced in about two seconds
#     $cluster->calm;                 # and from now on in more than a minute
#     $cluster->wait_for(sub ($node) {...});     # on each
#
# A node counts as failed only after a minute, until ->hurry: a machine that is
# busy with other things must not cause a failover.

use v5.36;
use Time::HiRes qw(sleep time);
use X402::Port;
use X402::Redis;

sub new ($class, %options) {
    my $self = bless { tls => delete $options{tls}, options => \%options }, $class;
    my @nodes = map { $self->_node } 1 .. 3;
    $self->{nodes} = \@nodes;
    my @ends = (0, 5461, 10922, 16384);
    for my $i (0 .. 2) {
        $nodes[$i]->ask(CLUSTER => 'ADDSLOTSRANGE', $ends[$i], $ends[ $i + 1 ] - 1);
        $nodes[$i]->ask(CLUSTER => 'SET-CONFIG-EPOCH', $i + 1);
    }
    $self->_meet($_) for @nodes[ 1, 2 ];
    $self->wait_for(sub ($node) {
        return $node->ask(CLUSTER => 'INFO') =~ /cluster_state:ok.*cluster_slots_ok:16384.*cluster_known_nodes:3/s;
    });
    return $self;
}

sub _node ($self) {
    my %tls;
    if (my $dir = $self->{tls}) {
        %tls = ('tls-port' => X402::Port::reserve(), 'tls-cluster' => 'yes', 'tls-replication' => 'yes',
            'tls-auth-clients' => 'no', 'tls-ca-cert-file' => "$dir/ca.pem",
            'tls-cert-file' => "$dir/good.pem", 'tls-key-file' => "$dir/good.key");
    }
    my $node = X402::Redis->new('cluster-enabled' => 'yes', 'cluster-node-timeout' => 60_000, 'cluster-config-file' => 'nodes.conf',
        'cluster-port' => X402::Port::reserve(), 'cluster-require-full-coverage' => 'no', appendonly => 'yes',
        %tls, $self->{options}->%*);
    $node->{id} = $node->ask(CLUSTER => 'MYID');
    return $node;
}

# What its nodes call it.
sub _port ($self, $node) { return $self->{tls} ? $node->{options}{'tls-port'} : $node->port }

sub _meet ($self, $node) {
    $self->{nodes}[0]->ask(CLUSTER => 'MEET', '127.0.0.1', $self->_port($node), $node->{options}{'cluster-port'});
    return;
}

sub wait_for ($self, $condition, @nodes) {
    @nodes = $self->{nodes}->@* if !@nodes;
    my $end = time + 60;
    for my $node (@nodes) {
        until ($condition->($node)) {
            die "the cluster is not ready\n" . $node->ask(CLUSTER => 'INFO') if time > $end;
            sleep 0.05;
        }
    }
    return;
}

sub replica ($self, $of) {
    my $replica = $self->_node;
    $self->_meet($replica);
    $self->wait_for(sub ($node) { $node->ask(CLUSTER => 'NODES') =~ /$replica->{id}/ });
    $self->wait_for(sub ($node) { $node->ask(CLUSTER => 'NODES') =~ /$of->{id}/ }, $replica);
    $replica->ask(CLUSTER => 'REPLICATE', $of->{id});
    $self->wait_for(sub ($node) { $node->ask(INFO => 'replication') =~ /master_link_status:up/ }, $replica);
    $self->wait_for(sub ($node) { $node->ask(CLUSTER => 'NODES') =~ /^$replica->{id} .*slave $of->{id}/m });
    return $replica;
}

sub _patience ($self, $milliseconds) {
    $_->ask(CONFIG => 'SET', 'cluster-node-timeout', $milliseconds) for grep { $_->{pid} } $self->{nodes}->@*;
    return;
}

sub hurry ($self) { return $self->_patience(1000) }
sub calm  ($self) { return $self->_patience(60_000) }

sub nodes ($self) { return $self->{nodes} }

sub url ($self) {
    my $first = $self->{nodes}[0];
    return $self->{tls} ? 'rediss://127.0.0.1:' . $self->_port($first) : $first->url;
}

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
