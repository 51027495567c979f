// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/ngx_http_x402_lookup.hpp"

#include <algorithm>
#include <exception>
#include <netdb.h>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_thread.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kGoodLifetime = 60 * 1000;
constexpr ngx_msec_t kBadLifetime = 3 * 1000;
constexpr ngx_msec_t kQueryTimeout = 10 * 1000;

bool is_due(ngx_msec_t due)
{
    return static_cast<ngx_msec_int_t>(ngx_current_msec - due) >= 0;
}

// Shared by a thread and the worker; the last one frees it.
struct ThreadResult {
    std::string host;
    std::vector<std::string> found;
    Descriptor report;
};

void run_thread(ThreadResult &result)
{
    try {
        result.found = look_up_addresses(result.host);
    } catch (...) {
        result.found.clear();
    }
    send_report(result.report);
}

}  // namespace

std::vector<std::string> look_up_addresses(const std::string &host)
{
    std::vector<std::string> found;
    addrinfo hints{};
    addrinfo *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) {
        return found;
    }
    for (addrinfo *entry = list; entry; entry = entry->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof(text),
                        nullptr, 0, NI_NUMERICHOST)
            == 0) {
            found.emplace_back(text);
        }
    }
    freeaddrinfo(list);
    return found;
}

namespace {

std::string text_of(const ngx_resolver_addr_t &address)
{
    u_char text[NGX_SOCKADDR_STRLEN];
    std::size_t length =
        ngx_sock_ntop(address.sockaddr, address.socklen, text, sizeof(text), 0);
    return std::string(reinterpret_cast<char *>(text), length);
}

}  // namespace

struct AddressBook::Query {
    AddressBook *book = nullptr;
    ngx_resolver_ctx_t *nginx = nullptr;
    ThreadReport report{on_thread_done, this};
    std::shared_ptr<ThreadResult> result;
};

AddressBook::AddressBook(std::string host, const char *use,
                         ngx_resolver_t *resolver,
                         std::vector<std::string> addresses, Ended ended,
                         void *data)
    : host_(std::move(host)),
      use_(use),
      resolver_(resolver),
      addresses_(std::move(addresses)),
      due_(ngx_current_msec),
      ended_(ended),
      data_(data)
{
    if (!addresses_.empty()) {
        due_ += kGoodLifetime;
    }
}

AddressBook::~AddressBook()
{
    if (query_ && query_->nginx) {
        ngx_resolve_name_done(query_->nginx);
    }
}

const std::vector<std::string> &AddressBook::addresses()
{
    if (query_ == nullptr && is_due(due_)) {
        refresh();
    }
    return addresses_;
}

void AddressBook::refresh()
{
    query_ = std::make_unique<Query>();
    query_->book = this;
    bool started = guarded(ngx_cycle->log, false, [&] {
        return resolver_ ? start_nginx(*query_) : start_system(*query_);
    });
    if (!started) {
        query_.reset();
        due_ = ngx_current_msec + kBadLifetime;
    }
}

void AddressBook::finish(std::vector<std::string> found, ngx_msec_t lifetime)
{
    query_.reset();
    due_ = ngx_current_msec + (found.empty() ? kBadLifetime : lifetime);
    if (found.empty()) {
        guarded(ngx_cycle->log, 0, [&] {
            log_line(NGX_LOG_ERR, ngx_cycle->log,
                     std::string("no address found for ") + use_ + " \"" + host_
                         + "\""
                         + (addresses_.empty()
                                ? "; check the name and the resolver"
                                : "; the last good ones stay in use"));
            return 0;
        });
    } else {
        addresses_ = std::move(found);
    }
    ended_(data_);
}

bool AddressBook::start_system(Query &query)
{
    query.result = std::make_shared<ThreadResult>();
    query.result->host = host_;
    query.result->report = query.report.open();
    return query.result->report.is_open()
           && start_thread([result = query.result] { run_thread(*result); });
}

void AddressBook::on_thread_done(void *data)
{
    auto *query = static_cast<Query *>(data);
    query->book->finish(std::move(query->result->found), kGoodLifetime);
}

bool AddressBook::start_nginx(Query &query)
{
    ngx_resolver_ctx_t *ctx = ngx_resolve_start(resolver_, nullptr);
    if (ctx == nullptr || ctx == NGX_NO_RESOLVER) {
        return false;
    }
    ctx->name.data = reinterpret_cast<u_char *>(&host_[0]);
    ctx->name.len = host_.size();
    ctx->handler = on_nginx_done;
    ctx->data = &query;
    ctx->timeout = kQueryTimeout;
    // Payments that wait for it keep a quitting worker by timers of their own.
    ctx->cancelable = 1;
    query.nginx = ctx;
    // May call the handler at once, which frees the query.
    return ngx_resolve_name(ctx) == NGX_OK;
}

void AddressBook::on_nginx_done(ngx_resolver_ctx_t *ctx)
{
    guarded(ngx_cycle->log, 0, [&] {
        auto *query = static_cast<Query *>(ctx->data);
        std::vector<std::string> found;
        ngx_msec_t lifetime = kGoodLifetime;
        if (ctx->state == NGX_OK) {
            guarded(ngx_cycle->log, 0, [&] {
                for (ngx_uint_t i = 0; i < ctx->naddrs; i++) {
                    found.push_back(text_of(ctx->addrs[i]));
                }
                return 0;
            });
            // nginx answers from its cache up to the last second of it.
            time_t left = std::max<time_t>(ctx->valid - ngx_time(), 1);
            lifetime = static_cast<ngx_msec_t>(left) * 1000;
        }
        AddressBook *book = query->book;
        query->nginx = nullptr;
        ngx_resolve_name_done(ctx);
        book->finish(std::move(found), lifetime);
        return 0;
    });
}

}  // namespace x402
