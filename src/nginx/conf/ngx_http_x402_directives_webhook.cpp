// SPDX-License-Identifier: Apache-2.0
// x402_webhook: where events of the ledger are sent until they are received.
#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_webhook.hpp"
#include "protocol/ledger_line.hpp"
#include "protocol/webhook_message.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestSecret = 4096;

std::uint32_t bit_of(LedgerEventKind kind)
{
    return std::uint32_t{1} << static_cast<unsigned>(kind);
}

// Everything about money; what is only tried has to be asked for.
constexpr std::uint32_t kMoneyEvents =
    (std::uint32_t{1} << static_cast<unsigned>(
         LedgerEventKind::would_challenge))
    - 1;

// What is wrong with a list of events; empty: nothing is.
std::string read_events(std::string_view list, std::uint32_t &events)
{
    for (;;) {
        std::size_t comma = list.find(',');
        std::string_view name = list.substr(0, comma);
        auto kind = ledger_event_named(name);
        if (!kind) {
            return "unknown event \"" + std::string(name)
                   + "\"; write names of x402_ledger, such as "
                     "events=settled,owed";
        }
        events |= bit_of(*kind);
        if (comma == std::string_view::npos) {
            return {};
        }
        list.remove_prefix(comma + 1);
    }
}

char *read_secret(ngx_conf_t *cf, ngx_str_t path, WebhookConf &webhook)
{
    SecretText text;
    char *rc = read_secret_file(cf, path, kLongestSecret, text, kMakeRandom);
    if (rc != NGX_CONF_OK) {
        return rc;
    }
    auto secret = read_webhook_secret(text.view());
    if (!secret) {
        return config_file_error(cf, path, 0, secret.problem().text);
    }
    webhook.secret = std::move(secret.value());
    return NGX_CONF_OK;
}

char *read_parameter(ngx_conf_t *cf, ngx_str_t word, WebhookConf &webhook)
{
    constexpr std::string_view kEvents = "events=";
    constexpr std::string_view kSecret = "secret=";
    std::string_view text = view(word);
    if (text.substr(0, kEvents.size()) == kEvents && webhook.events == 0) {
        std::string error =
            read_events(text.substr(kEvents.size()), webhook.events);
        return error.empty() ? NGX_CONF_OK : conf_error(cf, error);
    }
    if (text.substr(0, kSecret.size()) == kSecret && webhook.secret.empty()
        && text.size() > kSecret.size()) {
        ngx_str_t path = {word.len - kSecret.size(),
                          word.data + kSecret.size()};
        return read_secret(cf, path, webhook);
    }
    return conf_error(cf, "unknown or repeated parameter \"" + std::string(text)
                              + "\"; write events=name,... or secret=file");
}

// What is wrong with the address of a receiver; empty: nothing is.
std::string validate_receiver(std::string_view url)
{
    std::string error = validate_variable("x402_webhook", url);
    if (error.empty() && url.find_first_of("?#") != std::string_view::npos) {
        return "receiver \"" + std::string(url)
               + "\" must not have a query or a fragment; give it a path of "
                 "its "
                 "own, and secret=file to sign the events";
    }
    auto parsed = parse_facilitator_url(url);
    if (error.empty() && !parsed) {
        constexpr std::string_view kOther = "facilitator";
        error = "receiver" + parsed.problem().text.substr(kOther.size());
    }
    return error;
}

char *set_webhook(ngx_conf_t *cf, void *)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->webhook != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    std::string_view url = view(arguments(cf)[1]);
    std::string error = validate_receiver(url);
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    auto *webhook = pool_new<WebhookConf>(cf->pool);
    if (webhook == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    webhook->url = std::string(url);
    record_origin(cf, webhook->origin);
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        char *rc = read_parameter(cf, arguments(cf)[i], *webhook);
        if (rc != NGX_CONF_OK) {
            return rc;
        }
    }
    if (webhook->events == 0) {
        webhook->events = kMoneyEvents;
    }
    mcf->webhook = webhook;
    return NGX_CONF_OK;
}

}  // namespace

bool add_webhook(ngx_conf_t *cf, MainConf &mcf, const std::string &journal)
{
    WebhookConf *webhook = mcf.webhook;
    if (webhook == nullptr || !mcf.paid) {
        return true;
    }
    if (journal.empty()) {
        log_conf(cf, NGX_LOG_EMERG,
                 "x402_webhook needs a journal, beside which events are kept "
                 "until they are received; write x402_zone with journal=path, "
                 "or use x402_notify if events may be lost",
                 webhook->origin);
        return false;
    }
    FacilitatorTerms terms(*mcf.http_loc_conf, webhook->url);
    terms.origin = webhook->origin;
    webhook->receiver = make_receiver(cf, std::move(terms));
    auto *outbox =
        pool_new<Outbox>(cf->cycle->pool, journal + ".events", webhook->events);
    constexpr std::string_view kRequestId = "request_id";
    ngx_str_t request_id = to_ngx_str(kRequestId);
    mcf.books->request_id = ngx_http_get_variable_index(cf, &request_id);
    if (webhook->receiver == nullptr || outbox == nullptr
        || mcf.books->request_id == NGX_ERROR) {
        return false;
    }
    const FacilitatorUrl &url = webhook->receiver->url;
    if (!url.secure && !url.host_is_private()) {
        log_conf(cf, NGX_LOG_WARN,
                 "x402_webhook sends payers and amounts to \"" + url.base()
                     + "\" without encryption; write https://",
                 webhook->origin);
    }
    mcf.books->set_outbox(outbox);
    return true;
}

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_webhook(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_webhook, conf);
}
