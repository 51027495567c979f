# SPDX-License-Identifier: Apache-2.0
package X402::H2;

# A small HTTP/2 client over cleartext with prior knowledge: one connection,
# many streams, flow control in both directions.
#
#     my $c  = X402::H2->new($port);
#     my $id = $c->write_request(GET => '/paid', headers => [...]);
#     my $a  = $c->answer($id);
#     $c->reset($id);
#
# With window => n the client opens a window of n bytes per stream and gives
# back what it has read; with frozen => 1 it gives nothing back.

use v5.36;
use IO::Handle;
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);
use X402::Answer;
use X402::Hpack;
use X402::Http;
use X402::Port;

use constant {
    DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6, GOAWAY => 7,
    WINDOW_UPDATE => 8, CONTINUATION => 9,
    END_STREAM => 1, ACK => 1, END_HEADERS => 4, PADDED => 8, PRIORITY => 32,
    WIDE => 2**31 - 1, READ_SIZE => 1 << 18, CANCEL => 8,
};

sub new ($class, $port, %options) {
    socket(my $fh, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
    X402::Port::come_from($fh, $options{from}) if $options{from};
    connect($fh, sockaddr_in($port, INADDR_LOOPBACK)) or die "connect to port $port: $!";
    setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1;
    $fh->blocking(0);

    my $self = bless {
        fh      => $fh,
        timeout => $options{timeout} // 60,
        frozen  => $options{frozen},
        window  => $options{window} // WIDE,
        in      => '', out => '', raw => '', data => '', eof => 0,
        next    => 1,
        streams => {},
        hpack   => X402::Hpack->new,
        peer    => { window => 65535, frame => 16384, connection => 65535 },
    }, $class;

    $self->{out} = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    $self->_frame(SETTINGS, 0, 0, pack 'nNnN', 2, 0, 4, $self->{window});
    $self->_frame(WINDOW_UPDATE, 0, 0, pack 'N', WIDE - 65535) if !$options{window};
    return $self;
}

# Every byte received on the connection, and the payload of every DATA frame.
sub raw ($self)  { return $self->{raw} }
sub data ($self) { return $self->{data} }
sub eof ($self)  { return $self->{eof} }

# The code of the GOAWAY frame, if one came.
sub goaway ($self) { return $self->{goaway} }

sub write_request ($self, $method, $path, %options) {
    my $id = $self->{next};
    $self->{next} += 2;
    my @headers = X402::Http::typed(%options);
    push @headers, 'content-length' => length $options{body} if defined $options{body};
    my $block = X402::Hpack::encode(
        ':method' => $method, ':scheme' => $options{scheme} // 'http', ':path' => $path,
        ':authority' => $options{host} // 'localhost', @headers);

    my $body = $options{body} // '';
    $self->{streams}{$id} = {
        answer => X402::Answer->new(interim => []),
        block  => '', send => $body, window => $self->{peer}{window}, started => time,
    };
    my $flags = length $body || $options{open} ? 0 : END_STREAM;
    my ($type, $first) = (HEADERS, 1);
    do {
        my $part = substr $block, 0, 16384, '';
        $self->_frame($type, ($first ? $flags : 0) | (length $block ? 0 : END_HEADERS), $id, $part);
        ($type, $first) = (CONTINUATION, 0);
    } while (length $block);
    $self->{streams}{$id}{sending} = length $body ? 1 : 0;
    $self->_push_bodies;
    $self->_flush;
    return $id;
}

sub request ($self, $method, $path, %options) {
    return $self->answer($self->write_request($method, $path, %options));
}

# Waits for the end of a stream; with until => pattern, for a body that matches.
sub answer ($self, $id, %options) {
    my $stream = $self->{streams}{$id};
    my $end    = time + ($options{timeout} // $self->{timeout});
    until ($stream->{ended} || defined $stream->{reset}) {
        last if $options{until} && $stream->{answer}{body} =~ $options{until};
        $self->_fill($end - time) or last;
    }
    my $answer = $stream->{answer};
    $answer->{complete} = $stream->{ended} ? 1 : 0;    # a reset after the end only says: no more body, please
    $answer->{reset}    = $stream->{reset};
    $answer->{seconds}  = time - $stream->{started};
    $answer->{raw}      = $self->{raw};
    return $answer;
}

sub reset ($self, $id, $code = CANCEL) {
    $self->_frame(RST_STREAM, 0, $id, pack 'N', $code);
    return $self->_flush;
}

# A round trip: whatever nginx wrote before it has been read afterwards.
sub ping ($self) {
    $self->{pong} = 0;
    $self->_frame(PING, 0, 0, 'pingpong');
    my $end = time + 60;
    1 while !$self->{pong} && $self->_fill($end - time);
    return $self->{pong};
}

# Reads on until nothing came for so long; returns what came meanwhile.
sub rest ($self, $seconds = 0.3) {
    my $from = length $self->{raw};
    1 while $self->_fill($seconds);
    return substr $self->{raw}, $from;
}

sub wait_eof ($self, $seconds = 60) {
    my $end = time + $seconds;
    1 while $self->_fill($end - time);
    return $self->{eof};
}

sub hang_up ($self) { CORE::close $self->{fh}; return }

sub abort ($self) {
    setsockopt $self->{fh}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    CORE::close $self->{fh};
    return;
}

sub _frame ($self, $type, $flags, $id, $payload) {
    $self->{out} .= pack('nCCCN', length($payload) >> 8, length($payload) & 255,
        $type, $flags, $id) . $payload;
    return;
}

# As much of the request bodies as the windows of the server allow.
sub _push_bodies ($self) {
    my $peer = $self->{peer};
    for my $id (sort { $a <=> $b } keys $self->{streams}->%*) {
        my $stream = $self->{streams}{$id};
        next if !$stream->{sending} || $stream->{ended} || defined $stream->{reset};
        while (length $stream->{send} && length $self->{out} < 1 << 20) {
            my ($size) = sort { $a <=> $b } length $stream->{send}, $stream->{window},
                $peer->{connection}, $peer->{frame};
            last if $size <= 0;
            my $part = substr $stream->{send}, 0, $size, '';
            $stream->{window}   -= $size;
            $peer->{connection} -= $size;
            my $last = !length $stream->{send};
            $self->_frame(DATA, $last ? END_STREAM : 0, $id, $part);
            $stream->{sending} = 0 if $last;
        }
    }
    return;
}

sub _flush ($self) {
    local $SIG{PIPE} = 'IGNORE';
    while (length $self->{out}) {
        my $n = syswrite $self->{fh}, $self->{out};
        return if !defined $n;
        substr $self->{out}, 0, $n, '';
        $self->_push_bodies;
    }
    return;
}

# One turn of the loop: sends what waits, reads what is there.
sub _fill ($self, $seconds) {
    return 0 if $self->{eof} || $seconds < 0;
    $self->_flush;
    my ($read, $write) = ('', '');
    vec($read,  fileno $self->{fh}, 1) = 1;
    vec($write, fileno $self->{fh}, 1) = 1 if length $self->{out};
    return 0 if select($read, $write, undef, $seconds) <= 0;
    if (vec $read, fileno $self->{fh}, 1) {
        my $n = sysread $self->{fh}, my $bytes, READ_SIZE;
        if (!$n) {
            return 1 if !defined $n && $!{EAGAIN};
            $self->{eof} = 1;
            return 0;
        }
        $self->{in}  .= $bytes;
        $self->{raw} .= $bytes;
        $self->_frames;
    }
    $self->_flush;
    return 1;
}

sub _frames ($self) {
    my $at = 0;
    while (length($self->{in}) - $at >= 9) {
        my ($high, $low, $type, $flags, $id) = unpack 'nCCCN', substr $self->{in}, $at, 9;
        my $length = $high << 8 | $low;
        last if length($self->{in}) - $at < 9 + $length;
        my $payload = substr $self->{in}, $at + 9, $length;
        $at += 9 + $length;
        $self->_take($type, $flags, $id & WIDE, $payload);
    }
    substr $self->{in}, 0, $at, '';
    return;
}

sub _take ($self, $type, $flags, $id, $payload) {
    my $stream = $self->{streams}{$id};
    if ($type == DATA) {
        my $size = length $payload;
        $payload = substr $payload, 1, -1 - ord $payload if $flags & PADDED;
        $self->{data} .= $payload;
        $stream->{answer}{body} .= $payload;
        $stream->{ended} = 1 if $flags & END_STREAM;
        if ($size && !$self->{frozen} && $self->{window} != WIDE) {
            $self->_frame(WINDOW_UPDATE, 0, $_, pack 'N', $size) for 0, $id;
        }
    }
    elsif ($type == HEADERS || $type == CONTINUATION) {
        if ($type == HEADERS) {
            $payload = substr $payload, 1, -1 - ord $payload if $flags & PADDED;
            $payload = substr $payload, 5 if $flags & PRIORITY;
            $stream->{last} = $flags & END_STREAM;
        }
        $stream->{block} .= $payload;
        return if !($flags & END_HEADERS);
        $self->_fields($stream);
        $stream->{ended} = 1 if $stream->{last};
    }
    elsif ($type == RST_STREAM) { $stream->{reset} = unpack 'N', $payload if $stream }
    elsif ($type == GOAWAY)     { $self->{goaway} = unpack 'x4N', $payload }
    elsif ($type == PING) {
        if   ($flags & ACK) { $self->{pong} = 1 }
        else                { $self->_frame(PING, ACK, 0, $payload) }
    }
    elsif ($type == SETTINGS) { $self->_settings($payload) if !($flags & ACK) }
    elsif ($type == WINDOW_UPDATE) {
        my $more = unpack 'N', $payload;
        if   ($id) { $stream->{window} += $more if $stream }
        else       { $self->{peer}{connection} += $more }
        $self->_push_bodies;
    }
    return;
}

sub _fields ($self, $stream) {
    my @fields = $self->{hpack}->decode($stream->{block});
    $stream->{block} = '';
    if (($fields[0] // '') eq ':status') {
        my (undef, $status) = splice @fields, 0, 2;
        return push $stream->{answer}{interim}->@*, $status if $status < 200;
        $stream->{answer}{status}  = $status;
        $stream->{answer}{headers} = \@fields;
    }
    else { $stream->{answer}{trailers} = \@fields }
    return;
}

sub _settings ($self, $payload) {
    while ($payload =~ s/\A(.{6})//s) {
        my ($name, $value) = unpack 'nN', $1;
        $self->{peer}{frame} = $value if $name == 5;
        next if $name != 4;
        my $change = $value - $self->{peer}{window};
        $self->{peer}{window} = $value;
        $_->{window} += $change for values $self->{streams}->%*;
    }
    $self->_frame(SETTINGS, ACK, 0, '');
    $self->_push_bodies;
    return;
}

1;
