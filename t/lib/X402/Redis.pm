# SPDX-License-Identifier: Apache-2.0
package X402::Redis;

# A real redis-server on a port of the kernel's, which several nginx share.
#
#     my $redis = X402::Redis->new;                    # or ->new(requirepass => 'p', ...)
#     $redis->url;                                     # redis://127.0.0.1:port
#     $redis->ask('GET', 'key');                       # one command; dies of an error
#     $redis->stop; $redis->start;                     # kill -9, and again with what is on its disk
#     $redis->freeze; $redis->thaw;                    # accepts, and does not answer
#     my $replica = $redis->replica;                   # another one, once it is in step
#
# X402_STORE (make test-store) makes it a valkey-server, one that a sentinel
# tells, or a cluster of one node.
#     $redis->known;                                   # claims that it has

use v5.36;
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);
use X402::Guard;
use X402::Port;

my $kind = $ENV{X402_STORE} // '';

sub new ($class, %options) {
    my $self = bless { port => X402::Port::reserve(), dir => File::Temp->newdir, owner => $$,
        options => { bind => '127.0.0.1', save => '', appendonly => 'no', %options } }, $class;
    return $self->start;
}

# The store of a test, in the topology that is tried.
sub of_kind ($class, %options) {
    my %cluster = ('cluster-enabled' => 'yes', 'cluster-config-file' => 'nodes.conf');
    my $self = $class->new($kind eq 'cluster' ? %cluster : (), %options);
    $self->{kind} = $kind;
    if ($kind eq 'cluster') {
        $self->ask(CLUSTER => 'ADDSLOTSRANGE', 0, 16383);
        $self->wait_for_slots;
    }
    elsif ($kind eq 'sentinel') {
        require X402::Sentinels;
        $self->{sentinel} = X402::Sentinel->new(
            text => "sentinel monitor shop 127.0.0.1 $self->{port} 1\nsentinel down-after-milliseconds shop 3600000\n");
    }
    return $self;
}

sub wait_for_slots ($self) {
    my $end = time + 60;
    until ($self->ask(CLUSTER => 'INFO') =~ /cluster_state:ok/) { time < $end or die 'the cluster is not ready'; sleep 0.05 }
    return $self;
}

sub url ($self) {
    return "sentinel://127.0.0.1:$self->{sentinel}{port}/shop" if $self->{sentinel};
    return "redis://127.0.0.1:$self->{port}" . (($self->{kind} // '') eq 'cluster' ? ' cluster' : '');
}
sub port ($self) { return $self->{port} }

sub start ($self) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/output";
        open STDERR, '>&', \*STDOUT;
        my @command = $self->command;
        { no warnings 'exec'; exec @command }
        print STDERR "cannot run $command[0]: $!\n";
        POSIX::_exit(127);
    }
    $self->{pid}   = $pid;
    $self->{guard} = X402::Guard->new($pid);
    my $end = time + 60;
    until (eval { $self->ask('PING') }) {
        last if ($@ // '') =~ /NOAUTH/;
        last if ($@ // '') =~ /LOADING/ && $self->{loads};
        die "redis-server did not start:\n" . $self->output if time > $end || waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.02;
    }
    $self->wait_for_slots if ($self->{kind} // '') eq 'cluster' && !$self->{loads};
    return $self;
}

sub server () { return $kind eq 'valkey' ? 'valkey-server' : 'redis-server' }

sub command ($self) {
    my @words = map { ("--$_" => $self->{options}{$_}) } sort keys $self->{options}->%*;
    return (server(), '--port', $self->{port}, '--dir', "$self->{dir}", @words);
}

sub replica ($self, %options) {
    my $replica = X402::Redis->new(%options);
    $replica->ask(REPLICAOF => '127.0.0.1', $self->{port});
    my $end = time + 60;
    until ($self->ask('INFO', 'replication') =~ /port=$replica->{port},state=online/
        && $replica->ask('INFO', 'replication') =~ /master_link_status:up/)
    {
        die "the replica is not in step:\n" . $replica->output if time > $end;
        sleep 0.05;
    }
    return $replica;
}

sub known ($self) { return scalar $self->ask(KEYS => '*:c:*')->@* }

# kill -9.
sub stop ($self) {
    return if !$self->{pid};
    kill CONT => $self->{pid};
    kill KILL => $self->{pid};
    waitpid delete $self->{pid}, 0;
    (delete $self->{guard})->disarm if $self->{guard};
    return;
}

sub freeze ($self) { return kill STOP => $self->{pid} // die 'redis-server does not run' }
sub thaw   ($self) { return kill CONT => $self->{pid} // die 'redis-server does not run' }

sub output ($self) {
    open my $file, '<', "$self->{dir}/output" or return '';
    local $/;
    return <$file> // '';
}

sub ask ($self, @words) {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 10)
        or die "connect: $!";
    my $auth = $self->{options}{requirepass};
    for my $command (defined $auth ? [ AUTH => $auth ] : (), [@words]) {
        print {$socket} '*' . @$command . "\r\n" . join '', map { '$' . length() . "\r\n$_\r\n" } @$command;
        $socket->flush;
        $self->{answer} = _read($socket);
    }
    return $self->{answer};
}

sub _read ($socket) {
    my $line = <$socket> // die 'redis-server closed';
    $line =~ s/\r\n\z//;
    my ($kind, $rest) = $line =~ /\A(.)(.*)\z/s;
    die "$rest\n" if $kind eq '-';
    return $rest  if $kind eq '+' || $kind eq ':';
    return undef  if $rest < 0;
    return [ map { _read($socket) } 1 .. $rest ] if $kind eq '*';
    my $bytes = '';
    while (length $bytes < $rest + 2) { read $socket, $bytes, $rest + 2 - length $bytes, length $bytes or die 'redis-server closed' }
    return substr $bytes, 0, $rest;
}

sub DESTROY ($self) {
    local $?;
    return $self->{owner} == $$ ? $self->stop : undef;
}

1;
