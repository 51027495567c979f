# SPDX-License-Identifier: Apache-2.0
package X402::Port;

# Ports that the kernel chose and that stay ours until the test ends.
#
# A socket that is bound but does not listen keeps its port away from every
# "bind 0" and from outgoing connections, while a server that sets
# SO_REUSEADDR (nginx does) can still listen there: no race between parallel
# tests, and the port is still ours after nginx was stopped.

use v5.36;
use Socket;

my @kept;

sub socket_on ($port) {
    socket(my $socket, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
    bind($socket, sockaddr_in($port, INADDR_LOOPBACK)) or die "bind: $!";
    return $socket;
}

# A client at another address of loopback. Its port is free again there as soon as the
# client is gone: an nginx of another test may have that number reserved.
sub come_from ($client, $address) {
    setsockopt($client, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
    bind($client, sockaddr_in(0, inet_aton($address))) or die "bind: $!";
    return;
}

sub number ($socket) { return (sockaddr_in(getsockname $socket))[0] }

# A port for a server that opens its own socket. Until then connections to it
# are refused, which also makes it the address of a dead peer.
sub reserve () {
    my $socket = socket_on(0);
    push @kept, $socket;
    return number($socket);
}

# A port for TCP and UDP, and what keeps the latter until a server with SO_REUSEPORT has
# it: to be closed then, because it would get what is for that server.
sub reserve_udp () {
    for (1 .. 100) {
        my $port = reserve();
        socket(my $udp, AF_INET, SOCK_DGRAM, 0) or die "socket: $!";
        setsockopt($udp, SOL_SOCKET, SO_REUSEPORT, 1) or die "setsockopt: $!";
        return ($port, $udp) if bind $udp, sockaddr_in($port, INADDR_LOOPBACK);
    }
    die 'no port for UDP';
}

1;
