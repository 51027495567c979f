# SPDX-License-Identifier: Apache-2.0
package X402::Names;

# A name server on loopback that gives every name the same IPv4 addresses, or
# none, or no answer: what it does can be changed while it runs.
#
#     my $names = X402::Names->new('127.0.0.1');
#     $names->does('unknown');    or 'silence', or 'answer' (the default), which
#                                 leaves names with "quiet" in them unanswered,
#                                 or 'answer all'
#     resolver 127.0.0.1:%%DNS%% with DNS => $names->port

use v5.36;
use File::Temp ();
use IO::Socket::INET ();
use POSIX ();
use Socket qw(inet_aton);

sub new ($class, @addresses) {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp') or die "udp: $!";
    my $self = bless {
        orders    => File::Temp->new,
        port      => $socket->sockport,
        addresses => [ @addresses ? @addresses : '127.0.0.1' ],
        owner     => $$,
    }, $class;
    $self->does('answer');
    my $parent = $$;
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        $self->_serve($socket, $parent);
        POSIX::_exit(0);
    }
    return $self;
}

sub port ($self) { return $self->{port} }

sub does ($self, $what) {
    open my $file, '>', "$self->{orders}" or die "$self->{orders}: $!";
    print {$file} $what;
    close $file or die $!;
    return;
}

sub _serve ($self, $socket, $parent) {
    $SIG{TERM} = 'DEFAULT';
    while (getppid == $parent) {
        vec(my $ready = '', fileno $socket, 1) = 1;
        next if select($ready, undef, undef, 1) < 1;
        my $peer = $socket->recv(my $query, 512) or next;
        open my $file, '<', "$self->{orders}" or return;
        my $what = <$file> // '';
        next if $what eq 'silence';
        my ($question) = substr($query, 12) =~ /\A((?:[^\0]*)\0....)/s or next;
        next if $what eq 'answer' && $question =~ /quiet/;
        my $known = $what =~ /\Aanswer/;
        my $type  = unpack 'n', substr $question, -4;
        my @found = $known && $type == 1 ? $self->{addresses}->@* : ();
        $socket->send(substr($query, 0, 2)
            . pack('nnnnn', $known ? 0x8180 : 0x8183, 1, scalar @found, 0, 0) . $question
            . join('', map { pack('nnnNna4', 0xc00c, 1, 1, 1, 4, inet_aton($_)) } @found), 0, $peer);
    }
    return;
}

sub DESTROY ($self) {
    return if !$self->{pid} || $self->{owner} != $$;
    local $?;
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
