# SPDX-License-Identifier: Apache-2.0
package X402::Backend;

# A scripted upstream: it counts what reaches it and answers per path.
#
#     my $b = X402::Backend->new;
#     $b->on('/report', body => 'SECRET', headers => [ ETag => '"1"' ]);
#     $b->on('*', status => 404, body => 'no');      every other path
#     is $b->hits('/report'), 1, '...';
#
# What is sent:
#     status => 200, headers => [ name, value, ... ], body => text
#     size => n            the body text repeated until it has n bytes
#     chunked => 1         in chunks of 1000 bytes (of 64k when size is given)
#     eof => 1             no length, ends with the connection
#     sse => n             n events "data: BODY n" (0: endless), one each `every` seconds
#     endless => 1         chunks of the body text, as fast as they are taken
#     refuses => 'text'    status 400 for a request whose body has it
#
# When, and how it breaks:
#     delay => seconds     hold => 1           before the head, until $b->release('/report')
#     hold_after => n      head and n bytes of the body, then held
#     die => 'head'        closes before the head (read the request first)
#     die_after => n       head and n bytes of the body, then closes
#     reset_after => n     the same by RST

use v5.36;
use parent 'X402::Peer';

# --- the test's side ---------------------------------------------------------

sub on ($self, $path, %spec) {
    $self->ask(do => 'script', path => $path, spec => \%spec);
    return $self;
}

sub hits ($self, $path = undef) { return $self->count($path) }

# True when nothing at all ever came: not a connection, not a byte.
sub untouched ($self) {
    my $counts = $self->ask(do => 'counts');
    return $counts->{bytes} == 0 && $counts->{connections} == 0;
}

# --- the child's side --------------------------------------------------------

sub command ($self, $command) {
    return $self->SUPER::command($command) if $command->{do} ne 'script';
    $self->{script}{ $command->{path} } = $command->{spec};
    return 1;
}

sub steps ($self, $record) {
    my $path = $record->{key};
    my $spec = $self->{script}{$path} // $self->{script}{'*'} // { body => "answer to $path\n" };

    $spec = { status => 400 } if defined $spec->{refuses} && index($record->{body}, $spec->{refuses}) >= 0;
    my @steps;
    push @steps, [ wait => $spec->{delay} ] if $spec->{delay};
    push @steps, [ hold => $path ] if $spec->{hold};
    return @steps, ['close'] if ($spec->{die} // '') eq 'head';

    my ($head, $length) = $self->head($spec, $record);
    push @steps, [ send => $head ];
    return @steps if $record->{method} eq 'HEAD' || !$length && !$self->streams($spec);

    my $text = $spec->{body} // '';
    if (defined(my $n = $spec->{hold_after})) {
        my @parts = (substr(whole($spec), 0, $n), substr whole($spec), $n);
        @parts = (chunk($parts[0]), chunk($parts[1]) . "0\r\n\r\n") if $spec->{chunked};
        return @steps, [ send => $parts[0] ], [ hold => $path ], [ send => $parts[1] ];
    }
    if (defined(my $n = $spec->{die_after} // $spec->{reset_after})) {
        return @steps, [ send => body_part($spec, $n) ],
            [ defined $spec->{die_after} ? 'close' : 'reset' ];
    }
    if (defined $spec->{sse}) {
        my $n = 0;
        if ($spec->{sse} == 0) {
            push @steps, [ every => $spec->{every} // 0.01, chunk("data: $text\n\n"), 0 ];
        }
        else {
            push @steps, map { ([ send => chunk("data: $text $_\n\n") ], [ wait => $spec->{every} // 0.01 ]) }
                1 .. $spec->{sse};
            push @steps, [ send => "0\r\n\r\n" ];
        }
        return @steps;
    }
    if ($spec->{endless}) {
        return @steps, [ every => 0, chunk($text x (1 + 16000 / length $text)), 0 ];
    }
    if ($spec->{chunked}) {
        return @steps, [ send => join '', map({ chunk($_) } pieces($spec)), "0\r\n\r\n" ];
    }
    if ($spec->{size}) {
        # Whole repetitions, so that block borders do not disturb the pattern.
        my $block = $text x (1 + 65536 / length $text);
        push @steps, [ fill => $block, $spec->{size} ];
    }
    else { push @steps, [ send => $text ] }
    push @steps, ['close'] if $spec->{eof};
    return @steps;
}

sub streams ($self, $spec) {
    return defined $spec->{sse} || $spec->{endless} || $spec->{chunked} || $spec->{eof};
}

sub head ($self, $spec, $record) {
    my $status  = $spec->{status} // 200;
    my @headers = ($spec->{headers} // [])->@*;
    my $length  = $spec->{size} // length($spec->{body} // '');

    push @headers, 'Content-Type' => defined $spec->{sse} ? 'text/event-stream' : 'text/plain'
        if !grep { lc eq 'content-type' } @headers;
    if (defined $spec->{sse} || $spec->{endless} || $spec->{chunked}) {
        push @headers, 'Transfer-Encoding' => 'chunked';
    }
    elsif ($spec->{eof}) { push @headers, Connection => 'close' }
    elsif ($status != 304 && $status != 204 && $status >= 200) {
        push @headers, 'Content-Length' => $length;
    }
    my $head = "HTTP/1.1 $status Scripted\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) { $head .= "$name: $value\r\n" }
    return ("$head\r\n", $status == 304 || $status == 204 ? 0 : $length);
}

sub whole ($spec) {
    my $text = $spec->{body} // '';
    return $text if !$spec->{size};
    return substr $text x (1 + $spec->{size} / length $text), 0, $spec->{size};
}

sub body_part ($spec, $n) {
    return $spec->{chunked} || defined $spec->{sse}
        ? chunk(substr whole($spec), 0, $n)
        : substr whole($spec), 0, $n;
}

sub pieces ($spec) {
    my $step = $spec->{size} ? 65536 : 1000;
    my $text = whole($spec);
    my @pieces;
    for (my $at = 0; $at < length $text; $at += $step) { push @pieces, substr $text, $at, $step }
    return @pieces;
}

sub chunk ($text) { return sprintf "%x\r\n%s\r\n", length $text, $text }

1;
