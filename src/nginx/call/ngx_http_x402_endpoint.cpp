// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/ngx_http_x402_endpoint.hpp"

#include <cstring>

#include "base/secret_memory.hpp"
#include "base/text_excerpt.hpp"
#include "base/token_signature.hpp"
#include "facilitator/extension_responses.hpp"
#include "facilitator/request_head.hpp"
#include "nginx/call/ngx_http_x402_facilitator_call.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kRedirectLifetime = 3600 * 1000;

// The tests of what goes over the wire run against both transports: the module
// is linked a second time for them, with this file compiled otherwise.
#ifdef X402_HTTP_BY_CURL
constexpr bool kCurlOnly = true;
#else
constexpr bool kCurlOnly = false;
#endif

const char *operation_name(Operation operation)
{
    switch (operation) {
    case Operation::verify:
        return "verify";
    case Operation::settle:
        return "settle";
    case Operation::plan:
        return "plan";
    case Operation::event:
        return "event";
    case Operation::supported:
        break;
    }
    return "supported";
}

// Payments and events are sent by POST, other requests by GET.
bool is_post(Operation operation)
{
    return operation != Operation::supported && operation != Operation::plan;
}

bool is_past(ngx_msec_t moment)
{
    return static_cast<ngx_msec_int_t>(ngx_current_msec - moment) >= 0;
}

bool random_bytes(RandomBytes &bytes)
{
    return fill_random(bytes.data(), bytes.size());
}

std::uint64_t number_of(const Digest &payer)
{
    std::uint64_t number;
    std::memcpy(&number, payer.data(), sizeof(number));
    return number;
}

}  // namespace

Endpoint::Endpoint(const FacilitatorConf &conf, CurlEngines &engines)
    : health(conf.health), conf_(conf), engines_(engines)
{
    host_for(conf.host_to_reach());
    if (conf.auth) {
        tokens_ = std::make_unique<AuthTokens>(conf.auth->key);
    }
}

Endpoint::~Endpoint()
{
    // The process ends, and `done` is not called any more.
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
    if (url.host_is_address()) {
        host->literal.push_back(name);
    } else {
        bool own = name == conf_.host_to_reach();
        host->book = std::make_unique<AddressBook>(
            name, conf_.host_use(), conf_.resolver,
            own ? conf_.addresses : std::vector<std::string>(),
            on_look_up_ended, this);
    }
    hosts_.push_back(std::move(host));
    return *hosts_.back();
}

const std::vector<std::string> &Endpoint::Host::addresses()
{
    return book ? book->addresses() : literal;
}

// nullptr: curl has to do it.
HttpOrigin *Endpoint::origin_for(Host &host, const FacilitatorUrl &url)
{
    if (kCurlOnly || conf_.proxy || (url.secure && !kHasTls)) {
        return nullptr;
    }
    for (auto &origin : host.origins) {
        if (origin->port() == url.port && origin->secure() == url.secure) {
            return origin.get();
        }
    }
    std::unique_ptr<TlsPeer> tls;
    if (url.secure) {
        TlsContext *context = trust();
        if (context == nullptr) {
            return nullptr;
        }
        tls = std::make_unique<TlsPeer>(
            *context, url.host, url.host_is_address(), conf_.ssl_verify);
    }
    host.origins.push_back(
        std::make_unique<HttpOrigin>(url.port, std::move(tls)));
    return host.origins.back().get();
}

// The certificates that were read with the configuration. Those of an http://
// facilitator that redirects to https:// are read now. nullptr: unreadable.
TlsContext *Endpoint::trust()
{
    if (conf_.tls) {
        return conf_.tls;
    }
    if (!late_tls_) {
        auto made = std::make_unique<TlsContext>();
        if (!made->prepare(conf_.trusted_certificate, ngx_cycle->log)) {
            return nullptr;
        }
        late_tls_ = std::move(made);
    }
    return late_tls_.get();
}

bool Endpoint::set_target(Route &route, const std::string &url)
{
    auto parsed = parse_facilitator_url(url);
    if (!parsed) {
        return false;
    }
    // All of it or nothing: memory may be refused in between.
    Route led;
    led.post = route.post;
    led.parsed = std::move(parsed.value());
    led.host = &host_for(conf_.proxy ? conf_.proxy->url.host : led.parsed.host);
    led.origin = origin_for(*led.host, led.parsed);
    led.head = led.origin ? start_of_head(url, led.post) : std::string();
    led.url = url;
    route = std::move(led);
    return true;
}

Endpoint::Route *Endpoint::route_for(Operation operation,
                                     const std::string &plan)
{
    Route &route = routes_[static_cast<int>(operation)];
    bool forgotten = operation == Operation::plan
                     || (route.redirected && is_past(route.until));
    if (route.url.empty() || forgotten) {
        route = Route();
        route.post = is_post(operation);
        std::string url =
            operation == Operation::event
                ? conf_.exact_url
                : conf_.url.endpoint(operation == Operation::plan
                                         ? plan
                                         : operation_name(operation));
        if (!set_target(route, url)) {
            return nullptr;
        }
    }
    return &route;
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
        auto value = tokens_->authorization(is_post(operation) ? "POST" : "GET",
                                            url, ngx_time(), random_bytes);
        if (!value) {
            return std::nullopt;
        }
        lines.push_back("Authorization: " + *value);
        wipe(*value);
    }
    return lines;
}

void Endpoint::keep_redirect(Operation operation, const std::string &url)
{
    Route &route = routes_[static_cast<int>(operation)];
    if (!set_target(route, url)) {
        return;
    }
    route.redirected = true;
    route.until = ngx_current_msec + kRedirectLifetime;
    log_line(NGX_LOG_NOTICE, ngx_cycle->log,
             std::string("facilitator redirects ") + operation_name(operation)
                 + " to \"" + log_excerpt(url)
                 + "\", which is used for an hour; write that address into "
                   "x402_facilitator to avoid the redirect");
}

void Endpoint::log_extensions(const std::string &extension_responses)
{
    if (extension_responses == extension_responses_) {
        return;
    }
    extension_responses_ = extension_responses;
    std::string words = extension_response_words(extension_responses);
    if (!words.empty()) {
        log_line(NGX_LOG_NOTICE, ngx_cycle->log,
                 "facilitator \"" + conf_.url.base()
                     + "\" reports about extensions: " + words);
    }
}

void Endpoint::on_look_up_ended(void *data)
{
    auto *endpoint = static_cast<Endpoint *>(data);
    std::vector<FacilitatorCall *> waiting;
    waiting.swap(endpoint->waiting_);
    for (FacilitatorCall *call : waiting) {
        call->waiting_ = false;
        call->proceed_or_fail();
    }
}

void record_health(Endpoint &endpoint, Operation operation, CallHealth health,
                   const Digest &payer, ngx_log_t *log)
{
    HealthChange change =
        endpoint.health.note(operation == Operation::settle, health,
                             number_of(payer), ngx_current_msec);
    if (change == HealthChange::none) {
        return;
    }
    if (StatusCounters *counters = endpoint.counters()) {
        counters->set_breaker(endpoint.row(), change == HealthChange::opened);
    }
    std::string name = "facilitator \"" + endpoint.conf().url.base() + "\" ";
    if (change == HealthChange::opened) {
        log_line(NGX_LOG_WARN, log,
                 name + "fails "
                     + (operation == Operation::settle ? "settle" : "verify")
                     + " repeatedly; until it recovers payments settle before "
                       "content, or at another facilitator of the group");
    } else if (change == HealthChange::closed) {
        log_line(NGX_LOG_NOTICE, log, name + "recovered");
    }
}

Endpoint *next_to_settle(std::vector<Endpoint *> &others)
{
    while (!others.empty()) {
        Endpoint *next = others.front();
        others.erase(others.begin());
        if (next->health.advice(ngx_current_msec).action
            != BreakerAction::do_not_call) {
            return next;
        }
    }
    return nullptr;
}

}  // namespace x402
