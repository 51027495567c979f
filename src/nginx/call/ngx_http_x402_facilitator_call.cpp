// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/ngx_http_x402_facilitator_call.hpp"

#include <algorithm>

#include "base/secret_memory.hpp"
#include "base/text_excerpt.hpp"
#include "facilitator/redirect_rule.hpp"
#include "facilitator/request_head.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

bool is_past(ngx_msec_t moment)
{
    return static_cast<ngx_msec_int_t>(ngx_current_msec - moment) >= 0;
}

}  // namespace

FacilitatorCall::FacilitatorCall(Endpoint &endpoint, CallTerms terms, Done done,
                                 void *data)
    : endpoint_(endpoint),
      terms_(std::move(terms)),
      done_(done),
      data_(data),
      deadline_(ngx_current_msec + terms_.timeout),
      timer_(
          in_background() ? AtQuit::cancel : AtQuit::wait,
          [](void *call) {
              static_cast<FacilitatorCall *>(call)->time_is_up();
          },
          this)
{
    place_ = endpoint_.calls_.size();
    endpoint_.calls_.push_back(this);
}

FacilitatorCall::~FacilitatorCall()
{
    auto &calls = endpoint_.calls_;
    calls.back()->place_ = place_;
    calls[place_] = calls.back();
    calls.pop_back();
}

FacilitatorCall *FacilitatorCall::start(Endpoint &endpoint, CallTerms terms,
                                        Done done, void *data)
{
    auto *call = new FacilitatorCall(endpoint, std::move(terms), done, data);
    call->proceed_or_fail();
    return call;
}

void FacilitatorCall::proceed_or_fail()
{
    bool begun = guarded(ngx_cycle->log, false, [&] {
        proceed();
        return true;
    });
    if (!begun) {
        // Bytes may have left already: the outcome is unknown.
        fail_later(Transport::broken, kNoMemory);
    }
}

void FacilitatorCall::cancel()
{
    stop_waiting();
    if (transfer_) {
        endpoint_.engines_.cancel(transfer_);
    }
    if (exchange_) {
        origin_->cancel(exchange_);
    }
    delete this;
}

void FacilitatorCall::stop_waiting()
{
    if (!waiting_) {
        return;
    }
    auto &list = endpoint_.waiting_;
    list.erase(std::remove(list.begin(), list.end(), this), list.end());
    waiting_ = false;
}

ngx_msec_t FacilitatorCall::time_left() const
{
    return is_past(deadline_) ? 0 : deadline_ - ngx_current_msec;
}

// Sends as soon as there is an address to send to.
void FacilitatorCall::proceed()
{
    Endpoint::Route *route = endpoint_.route_for(terms_.operation, terms_.plan);
    if (route == nullptr) {
        fail_later(Transport::not_sent,
                   "the facilitator's address is unusable");
        return;
    }
    Endpoint::Host &host = *route->host;
    const std::vector<std::string> &addresses = host.addresses();

    if (addresses.empty()) {
        if (!host.book->busy()) {
            fail_later(Transport::not_sent, "host not found");
            return;
        }
        endpoint_.waiting_.push_back(this);
        waiting_ = true;
        failure_.transport = Transport::no_connection;
        failure_.detail = "host not found in time";
        if (!timer_.armed()) {
            timer_.arm(time_left());
        }
        return;
    }
    send(*route, addresses);
}

void FacilitatorCall::send(Endpoint::Route &route,
                           const std::vector<std::string> &addresses)
{
    timer_.disarm();
    ngx_msec_t left = time_left();
    if (left == 0) {
        fail_later(Transport::no_connection, "no time left to send");
        return;
    }
    auto headers = endpoint_.headers_for(terms_.operation, route.url);
    if (!headers) {
        fail_later(Transport::not_sent, "no token could be signed for it");
        return;
    }
    headers->insert(headers->end(), terms_.headers.begin(),
                    terms_.headers.end());
    asked_ = route.url;
    if (route.origin) {
        route.origin->use_addresses(addresses);
        send_by_http(route, *headers, left);
        if (endpoint_.conf_.auth) {
            std::for_each(headers->begin(), headers->end(),
                          [](std::string &line) { wipe(line); });
        }
    } else {
        send_by_curl(route, std::move(*headers), addresses, left);
    }
}

void FacilitatorCall::send_by_http(Endpoint::Route &route,
                                   const std::vector<std::string> &headers,
                                   ngx_msec_t left)
{
    HttpRequest request;
    request.head =
        whole_head(route.head, headers, route.post, terms_.body.size());
    request.is_secret = endpoint_.conf_.auth != nullptr;
    request.body = terms_.body;
    request.send_once = terms_.operation == Operation::settle;
    request.background = in_background();
    request.connect_timeout = std::min(terms_.connect_timeout, left);
    request.timeout = left;
    request.on_sent = terms_.on_sent ? on_sent : nullptr;
    origin_ = route.origin;
    exchange_ = origin_->start(std::move(request), on_reply, this);
}

void FacilitatorCall::send_by_curl(Endpoint::Route &route,
                                   std::vector<std::string> headers,
                                   const std::vector<std::string> &addresses,
                                   ngx_msec_t left)
{
    const FacilitatorConf &conf = endpoint_.conf_;
    CurlRequest request;
    request.url = route.url;
    request.proxy = conf.proxy;
    request.host = route.host->name;
    request.port = conf.proxy ? conf.proxy->url.port : route.parsed.port;
    if (route.host->book) {
        request.addresses = addresses;
    }
    request.post = route.post;
    request.body = terms_.body;
    request.headers = std::move(headers);
    request.has_secret = conf.auth != nullptr;
    request.trusted_certificate = conf.trusted_certificate;
    request.ssl_verify = conf.ssl_verify;
    request.send_once = terms_.operation == Operation::settle;
    request.background = in_background();
    request.connect_timeout = std::min(terms_.connect_timeout, left);
    request.timeout = left;
    transfer_ = endpoint_.engines_.start(std::move(request), on_reply, this);
    if (transfer_ == nullptr) {
        fail_later(Transport::not_sent,
                   kHasCurl ? "no memory for the call"
                            : "it needs libcurl, which is not built in");
    }
}

void FacilitatorCall::fail_later(Transport transport, const char *detail)
{
    stop_waiting();
    failure_.transport = transport;
    timer_.disarm();
    timer_.post();
    failure_.detail = detail;
}

void FacilitatorCall::time_is_up()
{
    stop_waiting();
    // answer() deletes the call, and its reply would go with it.
    FacilitatorReply failure = std::move(failure_);
    answer(failure);
}

void FacilitatorCall::on_sent(void *data)
{
    auto *call = static_cast<FacilitatorCall *>(data);
    call->terms_.on_sent(call->data_);
}

void FacilitatorCall::on_reply(void *data, FacilitatorReply &reply)
{
    auto *call = static_cast<FacilitatorCall *>(data);
    call->transfer_ = nullptr;
    call->exchange_ = nullptr;
    if (reply.transport == Transport::answered && reply.status >= 300
        && reply.status < 400 && call->follow_or_fail(reply)) {
        return;
    }
    call->answer(reply);
}

bool FacilitatorCall::follow_or_fail(FacilitatorReply &reply)
{
    bool decided = false;
    bool followed = guarded(ngx_cycle->log, false, [&] {
        bool goes_on = follow(reply);
        decided = true;
        return goes_on;
    });
    if (!decided) {
        // Bytes may have left for the new place already: the outcome is
        // unknown.
        stop_waiting();
        reply.transport = Transport::broken;
        reply.detail = kNoMemory;
    }
    return followed;
}

// A 3xx proves that the facilitator did not process the call, so that even a
// settle may be sent again, once, to where it points. True: it was.
bool FacilitatorCall::follow(FacilitatorReply &reply)
{
    auto target = follow_redirect(endpoint_.conf_.url, reply.status,
                                  resolve_location(asked_, reply.location),
                                  endpoint_.conf_.has_credentials());
    if (terms_.operation == Operation::plan
        || terms_.operation == Operation::event) {
        target = Problem{"redirects are not followed for plans and webhooks"};
    } else if (redirected_) {
        target = Problem{"it comes after another redirect"};
    }
    if (!target) {
        reply.detail = "redirect to \"" + log_excerpt(reply.location)
                       + "\" is refused: " + target.problem().text;
        if (!in_background()) {  // repeated: its caller logs it
            log_line(NGX_LOG_CRIT, ngx_cycle->log,
                     "redirect " + std::to_string(reply.status)
                         + " of facilitator \"" + endpoint_.conf_.url.base()
                         + "\" to \"" + log_excerpt(reply.location)
                         + "\" is refused: " + target.problem().text
                         + "; write the right address into x402_facilitator");
        }
        return false;
    }
    redirected_ = true;
    endpoint_.keep_redirect(terms_.operation, target.value());
    proceed();
    return true;
}

void FacilitatorCall::count(const FacilitatorReply &reply) const
{
    StatusCounters *counters = endpoint_.counters();
    if (counters == nullptr) {
        return;
    }
    static_assert(static_cast<int>(Operation::verify) == 0
                  && static_cast<int>(Operation::plan)
                         == static_cast<int>(CallEndpoint::plan));
    bool answered = reply.transport == Transport::answered;
    bool connected = reply.transport != Transport::not_sent
                     && reply.transport != Transport::no_connection;
    std::size_t code =
        call_code(answered ? reply.status : 0,
                  reply.transport == Transport::timed_out, connected);
    counters->count_call(endpoint_.row(),
                         static_cast<CallEndpoint>(terms_.operation), code,
                         ngx_current_msec - started_);
    counters->set_answered(endpoint_.row(), answered);
}

void FacilitatorCall::answer(FacilitatorReply &reply)
{
    count(reply);
    Done done = done_;
    void *data = data_;
    if (!reply.extension_responses.empty()) {
        guarded(ngx_cycle->log, 0, [&] {
            endpoint_.log_extensions(reply.extension_responses);
            return 0;
        });
    }
    delete this;
    guarded(ngx_cycle->log, 0, [&] {
        done(data, reply);
        return 0;
    });
}

}  // namespace x402
