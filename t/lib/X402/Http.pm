# SPDX-License-Identifier: Apache-2.0
package X402::Http;

# A raw HTTP/1.1 client: one connection, bytes as the test writes them, and a
# record of every byte that came back, also after the answer.
#
#     my $c = X402::Http->new($port);
#     my $a = $c->request(GET => '/paid', headers => [...], body => ...);
#     $c->send("GET / HTTP/1.1\r\n\r\n"); my $b = $c->answer;
#     unlike $c->rest, qr/SECRET/, '...';

use v5.36;
use IO::Handle;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);
use X402::Answer;
use X402::Port;

use constant READ_SIZE => 1 << 18;

sub new ($class, $port, %options) {
    socket(my $fh, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
    setsockopt $fh, SOL_SOCKET, SO_RCVBUF, $options{receive_buffer} if $options{receive_buffer};
    X402::Port::come_from($fh, $options{from}) if $options{from};
    connect($fh, sockaddr_in($port, $options{to} ? inet_aton($options{to}) : INADDR_LOOPBACK)) or die "connect to port $port: $!";
    setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1;
    $fh->blocking(0);
    return bless {
        fh      => $fh,
        timeout => $options{timeout} // 60,
        in      => '',
        raw     => '',
        eof     => 0,
        asked   => [],
    }, $class;
}

sub raw ($self) { return $self->{raw} }
sub eof ($self) { return $self->{eof} }

sub send ($self, $bytes) {
    local $SIG{PIPE} = 'IGNORE';
    my $end = time + $self->{timeout};
    while (length $bytes) {
        my $n = syswrite $self->{fh}, $bytes;
        if (defined $n) { substr $bytes, 0, $n, ''; next }
        return 0 if !$!{EAGAIN} || time > $end;
        # The peer may answer, and then not read on, before everything is sent.
        my ($read, $write) = ('', '');
        vec($read,  fileno $self->{fh}, 1) = 1;
        vec($write, fileno $self->{fh}, 1) = 1;
        select $read, $write, undef, 1;
        $self->_fill(0) if vec $read, fileno $self->{fh}, 1;
        return 0 if $self->{eof};
    }
    return 1;
}

# As clients do, says that a body is JSON, unless the headers name another type,
# or the request has type => undef.
sub typed (%options) {
    my @headers = ($options{headers} // [])->@*;
    return @headers if exists $options{type} || !length($options{body} // '') || grep { lc eq 'content-type' } @headers;
    return (@headers, 'Content-Type' => 'application/json');
}

# The bytes of a request.
sub head ($class, $method, $path, %options) {
    my @headers = (Host => $options{host} // 'localhost', typed(%options));
    push @headers, 'Content-Length' => length $options{body} if defined $options{body};
    push @headers, Connection => 'close' if $options{close};
    my $text = "$method $path HTTP/1.1\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) { $text .= "$name: $value\r\n" }
    return "$text\r\n";
}

sub write_request ($self, $method, $path, %options) {
    push $self->{asked}->@*, $method;
    $self->{started} = time;
    return $self->send($self->head($method, $path, %options) . ($options{body} // ''));
}

sub request ($self, $method, $path, %options) {
    $self->write_request($method, $path, %options);
    return $self->answer;
}

# Expects the next answer on the connection; status 0 when none came. With
# until => pattern it comes back as soon as the body so far matches.
sub answer ($self, %options) {
    my $method = $options{method} // shift($self->{asked}->@*) // 'GET';
    my $from   = length($self->{raw}) - length $self->{in};
    my $end    = time + ($options{timeout} // $self->{timeout});
    my ($head, @interim);

    while (1) {
        if ($self->{in} =~ s/\A(HTTP\/1\.[01] (\d\d\d)[^\r\n]*\r\n.*?)\r\n\r\n//s
            || $self->{in} =~ s/\A(HTTP\/1\.[01] (\d\d\d)[^\r\n]*)\r\n\r\n//)
        {
            my ($text, $status) = ($1, $2);
            if ($status >= 200 || $status == 101) { $head = $text; last }
            push @interim, $status;
            next;
        }
        $self->_fill($end - time) or return X402::Answer->new(
            raw => substr($self->{raw}, $from), complete => 0, interim => \@interim,
            seconds => time - ($self->{started} // time));
    }

    my ($line, @lines) = split /\r\n/, $head;
    my $answer = X402::Answer->new(status => +(split / /, $line)[1], interim => \@interim);
    push $answer->{headers}->@*, map { /\A([^:]*):\s*(.*?)\s*\z/s ? ($1, $2) : () } @lines;

    $self->_body($answer, $method, $end, $options{until});
    $answer->{seconds} = time - ($self->{started} // time);
    $answer->{raw} = substr $self->{raw}, $from, length($self->{raw}) - length($self->{in}) - $from;
    return $answer;
}

sub _body ($self, $answer, $method, $end, $until) {
    my $status = $answer->status;
    $answer->{complete} = 1;
    return if $method eq 'HEAD' || $status == 204 || $status == 304 || $status == 101;

    if (lc($answer->header('Transfer-Encoding') // '') eq 'chunked') {
        while (1) {
            if ($self->{in} =~ /\A([0-9a-fA-F]+)\r\n/) {
                my ($size, $skip) = (hex $1, length $&);
                if (length $self->{in} >= $skip + $size + 2) {
                    my $chunk = substr $self->{in}, 0, $skip + $size + 2, '';
                    return if $size == 0;
                    $answer->{body} .= substr $chunk, $skip, $size;
                    return if $until && $answer->{body} =~ $until;
                    next;
                }
            }
            $self->_fill($end - time) or return $answer->{complete} = 0;
        }
    }

    my $length = $answer->header('Content-Length');
    while (!defined $length || length $self->{in} < $length) {
        last if $until && $self->{in} =~ $until;
        next if $self->_fill($end - time);
        $answer->{complete} = defined $length ? 0 : $self->{eof};
        $length = length $self->{in};
        last;
    }
    $answer->{body} = substr $self->{in}, 0, $length // length $self->{in}, '';
    return;
}

# Everything that still comes until the connection closes, or stays silent.
sub rest ($self, $seconds = 0.3) {
    1 while $self->_fill($seconds);
    my $rest = $self->{in};
    $self->{in} = '';
    return $rest;
}

sub wait_eof ($self, $seconds = 60) {
    my $end = time + $seconds;
    1 while $self->_fill($end - time);
    return $self->{eof};
}

sub _fill ($self, $seconds) {
    return 0 if $self->{eof} || $seconds < 0;
    my $read = '';
    vec($read, fileno $self->{fh}, 1) = 1;
    return 0 if select($read, undef, undef, $seconds) <= 0;
    my $n = sysread $self->{fh}, my $bytes, READ_SIZE;
    if (!$n) {
        return 1 if !defined $n && $!{EAGAIN};
        $self->{eof} = 1;
        return 0;
    }
    $self->{in}  .= $bytes;
    $self->{raw} .= $bytes;
    return 1;
}

sub shut ($self) { shutdown $self->{fh}, 1; return }

sub hang_up ($self) { CORE::close $self->{fh}; return }

sub abort ($self) {
    setsockopt $self->{fh}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    CORE::close $self->{fh};
    return;
}

1;
