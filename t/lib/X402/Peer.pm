# SPDX-License-Identifier: Apache-2.0
package X402::Peer;

# A scripted HTTP/1.1 server in a process of its own: the fake facilitator and
# the fake backend are made of it.
#
# One event loop serves many connections. What is sent back is a list of
# steps (send, wait, hold until released, close ...), so a test decides byte by
# byte and moment by moment what nginx sees. The test talks to the process
# over a socket pair, one JSON line each way; when the test dies the pair
# closes and the process ends.
#
# A subclass says what to answer: steps($self, $request) in the child.

use v5.36;
use Digest::SHA ();
use IO::Handle;
use JSON::PP ();
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time sleep);
use X402::Port;

use constant { BODY_KEPT => 1 << 16, READ_SIZE => 1 << 18 };

my $json = JSON::PP->new->ascii->canonical;

my @control_ends;    # of all peers of this test: a child must not keep them open

# --- the test's side ---------------------------------------------------------

sub new ($class, %options) {
    # The port stays reserved when the peer vanishes: a call to it is then
    # refused, and does not reach a peer of another test.
    my $port     = X402::Port::reserve();
    my $listener = X402::Port::socket_on($port);
    listen $listener, 4096 or die "listen: $!";
    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
    $_->autoflush(1) for $ours, $theirs;

    my $self = bless {
        %options,
        port    => $port,
        control => $ours,
        owner   => $$,
    }, $class;

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $_ for $ours, @control_ends;
        $self->_serve($listener, $theirs);
        POSIX::_exit(0);
    }

    push @control_ends, $ours;
    $self->{pid} = $pid;
    return $self;
}

sub port ($self)    { return $self->{port} }
sub address ($self) { return "127.0.0.1:$self->{port}" }
sub pid ($self)     { return $self->{pid} }

sub ask ($self, %command) {
    my $control = $self->{control};
    local $SIG{PIPE} = 'IGNORE';
    print {$control} $json->encode(\%command), "\n" or die "a fake peer is gone: $!";
    my $line = <$control> // die "a fake peer is gone";
    return $json->decode($line)->{answer};
}

# Every request in the order of arrival, as hashes: key, method, path, headers
# (lower-case names), body, size, conn, reused, answered, gone.
sub requests ($self, $key = undef) {
    my @all = $self->ask(do => 'log')->@*;
    return grep { !defined $key || $_->{key} eq $key } @all;
}

sub count ($self, $key = undef) {
    my $counts = $self->ask(do => 'counts');
    return defined $key ? $counts->{requests}{$key} // 0 : $counts->{total};
}

# Bytes and connections ever received, complete requests or not.
sub bytes ($self)       { return $self->ask(do => 'counts')->{bytes} }
sub connections ($self) { return $self->ask(do => 'counts')->{connections} }

# Connections that are open at this moment.
sub open_connections ($self) { return $self->ask(do => 'counts')->{open} }

sub forget ($self)                 { return $self->ask(do => 'forget') }
sub release ($self, $key = undef)  { return $self->ask(do => 'release', key => $key) }
sub drop ($self, $key)             { return $self->ask(do => 'drop', key => $key) }
sub close_idle ($self)             { return $self->ask(do => 'close_idle') }

# From now on connections are refused; those that are open stay so.
sub vanish ($self) { return $self->ask(do => 'vanish') }

# True as soon as $number requests for $key have come in.
sub wait_count ($self, $key, $number, $seconds = 60) {
    return _until($seconds, sub { $self->count($key) >= $number });
}

# True as soon as nginx has closed the connection of a request that was not answered.
sub wait_gone ($self, $key, $seconds = 60) {
    return _until($seconds, sub { grep { $_->{gone} } $self->requests($key) });
}

sub _until ($seconds, $condition) {
    my $end = time + $seconds;
    until ($condition->()) {
        return 0 if time > $end;
        sleep 0.005;
    }
    return 1;
}

sub stop ($self) {
    return if !$self->{pid} || $self->{owner} != $$;
    my $control = delete $self->{control};
    @control_ends = grep { $_ != $control } @control_ends;
    close $control;
    kill TERM => $self->{pid};
    waitpid delete $self->{pid}, 0;
    return;
}

# --- the child's side --------------------------------------------------------

sub _serve ($self, $listener, $control) {
    @SIG{qw(TERM INT HUP PIPE)} = ('DEFAULT', 'DEFAULT', 'DEFAULT', 'IGNORE');
    open STDOUT, '>', '/dev/null';
    $_->blocking(0) for $listener, $control;

    $self->{counts} = { requests => {}, total => 0, bytes => 0, connections => 0, sent => 0 };
    $self->{log}    = [];
    $self->{conns}  = {};
    $self->{listener} = $listener;

    my $commands = '';
    while (1) {
        my ($read, $write, $timeout) = ('', '', undef);
        vec($read, fileno $listener, 1) = 1 if !$self->{vanished};
        vec($read, fileno $control,  1) = 1;

        my $now = time;
        for my $conn (values $self->{conns}->%*) {
            vec($read, fileno $conn->{fh}, 1) = 1 if !$conn->{eof};
            vec($write, fileno $conn->{fh}, 1) = 1 if length $conn->{out};
            if (defined $conn->{wake}) {
                my $left = $conn->{wake} > $now ? $conn->{wake} - $now : 0;
                $timeout = $left if !defined $timeout || $left < $timeout;
            }
        }

        my $ready = select $read, $write, undef, $timeout;
        next if $ready < 0;

        if (vec $read, fileno $control, 1) {
            my $n = sysread $control, $commands, READ_SIZE, length $commands;
            return if defined $n && $n == 0;
            while ($commands =~ s/\A([^\n]*)\n//) {
                my $answer = $self->command($json->decode($1));
                $control->blocking(1);
                print {$control} $json->encode({ answer => $answer }), "\n";
                $control->blocking(0);
            }
        }

        $self->_accept($listener) if !$self->{vanished} && vec $read, fileno $listener, 1;

        for my $conn (values $self->{conns}->%*) {
            next if $conn->{closed};
            my $fd = fileno $conn->{fh};
            $self->_read($conn) if vec $read, $fd, 1;
            next if $conn->{closed};
            if (defined $conn->{wake} && $conn->{wake} <= time) {
                delete $conn->{wake};
                $self->_run($conn);
            }
            elsif (vec $write, $fd, 1) {
                $self->_run($conn);
            }
        }
    }
}

sub command ($self, $command) {
    my $do = $command->{do};
    if ($do eq 'log')    { return $self->{log} }
    if ($do eq 'counts') { return { $self->{counts}->%*, open => scalar keys $self->{conns}->%* } }
    if ($do eq 'vanish') { close $self->{listener}; return $self->{vanished} = 1 }
    if ($do eq 'forget') {
        $self->{log}    = [];
        $self->{counts} = { requests => {}, total => 0, bytes => 0, connections => 0, sent => 0 };
        return 1;
    }
    if ($do eq 'release') {
        my $released = 0;
        for my $conn (values $self->{conns}->%*) {
            next if !defined $conn->{held};
            next if defined $command->{key} && $conn->{held} ne $command->{key};
            delete $conn->{held};
            $released++;
            $self->_run($conn);
        }
        return $released;
    }
    if ($do eq 'drop') {
        my @held = grep { ($_->{held} // '') eq $command->{key} } values $self->{conns}->%*;
        $self->_close($_) for @held;
        return scalar @held;
    }
    if ($do eq 'close_idle') {
        my @idle = grep { !$_->{record} && !length $_->{in} } values $self->{conns}->%*;
        $self->_close($_) for @idle;
        return scalar @idle;
    }
    die "unknown command $do";
}

sub _accept ($self, $listener) {
    while (accept my $fh, $listener) {
        $fh->blocking(0);
        setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1;
        $self->{counts}{connections}++;
        my $id = ++$self->{last_id};
        $self->{conns}{$id} = { fh => $fh, id => $id, in => '', out => '', steps => [], served => 0 };
    }
    return;
}

sub _read ($self, $conn) {
    my $n = sysread $conn->{fh}, $conn->{in}, READ_SIZE, length $conn->{in};
    return if !defined $n && $!{EAGAIN};
    if (!$n) {
        $conn->{record}{gone} = 1 if $conn->{record} && !$conn->{record}{answered};
        return $self->_close($conn);
    }
    $self->{counts}{bytes} += $n;
    return $self->_parse($conn);
}

# Reads heads and bodies off the input buffer; a body beyond BODY_KEPT is only
# counted and digested.
sub _parse ($self, $conn) {
    while (!$conn->{closed}) {
        my $record = $conn->{record};
        if (!$record) {
            return if $conn->{in} !~ s/\A(.*?\r\n)\r\n//s;
            $record = $conn->{record} = $self->_head($conn, $1);
            next;
        }
        last if $record->{complete};

        if ($record->{chunked}) {
            my $left = $record->{chunk_left};
            if (!defined $left) {
                return if $conn->{in} !~ s/\A([0-9a-fA-F]+)[^\n]*\r\n//;
                $record->{chunk_left} = hex $1;
                $record->{last_chunk} = 1 if hex($1) == 0;
            }
            elsif ($record->{last_chunk}) {
                return if $conn->{in} !~ s/\A\r\n//;
                $self->_complete($conn);
            }
            elsif ($left) {
                return if !length $conn->{in};
                $record->{chunk_left} -= $self->_body($conn, $left);
            }
            else {
                return if $conn->{in} !~ s/\A\r\n//;
                delete $record->{chunk_left};
            }
        }
        elsif ($record->{left}) {
            return if !length $conn->{in};
            $record->{left} -= $self->_body($conn, $record->{left});
        }
        else {
            $self->_complete($conn);
        }
    }
    return;
}

sub _head ($self, $conn, $text) {
    my ($line, @lines) = split /\r\n/, $text;
    my ($method, $target) = split / /, $line;
    my %headers;
    for (@lines) {
        my ($name, $value) = /\A([^:]*):[ \t]*(.*?)[ \t]*\z/s or next;
        $name = lc $name;
        $headers{$name} = exists $headers{$name} ? "$headers{$name}, $value" : $value;
    }
    my $record = {
        n       => scalar $self->{log}->@*,
        at      => time,
        method  => $method,
        path    => $target,
        headers => \%headers,
        head    => "$line\r\n" . join('', map {"$_\r\n"} @lines),
        body    => '',
        size    => 0,
        conn    => $conn->{id},
        reused  => $conn->{served} ? 1 : 0,
    };
    if (lc($headers{'transfer-encoding'} // '') eq 'chunked') { $record->{chunked} = 1 }
    else { $record->{left} = $headers{'content-length'} // 0 }

    $record->{key} = $self->key($record);
    $conn->{digest} = Digest::SHA->new(256);
    $conn->{out} .= "HTTP/1.1 100 Continue\r\n\r\n"
        if lc($headers{expect} // '') eq '100-continue';
    return $record;
}

# The word by which tests count, script and release a request.
sub key ($self, $record) { return $record->{path} =~ s/\?.*//sr }

sub _body ($self, $conn, $limit) {
    my $piece  = substr $conn->{in}, 0, $limit, '';
    my $record = $conn->{record};
    $record->{size} += length $piece;
    $record->{body} .= $piece if length($record->{body}) < BODY_KEPT;
    $conn->{digest}->add($piece);
    return length $piece;
}

sub _complete ($self, $conn) {
    my $record = $conn->{record};
    $record->{complete} = 1;
    $record->{sha256}   = $conn->{digest}->hexdigest;
    delete $record->@{qw(left chunked chunk_left last_chunk)};
    push $self->{log}->@*, $record;
    $self->{counts}{requests}{ $record->{key} }++;
    $self->{counts}{total}++;
    $conn->{steps} = [ $self->steps($record) ];
    return $self->_run($conn);
}

# Steps: [send => bytes] [wait => seconds] [hold => key] [fill => bytes, total]
# [every => seconds, bytes, times] [trickle => bytes] [done] [close] [reset]
sub _run ($self, $conn) {
    while (!$conn->{closed}) {
        if (length $conn->{out}) {
            my $n = syswrite $conn->{fh}, $conn->{out};
            if (!defined $n) {
                return if $!{EAGAIN};
                $conn->{record}{gone} = 1 if $conn->{record};
                return $self->_close($conn);
            }
            $self->{counts}{sent} += $n;
            substr $conn->{out}, 0, $n, '';
            return if length $conn->{out};
        }
        return if defined $conn->{held} || defined $conn->{wake};

        my $step = $conn->{steps}[0];
        if (!$step) {
            my $record = delete $conn->{record} or return;
            $record->{answered} = 1;
            $conn->{served}++;
            return $self->_parse($conn);
        }
        my ($do, @with) = $step->@*;
        if ($do eq 'send') {
            $conn->{out} .= $with[0];
            shift $conn->{steps}->@*;
        }
        elsif ($do eq 'wait') {
            $conn->{wake} = time + $with[0];
            shift $conn->{steps}->@*;
            return;
        }
        elsif ($do eq 'hold') {
            $conn->{held} = $with[0];
            shift $conn->{steps}->@*;
            return;
        }
        elsif ($do eq 'fill') {
            my ($bytes, $left) = @with;
            my $block = $left < length $bytes ? substr $bytes, 0, $left : $bytes;
            $conn->{out} .= $block;
            $step->[2] -= length $block;
            shift $conn->{steps}->@* if $step->[2] <= 0;
        }
        elsif ($do eq 'every') {
            my ($seconds, $bytes, $times) = @with;
            $conn->{out} .= $bytes;
            if ($times > 0 && !--$step->[3]) { shift $conn->{steps}->@* }
            elsif ($seconds) { $conn->{wake} = time + $seconds; _flush($self, $conn); return }
        }
        elsif ($do eq 'trickle') {
            my $bytes = $with[0];
            shift $conn->{steps}->@*;
            unshift $conn->{steps}->@*,
                map { ([ send => $_ ], [ wait => 0.0003 ]) } split //, $bytes;
        }
        elsif ($do eq 'done') {
            $conn->{record}{answered} = 1;
            shift $conn->{steps}->@*;
        }
        elsif ($do eq 'close') { return $self->_close($conn) }
        elsif ($do eq 'reset') {
            setsockopt $conn->{fh}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
            return $self->_close($conn);
        }
        else { die "unknown step $do" }
    }
    return;
}

# One attempt to send before a pause; what does not fit goes when the socket is ready.
sub _flush ($self, $conn) {
    my $n = syswrite $conn->{fh}, $conn->{out};
    if (!defined $n) {
        return if $!{EAGAIN};
        $conn->{record}{gone} = 1 if $conn->{record};
        return $self->_close($conn);
    }
    $self->{counts}{sent} += $n;
    substr $conn->{out}, 0, $n, '';
    return;
}

sub _close ($self, $conn) {
    $conn->{closed} = 1;
    delete $self->{conns}{ $conn->{id} };
    close $conn->{fh};
    return;
}

1;
