# SPDX-License-Identifier: Apache-2.0
package X402::WireProxy;

# Stands between nginx and a server, and knows nothing of what they say: TLS, for
# example. What the server says is passed on, or
#
#     my $wire = X402::WireProxy->new($port);
#     $wire->port;
#     $wire->now('stall');       # connections are taken; nothing the server says is passed on
#     $wire->now('close', 50);   # of what it says next 50 bytes are passed on, and then the connection is closed
#     $wire->now('reset', 50);   # the same, with a reset
#     $wire->now('freeze', 50);  # the same, and then nothing more comes
#     $wire->now('pass');        # all of it; connections that were stalled or frozen are closed
#     $wire->cut;                # connections that were cut so far
#
# Each counts for open connections and new ones, until the next.

use v5.36;
use IO::Handle;
use IO::Select;
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY SO_LINGER);
use X402::Port;

sub new ($class, $server) {
    my $self = bless { port => X402::Port::reserve(), server => $server, owner => $$ }, $class;
    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
    $_->autoflush(1) for $ours, $theirs;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $ours;
        $self->_serve($theirs);
        POSIX::_exit(0);
    }
    close $theirs;
    $self->@{qw(control pid)} = ($ours, $pid);
    $self->cut;    # it listens as soon as it answers
    return $self;
}

sub port ($self)                   { return $self->{port} }
sub now ($self, $mode, $bytes = 0) { return $self->_ask("$mode $bytes") }
sub cut ($self)                    { return $self->_ask('cut 0') }

sub _ask ($self, $line) {
    my $control = $self->{control};
    print {$control} "$line\n" or die "the proxy is gone: $!";
    chomp(my $answer = <$control> // die 'the proxy is gone');
    return $answer;
}

sub DESTROY ($self) {
    return if $self->{owner} != $$ || !$self->{pid};
    local $?;
    kill KILL => $self->{pid};
    waitpid delete $self->{pid}, 0;
    return;
}

# --- the child's side --------------------------------------------------------

sub _serve ($self, $control) {
    @SIG{qw(TERM INT HUP PIPE)} = ('DEFAULT', 'DEFAULT', 'DEFAULT', 'IGNORE');
    $self->@{qw(mode links cut)} = ('pass', [], 0);
    listen $self->{listener} = X402::Port::socket_on($self->{port}), 64 or die "listen: $!";
    while (1) {
        my @watched = ($control, $self->{listener}, map { ($_->{client}, $_->{server}) } $self->{links}->@*);
        for my $ready (IO::Select->new(@watched)->can_read) {
            if ($ready == $control) {
                my ($mode, $bytes) = split ' ', <$control> // return;
                $self->_mode($mode, $bytes) if $mode ne 'cut';
                print {$control} "$self->{cut}\n";
            }
            elsif ($ready == $self->{listener}) { $self->_accept }
            else                                { $self->_pass($ready) }
        }
    }
}

sub _mode ($self, $mode, $bytes) {
    $self->@{qw(mode bytes)} = ($mode, $bytes);
    $_->{left} = $bytes for $self->{links}->@*;
    $self->_end($_) for $mode eq 'pass' ? grep { $_->{silent} } $self->{links}->@* : ();
    return;
}

sub _accept ($self) {
    accept(my $client, $self->{listener}) or return;
    socket(my $server, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
    return if !connect $server, sockaddr_in($self->{server}, INADDR_LOOPBACK);
    setsockopt $_, IPPROTO_TCP, TCP_NODELAY, 1 for $client, $server;
    push $self->{links}->@*, { client => $client, server => $server, left => $self->{bytes} };
    return;
}

sub _end ($self, $link) {
    setsockopt $link->{client}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0 if $self->{mode} eq 'reset';
    close $_ for $link->@{qw(client server)};
    $self->{links} = [ grep { $_ != $link } $self->{links}->@* ];
    return;
}

sub _pass ($self, $ready) {
    my ($link) = grep { $_->{client} == $ready || $_->{server} == $ready } $self->{links}->@*;
    return if !$link;
    my $says = $ready == $link->{server};
    return $self->_end($link) if !sysread $ready, my $bytes, 65536;
    return _write($link->{server}, $bytes) if !$says;
    return _write($link->{client}, $bytes) if $self->{mode} eq 'pass';
    my $part = substr $bytes, 0, $link->{left};
    $link->{left} -= length $part;
    _write($link->{client}, $part);
    return if $link->{left} > 0 || $link->{silent};
    $self->{cut}++;
    return $self->_end($link) if $self->{mode} =~ /\A(?:close|reset)\z/;
    return $link->{silent} = 1;
}

sub _write ($to, $bytes) {
    while (length $bytes) {
        my $count = syswrite $to, $bytes;
        return if !defined $count;
        substr $bytes, 0, $count, '';
    }
    return;
}

1;
