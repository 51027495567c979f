# SPDX-License-Identifier: Apache-2.0
package X402::Answer;

# One answer as a client saw it, the same for HTTP/1.1 and HTTP/2.

use v5.36;
use Compress::Zlib ();

sub new ($class, %fields) {
    return bless { status => 0, headers => [], body => '', raw => '', %fields }, $class;
}

sub status ($self) { return $self->{status} }
sub body ($self)   { return $self->{body} }

# Every byte that came over the wire for it, and for HTTP/1.1 what followed.
sub raw ($self) { return $self->{raw} }

# False when the connection or stream ended before the body did.
sub complete ($self) { return $self->{complete} }
sub seconds ($self)  { return $self->{seconds} }

# All lines of a header; the first one in scalar context.
sub header ($self, $name) {
    my @values;
    for (my $i = 0; $i < $self->{headers}->@*; $i += 2) {
        push @values, $self->{headers}[ $i + 1 ] if lc $self->{headers}[$i] eq lc $name;
    }
    return wantarray ? @values : $values[0];
}

sub header_count ($self, $name) { return scalar(my @all = $self->header($name)) }

sub inflated ($self) {
    return $self->{body} if ($self->header('Content-Encoding') // '') ne 'gzip';
    return Compress::Zlib::memGunzip($self->{body});
}

# A short form for failure messages.
sub summary ($self) {
    my $text = "status $self->{status}";
    for (my $i = 0; $i < $self->{headers}->@*; $i += 2) {
        $text .= "\n$self->{headers}[$i]: " . substr $self->{headers}[ $i + 1 ], 0, 100;
    }
    return $text . "\nbody of " . length($self->{body}) . ' bytes: ' . substr $self->{body}, 0, 200;
}

1;
