# SPDX-License-Identifier: Apache-2.0
package X402::Guard;

# Ends an nginx whose test was killed before it could do so itself.
#
# A small process holds the other end of a pipe. When the pipe closes without
# a word, the test is gone, and the process ends the master it was given.

use v5.36;
use POSIX ();

sub new ($class, $master) {
    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        # Standard streams and all else belong to the test: a pipe to prove must close with it.
        POSIX::close($_) for grep { $_ != fileno $read } 0 .. 255;
        $SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE);
        my $word = '';
        sysread $read, $word, 1;
        if ($word eq '') {
            kill TERM => $master;
            select undef, undef, undef, 2;
            kill KILL => $master;
        }
        POSIX::_exit(0);
    }
    close $read;
    return bless { pid => $pid, write => $write, owner => $$ }, $class;
}

sub disarm ($self) {
    return if $self->{owner} != $$ || !$self->{pid};
    syswrite $self->{write}, 'x';
    close $self->{write};
    waitpid delete $self->{pid}, 0;
    return;
}

1;
