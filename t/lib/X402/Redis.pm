# SPDX-License-Identifier: Apache-2.0
package X402::Redis;

# A real redis-server on a port of the kernel's, which several nginx share.
#
#     my $redis = X402::Redis->new;                    # or ->new(requirepass => 'p', ...)
#     $redis->url;                                     # redis://127.0.0.1:port
#     $redis->ask('GET', 'key');                       # one command; dies of an error
#     $redis->stop; $redis->start;                     # kill -9, and again with what is on its disk
#     $redis->freeze; $redis->thaw;                    # accepts, and does not answer

use v5.36;
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);
use X402::Guard;
use X402::Port;

sub new ($class, %options) {
    my $self = bless { port => X402::Port::reserve(), dir => File::Temp->newdir, owner => $$,
        options => { bind => '127.0.0.1', save => '', appendonly => 'no', %options } }, $class;
    return $self->start;
}

sub url  ($self) { return "redis://127.0.0.1:$self->{port}" }
sub port ($self) { return $self->{port} }

sub start ($self) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/output";
        open STDERR, '>&', \*STDOUT;
        my @words = map { ("--$_" => $self->{options}{$_}) } sort keys $self->{options}->%*;
        { no warnings 'exec'; exec 'redis-server', '--port', $self->{port}, '--dir', "$self->{dir}", @words }
        print STDERR "cannot run redis-server: $!\n";
        POSIX::_exit(127);
    }
    $self->{pid}   = $pid;
    $self->{guard} = X402::Guard->new($pid);
    my $end = time + 60;
    until (eval { $self->ask('PING') }) {
        last if ($@ // '') =~ /NOAUTH/;
        die "redis-server did not start:\n" . $self->output if time > $end || waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.02;
    }
    return $self;
}

# kill -9.
sub stop ($self) {
    return if !$self->{pid};
    kill CONT => $self->{pid};
    kill KILL => $self->{pid};
    waitpid delete $self->{pid}, 0;
    (delete $self->{guard})->disarm if $self->{guard};
    return;
}

sub freeze ($self) { return kill STOP => $self->{pid} }
sub thaw   ($self) { return kill CONT => $self->{pid} }

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
