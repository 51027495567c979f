// SPDX-License-Identifier: Apache-2.0
// The addresses of one facilitator host, for one worker. libcurl never looks
// names up itself: its resolver would start a thread for each call in flight.
//
// With nginx's `resolver`, nginx looks up; without, getaddrinfo() in a thread
// of the module, one at a time (docs/internals.md: why not a pool). The
// last good addresses stay in use while a new look-up runs and when it fails.
#ifndef NGX_HTTP_X402_LOOKUP_HPP
#define NGX_HTTP_X402_LOOKUP_HPP

#include <memory>
#include <string>
#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Blocking; for the master before workers start. Empty: not found.
std::vector<std::string> look_up_addresses(const std::string &host);

class AddressBook {
public:
    // Called when a running look-up has ended, successfully or not.
    using Ended = void (*)(void *data);

    // `use`: what the host is, for messages.
    AddressBook(std::string host, const char *use, ngx_resolver_t *resolver,
                std::vector<std::string> addresses, Ended ended, void *data);
    ~AddressBook();
    AddressBook(const AddressBook &) = delete;
    AddressBook &operator=(const AddressBook &) = delete;

    // Empty: nothing is known (yet). Starts a look-up when one is due.
    const std::vector<std::string> &addresses();
    // A look-up runs; Ended will be called.
    bool busy() const { return query_ != nullptr; }

private:
    struct Query;

    void refresh();
    void finish(std::vector<std::string> found, ngx_msec_t lifetime);
    bool start_system(Query &query);
    bool start_nginx(Query &query);
    static void on_thread_done(void *data);
    static void on_nginx_done(ngx_resolver_ctx_t *ctx);

    std::string host_;
    const char *use_;
    ngx_resolver_t *resolver_;
    std::vector<std::string> addresses_;
    ngx_msec_t due_;  // when to look again, in ngx_current_msec
    std::unique_ptr<Query> query_;
    Ended ended_;
    void *data_;
};

}  // namespace x402

#endif
