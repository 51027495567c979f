# SPDX-License-Identifier: Apache-2.0
package X402::Hpack;

# Header compression of HTTP/2 (RFC 7541): a complete decoder, and an encoder
# that writes every field as a literal without indexing or Huffman coding.

use v5.36;

my @static = (
    undef,
    [':authority', ''], [':method', 'GET'], [':method', 'POST'], [':path', '/'],
    [':path', '/index.html'], [':scheme', 'http'], [':scheme', 'https'],
    map({ [':status', $_] } 200, 204, 206, 304, 400, 404, 500),
    ['accept-charset', ''], ['accept-encoding', 'gzip, deflate'],
    map({ [$_, ''] } qw(accept-language accept-ranges accept
        access-control-allow-origin age allow authorization cache-control
        content-disposition content-encoding content-language content-length
        content-location content-range content-type cookie date etag expect
        expires from host if-match if-modified-since if-none-match if-range
        if-unmodified-since last-modified link location max-forwards
        proxy-authenticate proxy-authorization range referer refresh
        retry-after server set-cookie strict-transport-security
        transfer-encoding user-agent vary via www-authenticate)),
);

# The Huffman code is canonical: the lengths of the codes of the 256 bytes and
# of the end mark say everything.
my @lengths = (
    13, 23, (28) x 7, 24, 30, 28, 28, 30, (28) x 8, 30, (28) x 9,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, (6) x 7, 7, 8, 15, 6, 12, 10,
    13, 6, (7) x 22, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
);

my %symbol_of = do {
    my ($code, $length, %symbols) = (0, 0);
    for my $symbol (sort { $lengths[$a] <=> $lengths[$b] || $a <=> $b } 0 .. 256) {
        $code <<= $lengths[$symbol] - $length;
        $length = $lengths[$symbol];
        $symbols{ sprintf '%0*b', $length, $code } = $symbol;
        $code++;
    }
    $code == 1 << $length or die 'the Huffman code is not complete';
    %symbols;
};

sub new ($class) { return bless { table => [], size => 0, limit => 4096 }, $class }

sub encode (@fields) {
    my $block = '';
    while (my ($name, $value) = splice @fields, 0, 2) {
        $block .= "\0" . join '', map { integer(7, 0, length) . $_ } lc $name, $value;
    }
    return $block;
}

sub integer ($bits, $first, $number) {
    my $max = (1 << $bits) - 1;
    return chr($first | $number) if $number < $max;
    my $bytes = chr($first | $max);
    for ($number -= $max; $number >= 128; $number >>= 7) { $bytes .= chr(128 | $number & 127) }
    return $bytes . chr $number;
}

sub decode ($self, $block) {
    my ($at, @fields) = (0);
    while ($at < length $block) {
        my $byte = ord substr $block, $at, 1;
        if ($byte & 0x80) {
            push @fields, $self->entry(_integer(\$block, \$at, 7))->@*;
        }
        elsif (($byte & 0xe0) == 0x20) {
            $self->{limit} = _integer(\$block, \$at, 5);
            $self->_evict;
        }
        else {
            my $index = _integer(\$block, \$at, $byte & 0x40 ? 6 : 4);
            my $name  = $index ? $self->entry($index)->[0] : _string(\$block, \$at);
            my $value = _string(\$block, \$at);
            push @fields, $name, $value;
            $self->_add($name, $value) if $byte & 0x40;
        }
    }
    return @fields;
}

sub entry ($self, $index) {
    my $entry = $index < @static ? $static[$index] : $self->{table}[ $index - @static ];
    return $entry // die "no header with index $index";
}

sub _add ($self, $name, $value) {
    unshift $self->{table}->@*, [$name, $value];
    $self->{size} += 32 + length($name) + length $value;
    return $self->_evict;
}

sub _evict ($self) {
    while ($self->{size} > $self->{limit}) {
        my $entry = pop $self->{table}->@*;
        $self->{size} -= 32 + length($entry->[0]) + length $entry->[1];
    }
    return;
}

sub _integer ($block, $at, $bits) {
    my $max    = (1 << $bits) - 1;
    my $number = $max & ord substr $$block, $$at++, 1;
    return $number if $number < $max;
    for (my $shift = 0;; $shift += 7) {
        my $byte = ord substr $$block, $$at++, 1;
        $number += ($byte & 127) << $shift;
        return $number if $byte < 128;
    }
}

sub _string ($block, $at) {
    my $huffman = 0x80 & ord substr $$block, $$at, 1;
    my $length  = _integer($block, $at, 7);
    my $bytes   = substr $$block, $$at, $length;
    $$at += $length;
    return $huffman ? _expand($bytes) : $bytes;
}

sub _expand ($bytes) {
    my ($text, $code) = ('', '');
    for my $bit (split //, unpack 'B*', $bytes) {
        $code .= $bit;
        my $symbol = $symbol_of{$code} // next;
        die 'end mark inside a Huffman string' if $symbol == 256;
        $text .= chr $symbol;
        $code = '';
    }
    $code =~ /\A1{0,7}\z/ or die 'bad Huffman padding';
    return $text;
}

1;
