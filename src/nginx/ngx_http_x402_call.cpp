#include "nginx/ngx_http_x402_call.hpp"

#include <algorithm>

#include "facilitator/redirect_rule.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kRedirectLifetime = 3600 * 1000;

const char *operation_name(Operation operation)
{
    switch (operation) {
    case Operation::verify:
        return "verify";
    case Operation::settle:
        return "settle";
    case Operation::supported:
        break;
    }
    return "supported";
}

// x402 facilitators are asked by POST, for what they support by GET.
const char *operation_method(Operation operation)
{
    return operation == Operation::supported ? "GET" : "POST";
}

bool is_past(ngx_msec_t moment)
{
    return static_cast<ngx_msec_int_t>(ngx_current_msec - moment) >= 0;
}

bool random_bytes(RandomBytes &bytes)
{
    return fill_random(bytes.data(), bytes.size());
}

}  // namespace

Endpoint::Endpoint(const FacilitatorConf &conf, CurlEngine &engine)
    : conf_(conf), engine_(engine)
{
    host_for(conf.url.host);
    if (conf.auth) {
        tokens_ = std::make_unique<AuthTokens>(conf.auth->key);
    }
}

Endpoint::~Endpoint()
{
    // The process ends: nobody is left to be told.
    while (!calls_.empty()) {
        calls_.back()->cancel();
    }
}

Endpoint::Host &Endpoint::host_for(const std::string &name)
{
    for (auto &host : hosts_) {
        if (host->name == name) {
            return *host;
        }
    }
    auto host = std::make_unique<Host>();
    host->name = name;
    FacilitatorUrl url;
    url.host = name;
    if (!url.host_is_address()) {
        bool own = name == conf_.url.host;
        host->book = std::make_unique<AddressBook>(
            name, conf_.resolver,
            own ? conf_.addresses : std::vector<std::string>(),
            on_look_up_ended, this);
    }
    hosts_.push_back(std::move(host));
    return *hosts_.back();
}

std::string Endpoint::url_for(Operation operation)
{
    Redirect &redirect = redirects_[static_cast<int>(operation)];
    if (!redirect.url.empty() && !is_past(redirect.until)) {
        return redirect.url;
    }
    redirect.url.clear();
    return conf_.url.endpoint(operation_name(operation));
}

std::optional<std::vector<std::string>>
Endpoint::headers_for(Operation operation, const std::string &url)
{
    std::vector<std::string> lines;
    for (const RequestHeader &header : conf_.headers) {
        if (header.goes_with(operation_name(operation))) {
            lines.push_back(header.name + ": " + header.value);
        }
    }
    if (tokens_) {
        auto value = tokens_->authorization(operation_method(operation), url,
                                            ngx_time(), random_bytes);
        if (!value) {
            return std::nullopt;
        }
        lines.push_back("Authorization: " + *value);
    }
    return lines;
}

void Endpoint::learn(Operation operation, const std::string &url)
{
    Redirect &redirect = redirects_[static_cast<int>(operation)];
    redirect.url = url;
    redirect.until = ngx_current_msec + kRedirectLifetime;
    log_line(NGX_LOG_NOTICE, ngx_cycle->log,
             std::string("facilitator redirects ") + operation_name(operation)
                 + " to \"" + log_excerpt(url)
                 + "\", asked there for an hour; write that address into "
                   "x402_facilitator to save the detour");
}

void Endpoint::on_look_up_ended(void *data)
{
    auto *endpoint = static_cast<Endpoint *>(data);
    std::vector<FacilitatorCall *> waiting;
    waiting.swap(endpoint->waiting_);
    for (FacilitatorCall *call : waiting) {
        call->waiting_ = false;
        call->proceed();
    }
}

FacilitatorCall::FacilitatorCall(Endpoint &endpoint, CallTerms terms, Done done,
                                 void *data)
    : endpoint_(endpoint),
      terms_(std::move(terms)),
      done_(done),
      data_(data),
      deadline_(ngx_current_msec + terms_.timeout)
{
    ngx_memzero(&timer_, sizeof(timer_));
    ngx_memzero(&nobody_, sizeof(nobody_));
    nobody_.fd = static_cast<ngx_socket_t>(-1);
    nobody_.data = this;
    timer_.data = &nobody_;
    timer_.log = ngx_cycle->log;
    timer_.handler = on_timer;
    timer_.cancelable = in_background() ? 1 : 0;
    endpoint_.calls_.push_back(this);
}

FacilitatorCall::~FacilitatorCall()
{
    auto &calls = endpoint_.calls_;
    calls.erase(std::remove(calls.begin(), calls.end(), this), calls.end());
    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
    if (timer_.posted) {
        ngx_delete_posted_event(&timer_);
    }
}

FacilitatorCall *FacilitatorCall::start(Endpoint &endpoint, CallTerms terms,
                                        Done done, void *data)
{
    auto *call = new FacilitatorCall(endpoint, std::move(terms), done, data);
    call->proceed();
    return call;
}

void FacilitatorCall::cancel()
{
    stop_waiting();
    if (transfer_) {
        endpoint_.engine_.cancel(transfer_);
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
    std::string url = endpoint_.url_for(terms_.operation);
    auto parsed = parse_facilitator_url(url);
    if (!parsed) {
        fail_later(Transport::not_sent,
                   "the facilitator's address is unusable");
        return;
    }
    Endpoint::Host &host = endpoint_.host_for(parsed->host);
    std::vector<std::string> addresses;
    if (host.book) {
        addresses = host.book->addresses();
    }

    if (host.book && addresses.empty()) {
        if (!host.book->busy()) {
            fail_later(Transport::not_sent, "host not found");
            return;
        }
        endpoint_.waiting_.push_back(this);
        waiting_ = true;
        failure_.transport = Transport::no_connection;
        failure_.detail = "host not found in time";
        if (!timer_.timer_set) {
            ngx_add_timer(&timer_, time_left());
        }
        return;
    }
    send(url, addresses);
}

void FacilitatorCall::send(const std::string &url,
                           const std::vector<std::string> &addresses)
{
    const FacilitatorConf &conf = endpoint_.conf_;
    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
    ngx_msec_t left = time_left();
    if (left == 0) {
        fail_later(Transport::no_connection, "no time left to send");
        return;
    }
    auto headers = endpoint_.headers_for(terms_.operation, url);
    if (!headers) {
        fail_later(Transport::not_sent, "no token could be signed for it");
        return;
    }
    CurlRequest request;
    auto parsed = parse_facilitator_url(url);
    request.url = url;
    request.host = parsed->host;
    request.port = parsed->port;
    request.addresses = addresses;
    request.post = terms_.operation != Operation::supported;
    request.body = terms_.body;
    request.headers = std::move(*headers);
    request.trusted_certificate = conf.trusted_certificate;
    request.ssl_verify = conf.ssl_verify;
    request.send_once = terms_.operation == Operation::settle;
    request.background = in_background();
    request.connect_timeout = std::min(terms_.connect_timeout, left);
    request.timeout = left;
    transfer_ = endpoint_.engine_.start(std::move(request), on_reply, this);
    if (transfer_ == nullptr) {
        fail_later(Transport::not_sent, "no memory for the call");
    }
}

void FacilitatorCall::fail_later(Transport transport, const char *detail)
{
    failure_.transport = transport;
    failure_.detail = detail;
    if (timer_.timer_set) {
        ngx_del_timer(&timer_);
    }
    ngx_post_event(&timer_, &ngx_posted_events);
}

void FacilitatorCall::on_timer(ngx_event_t *event)
{
    auto *call = static_cast<FacilitatorCall *>(
        static_cast<ngx_connection_t *>(event->data)->data);
    guarded(ngx_cycle->log, 0, [&] {
        call->stop_waiting();
        call->answer(call->failure_);
        return 0;
    });
}

void FacilitatorCall::on_reply(void *data, FacilitatorReply &reply)
{
    auto *call = static_cast<FacilitatorCall *>(data);
    call->transfer_ = nullptr;
    if (reply.transport == Transport::answered && reply.status >= 300
        && reply.status < 400 && call->follow(reply)) {
        return;
    }
    call->answer(reply);
}

// A 3xx proves that the facilitator did not process the call, so that even a
// settle may be sent again, once, to where it points. True: it was.
bool FacilitatorCall::follow(FacilitatorReply &reply)
{
    auto target =
        follow_redirect(endpoint_.conf_.url, reply.status, reply.location,
                        endpoint_.conf_.has_credentials());
    if (redirected_) {
        target = Problem{"it comes after another redirect"};
    }
    if (!target) {
        reply.detail = "redirect to \"" + log_excerpt(reply.location)
                       + "\" is refused: " + target.problem().text;
        if (!in_background()) {  // asked again and again: who asks tells
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
    endpoint_.learn(terms_.operation, target.value());
    proceed();
    return true;
}

void FacilitatorCall::answer(FacilitatorReply &reply)
{
    Done done = done_;
    void *data = data_;
    FacilitatorReply last = std::move(reply);
    delete this;
    done(data, last);
}

}  // namespace x402
