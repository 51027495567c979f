// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_checks.hpp"

#include <algorithm>

#include "nginx/conf/ngx_http_x402_foreign_settings.hpp"
#include "nginx/conf/ngx_http_x402_hidden_location.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_mpp.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

namespace x402 {

namespace {

template <class Conf> Conf *core_conf(void **confs)
{
    return static_cast<Conf *>(confs[ngx_http_core_module.ctx_index]);
}

// `=200` and the like make it an ordinary request, which is charged as one.
bool stays_an_error(const ngx_http_err_page_t &page)
{
    return page.overwrite == -1 || page.overwrite >= NGX_HTTP_BAD_REQUEST;
}

bool is_server_level(const ngx_http_core_loc_conf_t &location)
{
    return location.name.len == 0 && !location.noname;
}

}  // namespace

void mark_settings_used(const LocationConf &conf)
{
    if (conf.mpp && conf.mpp_written) {
        *conf.mpp_written->used = true;
    }
    if (conf.stream && conf.charge) {
        *conf.stream->used = true;
    }
    if (conf.seal_keys && (conf.mpp || conf.pass || conf.sign_in)) {
        *conf.seal_keys->used = true;
    }
    for (bool *used : {conf.label_used, conf.ledger_used}) {
        if (used != nullptr) {
            *used = true;
        }
    }
}

void warn_of_page_price(ngx_conf_t *cf, const LocationConf &conf,
                        bool price_written)
{
    bool page =
        conf.status != StatusFormat::none || conf.manifest || conf.did_document;
    if (page && price_written && !conf.has_price()
        && conf.enabled_directive == NGX_CONF_UNSET) {
        log_conf(cf, NGX_LOG_WARN,
                 "the price has no effect: x402_status, x402_manifest and "
                 "x402_did_document are free unless \"x402 on\" is written "
                 "beside them",
                 conf.origin);
    }
}

void warn_of_hidden_page(ngx_conf_t *cf, const LocationConf &conf,
                         const RewriteUse &rewrites)
{
    const auto *core = static_cast<const ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (conf.page_handler == nullptr || core->noname) {
        return;
    }
    std::string name = conf.manifest       ? "x402_manifest"
                       : conf.did_document ? "x402_did_document"
                                           : "x402_status";
    std::string why;
    if (rewrites.always_returns != 0) {
        why = " is never shown: \"return\" answers before it";
    } else if (core->handler != conf.page_handler) {
        why = " is never shown: a directive behind it, such as proxy_pass, "
              "answers instead";
    } else if (conf.page_hides) {
        why = " is shown instead of what a directive before it, such as "
              "proxy_pass, would answer";
    } else {
        return;
    }
    log_conf(cf, NGX_LOG_WARN,
             name + why + "; write it into a location of its own",
             conf.page_origin);
}

void report_unused_settings(ngx_conf_t *cf, const MainConf &mcf)
{
    for (const WrittenSetting &setting : mcf.settings) {
        if (!*setting.used) {
            log_conf(cf, NGX_LOG_WARN, setting.sentence, setting.origin);
        }
    }
    for (const NamedZone &named : mcf.named_zones) {
        if (named.zone->shm.size == 0) {
            std::string name = copy(named.zone->shm.name);
            log_conf(cf, NGX_LOG_WARN,
                     "zone \"" + name
                         + "\" has no size, so it gets 1m; write "
                           "zone="
                         + name + ":1m at one of its places",
                     named.origin);
            named.zone->shm.size = kTableZoneBytes;
        }
    }
}

void ErrorPageCheck::note(ngx_conf_t *cf, const LocationConf &conf,
                          const LocationConf &outer, const RewriteUse &rewrites)
{
    auto *ctx = static_cast<ngx_http_conf_ctx_t *>(cf->ctx);
    const auto *core = core_conf<ngx_http_core_loc_conf_t>(ctx->loc_conf);
    const auto *server = core_conf<ngx_http_core_srv_conf_t>(ctx->srv_conf);
    Server &known = servers_[server];
    if (known.level == kNone && is_server_level(*core)) {
        known.level = locations_.size();
    }
    locations_.push_back(
        {server, core, &conf, &outer, rewrites,
         !conf.has_price()
             && visibility_of(cf, ctx->loc_conf) == Visibility::hidden,
         checks_clients(cf, ctx->loc_conf),
         accepts_any_certificate(cf, ctx->srv_conf),
         admitted_without_payment(cf, ctx->loc_conf),
         method_setter(cf, ctx->loc_conf), stored_file(cf, ctx->loc_conf)});
    known.by_conf.emplace(&conf, locations_.size() - 1);
    add_name(known, locations_.size() - 1);
}

void ErrorPageCheck::add_name(Server &server, std::size_t index)
{
    const ngx_http_core_loc_conf_t &core = *locations_[index].core;
    if (core.noname || core.name.len == 0) {
        return;
    }
#if (NGX_PCRE)
    if (core.regex) {
        server.regexes.push_back(index);
        return;
    }
#endif
    bool whole = core.exact_match || core.named;
    (whole ? server.exact : server.prefixes).emplace(view(core.name), index);
}

// As nginx chooses among names. Regular expressions are left out: a warning
// does not have to be complete.
const ErrorPageCheck::Location *
ErrorPageCheck::target_of(const ngx_http_core_srv_conf_t *server,
                          std::string_view uri) const
{
    std::string_view path = uri.substr(0, uri.find('?'));
    auto known = servers_.find(server);
    if (known == servers_.end()) {
        return nullptr;
    }
    auto exact = known->second.exact.find(path);
    if (exact != known->second.exact.end()) {
        return &locations_[exact->second];
    }
    for (; !path.empty(); path.remove_suffix(1)) {
        auto prefix = known->second.prefixes.find(path);
        if (prefix != known->second.prefixes.end()) {
            return &locations_[prefix->second];
        }
    }
    return nullptr;
}

void ErrorPageCheck::warn(ngx_conf_t *cf) const
{
    std::vector<std::pair<const void *, const void *>> seen;
    for (const Location &location : locations_) {
        const ngx_array_t *pages = location.core->error_pages;
        std::pair<const void *, const void *> key{location.server, pages};
        if (pages == nullptr
            || std::find(seen.begin(), seen.end(), key) != seen.end()) {
            continue;
        }
        seen.push_back(key);
        auto *page = static_cast<const ngx_http_err_page_t *>(pages->elts);
        for (ngx_uint_t i = 0; i < pages->nelts; i++) {
            if (page[i].value.lengths || !stays_an_error(page[i])) {
                continue;
            }
            const Location *target =
                target_of(location.server, view(page[i].value.value));
            if (target && target->conf->enabled
                && target->conf->price_in_location) {
                log_conf(cf, NGX_LOG_WARN,
                         "error_page " + std::to_string(page[i].status)
                             + " leads to \"" + copy(page[i].value.value)
                             + "\", which has a price of its own: errors are "
                               "not sold, nginx's plain page is shown instead; "
                               "write \"x402 off\" there, price",
                         target->conf->origin);
            }
        }
    }
}

void ErrorPageCheck::warn_of_refused_paths(ngx_conf_t *cf) const
{
    for (const auto &[server, known] : servers_) {
        if (known.level == kNone || known.prefixes.count("/") != 0) {
            continue;
        }
        const LocationConf &conf = *locations_[known.level].conf;
        if (!conf.has_price() || conf.offer != nullptr
            || asks_signature_alone(conf)) {
            continue;
        }
        std::string fate =
            conf.shadow ? "counted as refused" : "answered with 500";
        log_conf(cf, NGX_LOG_WARN,
                 "paths that no location takes are " + fate
                     + ", because this server has no complete offer of its "
                       "own; write \"location / { x402 off; }\" if they are "
                       "free, or complete the offer",
                 conf.origin);
    }
}

}  // namespace x402
