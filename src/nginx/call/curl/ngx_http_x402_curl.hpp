// SPDX-License-Identifier: Apache-2.0
// libcurl inside nginx's event loop. Only the files of this name know curl.
//
// One engine for each worker, on curl's multi_socket interface. curl owns
// sockets and connections; the engine lends each watched socket an nginx
// connection slot and one timer. Nothing here blocks.
#ifndef NGX_HTTP_X402_CURL_HPP
#define NGX_HTTP_X402_CURL_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "facilitator/facilitator_port.hpp"
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"

namespace x402 {

#ifdef X402_NO_CURL
constexpr bool kHasCurl = false;
#else
constexpr bool kHasCurl = true;
#endif

struct CurlRequest {
    std::string url;
    // The host of the connection, the proxy if there is one, as in its URL.
    std::string host;
    unsigned port = 0;
    std::vector<std::string> addresses;  // empty: host is an address itself
    const FacilitatorProxy *proxy = nullptr;  // Lifetime: the cycle
    bool post = true;                         // else GET, without a body
    std::string_view body;  // JSON. Lifetime: until `done` or cancel()
    std::vector<std::string> headers;  // "Name: value"
    bool has_secret = false;  // they; overwritten when they are not needed
    std::string trusted_certificate;  // path; empty: the system's
    bool ssl_verify = true;
    // Money: at most one send. A second one, which curl begins on its own when
    // a reused connection dies silently, is refused and counts as broken.
    bool send_once = false;
    // Nothing waits for it: a quitting worker does not stay for its end.
    bool background = false;
    ngx_msec_t connect_timeout = 0;
    ngx_msec_t timeout = 0;  // for everything
};

class CurlEngine {
public:
    struct Transfer;
    using Done = void (*)(void *data, FacilitatorReply &reply);

    // nullptr members on failure: ok() tells.
    CurlEngine();
    ~CurlEngine();
    CurlEngine(const CurlEngine &) = delete;
    CurlEngine &operator=(const CurlEngine &) = delete;

    bool ok() const { return multi_ != nullptr; }
    std::size_t calls() const { return active_.size(); }

    // `done` is called once, later, unless cancel() comes first. nullptr: could
    // not be started (memory); nothing was sent.
    Transfer *start(CurlRequest request, Done done, void *data);
    void cancel(Transfer *transfer);

private:
    struct SocketCallbacks;
    struct TransferCallbacks;

    bool make_lists(Transfer &transfer);
    bool set_options(Transfer &transfer);
    bool go_through_proxy(Transfer &transfer);
    void read_headers(Transfer &transfer);
    bool follow_sockets(Transfer &transfer);
    void read_reply(Transfer &transfer, int result);
    void finish(Transfer *transfer, int result);
    void give_up(void *handle);
    void discard(Transfer *transfer);
    bool is_stale(Transfer &transfer, int local_port);
    bool repeat(Transfer &transfer);
    void act(int fd, int mask);
    void after_action();
    void update_timer(long milliseconds);
    void keep_worker();
    static int close_socket(void *data, int fd);
    static void on_socket_event(ngx_event_t *event);

    void *multi_ = nullptr;             // CURLM
    std::vector<void *> idle_handles_;  // CURL, ready for another call
    std::vector<Transfer *> active_;
    std::unordered_map<int, ngx_connection_t *> watched_;  // by descriptor
    // Sockets that curl opened: how often something was sent on each, and
    // whether it speaks HTTP/2.
    struct Socket {
        unsigned sends = 0;
        bool multiplexed = false;
    };
    std::unordered_map<int, Socket> sockets_;
    Timer timer_;
    Timer guard_;  // keeps a quitting worker alive while calls run
};

class CurlEngines {
public:
    // "libcurl 7.88.1": the library that runs. Empty where there is none.
    static std::string version();

    // Makes the first, where a call is to be expected. False: libcurl could not
    // be started, or there is none.
    bool prepare();

    // As those of an engine.
    CurlEngine::Transfer *start(CurlRequest request, CurlEngine::Done done,
                                void *data);
    void cancel(CurlEngine::Transfer *transfer);

private:
    static constexpr std::size_t kCallsEach = 512;

    CurlEngine &with_room();

    std::vector<std::unique_ptr<CurlEngine>> engines_;
};

}  // namespace x402

#endif
