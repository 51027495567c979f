# SPDX-License-Identifier: Apache-2.0
package X402::Proxy;

# A real proxy on a port of the kernel's: tinyproxy for HTTP CONNECT, microsocks
# for SOCKS5, both as Debian has them.
#
#     my $proxy = X402::Proxy->http('me', 'secret');    # or ->socks
#     $proxy->url;    # http://127.0.0.1:port, socks5://127.0.0.1:port
#     $proxy->log;    # what it was asked for (tinyproxy)

use v5.36;
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep);
use X402::Guard;
use X402::Port;

sub http ($class, $user = undef, $password = undef) {
    my $self = $class->_new('http', 'tinyproxy');
    open my $conf, '>', "$self->{dir}/conf" or die $!;
    print {$conf} "Port $self->{port}\nListen 127.0.0.1\nLogFile \"$self->{dir}/log\"\nLogLevel Info\nMaxClients 100\nAllow 127.0.0.1\n";
    print {$conf} "BasicAuth $user $password\n" if defined $user;
    close $conf or die $!;
    return $self->_run('tinyproxy', '-d', '-c', "$self->{dir}/conf");
}

sub socks ($class, $user = undef, $password = undef) {
    my $self = $class->_new('socks5', 'microsocks');
    return $self->_run('microsocks', '-i', '127.0.0.1', '-p', $self->{port}, defined $user ? ('-u', $user, '-P', $password) : ());
}

sub url ($self) { return "$self->{scheme}://127.0.0.1:$self->{port}" }

sub log ($self) {
    my $name = $self->{scheme} eq 'http' ? 'log' : 'output';
    open my $file, '<', "$self->{dir}/$name" or return '';
    local $/;
    return <$file> // '';
}

# At once, in the middle of whatever goes through it.
sub kill ($self) {
    return if !$self->{pid};
    kill KILL => $self->{pid};
    waitpid delete $self->{pid}, 0;
    delete($self->{guard})->disarm;
    return;
}

sub DESTROY ($self) { $self->kill if $self->{owner} == $$ }

sub _new ($class, $scheme, $program) {
    Test::More::plan(skip_all => "$program is not installed") if !grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin';
    return bless { scheme => $scheme, port => X402::Port::reserve(), dir => File::Temp->newdir, owner => $$ }, $class;
}

sub _run ($self, @command) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/output";
        open STDERR, '>&', \*STDOUT;
        local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
        exec @command or POSIX::_exit(127);
    }
    $self->{pid}   = $pid;
    $self->{guard} = X402::Guard->new($pid);
    for (1 .. 1000) {
        return $self if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}");
        die "$command[0] ended at once\n" if waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.01;
    }
    die "$command[0] does not listen\n";
}

1;
