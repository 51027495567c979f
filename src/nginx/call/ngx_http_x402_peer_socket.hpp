// SPDX-License-Identifier: Apache-2.0
// What the http client and the connection to a store both need to get a
// connection of nginx's own: literal addresses, connect(), and what became of
// it.
#ifndef NGX_HTTP_X402_PEER_SOCKET_HPP
#define NGX_HTTP_X402_PEER_SOCKET_HPP

#include <string>
#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

struct PeerAddress {
    ngx_sockaddr_t bytes;
    socklen_t size;
    std::string text;  // with the port, for the log
};

// What is not a literal address is left out.
std::vector<PeerAddress>
parse_peer_addresses(const std::vector<std::string> &literals, unsigned port);

// Opens a connection: NGX_OK, or NGX_AGAIN after which the write event comes,
// or something else, and `c` is nullptr. It has no handlers yet, so that
// nothing may throw before it has; this does not. Lifetime: borrows the
// address while `c` is open.
ngx_int_t open_peer(PeerAddress &address, ngx_connection_t *&c);

// The result of a connect() that was not finished at once; 0: connected.
ngx_err_t connect_error(ngx_connection_t *c);

std::string system_text(ngx_err_t error);

}  // namespace x402

#endif
