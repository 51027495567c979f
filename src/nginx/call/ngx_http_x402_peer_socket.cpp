// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/ngx_http_x402_peer_socket.hpp"

#include <netdb.h>

namespace x402 {

std::vector<PeerAddress>
parse_peer_addresses(const std::vector<std::string> &literals, unsigned port)
{
    std::vector<PeerAddress> parsed;
    for (const std::string &literal : literals) {
        addrinfo hints{};
        addrinfo *found = nullptr;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
        if (getaddrinfo(literal.c_str(), std::to_string(port).c_str(), &hints,
                        &found)
            != 0) {
            continue;
        }
        if (found->ai_addrlen <= sizeof(ngx_sockaddr_t)) {
            PeerAddress address;
            u_char text[NGX_SOCKADDR_STRLEN];
            ngx_memzero(&address.bytes, sizeof(address.bytes));
            ngx_memcpy(&address.bytes, found->ai_addr, found->ai_addrlen);
            address.size = found->ai_addrlen;
            std::size_t length = ngx_sock_ntop(
                &address.bytes.sockaddr, address.size, text, sizeof(text), 1);
            address.text.assign(reinterpret_cast<char *>(text), length);
            parsed.push_back(std::move(address));
        }
        freeaddrinfo(found);
    }
    return parsed;
}

ngx_int_t open_peer(PeerAddress &address, ngx_connection_t *&c)
{
    ngx_peer_connection_t peer;
    ngx_str_t name = to_ngx_str(address.text);
    ngx_memzero(&peer, sizeof(peer));
    peer.sockaddr = &address.bytes.sockaddr;
    peer.socklen = address.size;
    peer.name = &name;
    peer.get = ngx_event_get_peer;
    peer.log = ngx_cycle->log;
    peer.log_error = NGX_ERROR_INFO;
    ngx_int_t rc = ngx_event_connect_peer(&peer);
    c = rc == NGX_OK || rc == NGX_AGAIN ? peer.connection : nullptr;
    return rc;
}

ngx_err_t connect_error(ngx_connection_t *c)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1) {
        return ngx_socket_errno;
    }
    return error;
}

std::string system_text(ngx_err_t error)
{
    u_char text[NGX_MAX_ERROR_STR];
    u_char *end = ngx_strerror(error, text, sizeof(text));
    return std::string(reinterpret_cast<char *>(text),
                       static_cast<std::size_t>(end - text));
}

}  // namespace x402
