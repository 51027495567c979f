// SPDX-License-Identifier: Apache-2.0
// One call to a facilitator: addresses, redirects, deadline, transport. This is
// the interface for the rest of src/nginx. Behind it are two transports with
// the same outcomes: the http client, and libcurl if nginx has no TLS.
#ifndef NGX_HTTP_X402_FACILITATOR_CALL_HPP
#define NGX_HTTP_X402_FACILITATOR_CALL_HPP

#include <string>
#include <vector>

#include "nginx/call/ngx_http_x402_endpoint.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"

namespace x402 {

struct CallTerms {
    Operation operation = Operation::verify;
    std::string_view body;  // Lifetime: until `done` or cancel()
    std::string plan;       // its number; for that operation only
    std::vector<std::string> headers = {};  // more lines, without line ends
    ngx_msec_t connect_timeout = 0;
    ngx_msec_t timeout = 0;  // for everything: addresses, redirect, answer
    // nullptr: not asked for. Called when all of it has left, long before
    // `done`, perhaps inside start(), and never if libcurl makes the call.
    void (*on_sent)(void *data) = nullptr;
};

// Owns itself: deleted after `done` was called or by cancel(). `done` is called
// exactly once, and never from inside start(). An exception that it throws is
// logged and goes no further.
class FacilitatorCall {
public:
    using Done = void (*)(void *data, FacilitatorReply &reply);

    static FacilitatorCall *start(Endpoint &endpoint, CallTerms terms,
                                  Done done, void *data);
    void cancel();

private:
    friend class Endpoint;

    FacilitatorCall(Endpoint &endpoint, CallTerms terms, Done done, void *data);
    ~FacilitatorCall();

    void proceed();
    void proceed_or_fail();
    void send(Endpoint::Route &route,
              const std::vector<std::string> &addresses);
    void send_by_http(Endpoint::Route &route,
                      const std::vector<std::string> &headers, ngx_msec_t left);
    void send_by_curl(Endpoint::Route &route, std::vector<std::string> headers,
                      const std::vector<std::string> &addresses,
                      ngx_msec_t left);
    void answer(FacilitatorReply &reply);
    void count(const FacilitatorReply &reply) const;
    void fail_later(Transport transport, const char *detail);
    bool follow(FacilitatorReply &reply);
    bool follow_or_fail(FacilitatorReply &reply);
    ngx_msec_t time_left() const;
    // No payment waits for it, so a quitting worker does not either.
    bool in_background() const
    {
        return terms_.operation == Operation::supported
               || terms_.operation == Operation::plan
               || terms_.operation == Operation::event;
    }
    void stop_waiting();
    static void on_sent(void *data);
    static void on_reply(void *data, FacilitatorReply &reply);
    void time_is_up();

    Endpoint &endpoint_;
    CallTerms terms_;
    Done done_;
    void *data_;
    ngx_msec_t started_ = ngx_current_msec;
    ngx_msec_t deadline_;
    CurlEngine::Transfer *transfer_ = nullptr;  // one of the two, once sent
    HttpOrigin::Exchange *exchange_ = nullptr;
    HttpOrigin *origin_ = nullptr;  // of exchange_
    std::string asked_;             // the URL of the latest of them
    std::size_t place_ = 0;         // in the endpoint's list
    bool waiting_ = false;
    bool redirected_ = false;
    FacilitatorReply failure_;  // delivered when the timer fires
    Timer timer_;
};

}  // namespace x402

#endif
