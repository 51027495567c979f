# SPDX-License-Identifier: Apache-2.0
package X402::Sentinels;

# Three real sentinels that watch a master, and replace it within seconds once
# they are told to hurry. Before, a machine that is busy with other things must
# not cause a failover.
#
#     my $master    = X402::Redis->new;
#     my @replicas  = map { $master->replica } 1 .. 2;
#     my $sentinels = X402::Sentinels->new($master, 'shop');
#     $sentinels->url;            # sentinel://127.0.0.1:port,.../shop
#     $sentinels->each->@*;       # X402::Redis, one each
#     $sentinels->master_port;    # as the first one says
#     $sentinels->hurry;          # a master that is silent for two seconds is replaced
#     $sentinels->calm($port);    # all know the new master, and keep it from now on

use v5.36;
use Time::HiRes qw(sleep time);
use X402::Redis;

package X402::Sentinel {
    use parent 'X402::Redis';

    sub command ($self) {
        my $path = "$self->{dir}/sentinel.conf";
        if (!-e $path) {
            open my $file, '>', $path or die "$path: $!";
            print {$file} $self->{options}{text};
            close $file;
        }
        return (X402::Redis::server(), $path, '--sentinel', '--port', $self->{port}, '--dir', "$self->{dir}",
            '--bind', '127.0.0.1');
    }
}

sub new ($class, $master, $name, %options) {
    my $more = join '', map {"$_ $options{$_}\n"} sort keys %options;
    my $text = "sentinel monitor $name 127.0.0.1 $master->{port} 2\n"
        . "sentinel down-after-milliseconds $name 60000\nsentinel failover-timeout $name 3000\n$more";
    my $self = bless { name => $name, each => [ map { X402::Sentinel->new(text => $text, %options) } 1 .. 3 ] }, $class;
    my $end = time + 60;
    for my $one ($self->{each}->@*) {
        until ($one->ask('INFO', 'sentinel') =~ /slaves=[1-9]\d*,sentinels=3/) {
            die "the sentinels do not know each other\n" if time > $end;
            sleep 0.05;
        }
    }
    return $self;
}

sub each ($self) { return $self->{each} }
sub url ($self)  { return 'sentinel://' . join(',', map {"127.0.0.1:$_->{port}"} $self->{each}->@*) . "/$self->{name}" }

sub _patience ($self, $milliseconds) {
    $_->ask(SENTINEL => 'SET', $self->{name}, 'down-after-milliseconds', $milliseconds) for $self->{each}->@*;
    return;
}

sub hurry ($self) { return $self->_patience(2000) }

# Sentinels in a hurry replace a new master, too, that a busy machine lets wait.
sub calm ($self, $port) {
    my $end = time + 60;
    for my $index (0 .. 2) {
        until ($self->master_port($index) == $port) {
            die "the sentinels do not know the new master\n" if time > $end;
            sleep 0.02;
        }
    }
    return $self->_patience(60_000);
}

sub master_port ($self, $index = 0) {
    return $self->{each}[$index]->ask(SENTINEL => 'GET-MASTER-ADDR-BY-NAME', $self->{name})->[1];
}

1;
