// SPDX-License-Identifier: Apache-2.0
// Where the module stands in nginx's phases.
#include "nginx/books/ngx_http_x402_ledger.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "nginx/payment/ngx_http_x402_access.hpp"
#include "nginx/payment/ngx_http_x402_shadow.hpp"
#include "nginx/reply/ngx_http_x402_cors.hpp"
#include "nginx/request/ngx_http_x402_payment_headers.hpp"
#include "nginx/worker/ngx_http_x402_webhook.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

bool add_handler(ngx_http_core_main_conf_t *cmcf, ngx_http_phases phase,
                 ngx_http_handler_pt handler)
{
    auto *slot = static_cast<ngx_http_handler_pt *>(
        ngx_array_push(&cmcf->phases[phase].handlers));
    if (slot == nullptr) {
        return false;
    }
    *slot = handler;
    return true;
}

// nginx: handlers of the log phase run in the order of registration; the access
// log is to see what was found.
bool add_first_log_handler(ngx_http_core_main_conf_t *cmcf)
{
    ngx_array_t &handlers = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers;
    if (!add_handler(cmcf, NGX_HTTP_LOG_PHASE, on_log)) {
        return false;
    }
    auto *list = static_cast<ngx_http_handler_pt *>(handlers.elts);
    ngx_memmove(list + 1, list,
                (handlers.nelts - 1) * sizeof(ngx_http_handler_pt));
    list[0] = on_log;
    return true;
}

// nginx: handlers of a phase run in reverse order of registration, so that a
// dynamic module would run first. The price comes last: a client that is
// refused by password or address is never charged, and under `satisfy any` a
// client that is admitted pays nothing. Preflights are answered first
// (reply/ngx_http_x402_cors.hpp says why).
bool add_last_access_handler(ngx_http_core_main_conf_t *cmcf)
{
    ngx_array_t &handlers = cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers;
    if (!add_handler(cmcf, NGX_HTTP_ACCESS_PHASE, on_access)) {
        return false;
    }
    auto *list = static_cast<ngx_http_handler_pt *>(handlers.elts);
    ngx_memmove(list + 1, list,
                (handlers.nelts - 1) * sizeof(ngx_http_handler_pt));
    list[0] = on_access;
    return true;
}

}  // namespace

}  // namespace x402

using namespace x402;

namespace {

bool add_books(ngx_conf_t *cf, MainConf &mcf)
{
    if (!mcf.paid && !mcf.status) {
        return true;
    }
    for (const FacilitatorConf *facilitator : mcf.facilitators) {
        mcf.books->add_facilitator(facilitator->url.base());
    }
    const JournalFile *journal = mcf.zone ? journal_of(mcf.zone) : nullptr;
    bool by_default = mcf.paid && journal && !mcf.http_loc_conf->ledger_written;
    return mcf.books->add_zone(cf)
           && add_webhook(cf, mcf, journal ? journal->path() : std::string())
           && (!by_default || add_default_ledger(cf, journal->path()));
}

// Forgotten, it would be a shop that gives everything away.
void warn_of_shadow(ngx_conf_t *cf, const MainConf &mcf)
{
    if (mcf.shadow_at.line != 0) {
        log_conf(cf, NGX_LOG_WARN,
                 "x402 shadow: this price, and others that are written below "
                 "\"x402 shadow\", is only tried, and no client is asked for "
                 "money; write \"x402 on\" to sell",
                 mcf.shadow_at);
    }
}

void warn_of_made_key(ngx_conf_t *cf, const MainConf &mcf)
{
    if (mcf.made_key_at.line != 0) {
        log_conf(cf, NGX_LOG_WARN,
                 "\"x402_protocol mpp\" has no key in a file, so that "
                 "challenges are lost at a restart and invalid on other "
                 "machines; write x402_mpp key=file",
                 mcf.made_key_at);
    }
}

void warn_of_mpp_password(ngx_conf_t *cf, const MainConf &mcf)
{
    if (mcf.mpp_password_at.line != 0) {
        log_conf(
            cf, NGX_LOG_WARN,
            "\"x402_protocol mpp\" beside auth_basic: a client cannot "
            "send both a password and an MPP payment, because both use the "
            "header Authorization; write \"satisfy any\", or the protocol "
            "without mpp",
            mcf.mpp_password_at);
    }
}

ngx_int_t postconfiguration(ngx_conf_t *cf)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    MainConf *mcf = main_conf(cf);

    if (mcf->paid && mcf->zone == nullptr) {
        mcf->zone = add_zone(cf, to_ngx_str(kDefaultZone), kDefaultZoneBytes);
        if (mcf->zone == nullptr) {
            return NGX_ERROR;
        }
    }
    report_unused_settings(cf, *mcf);
    if (!check_member_names(cf) || !check_store(cf, *mcf)
        || !add_books(cf, *mcf)) {
        return NGX_ERROR;
    }
    mcf->error_pages->warn(cf);
    mcf->error_pages->warn_of_refused_paths(cf);
    mcf->error_pages->warn_of_ways_around(cf);
    mcf->error_pages->warn_of_sold_pages(cf);
    mcf->error_pages->warn_of_admission(cf);
    check_limit_zones(cf);
    check_journal_kept(cf, *mcf);
    check_body_variables(cf, *mcf);
    collect_reply_fields(cf, *mcf);
    warn_of_shadow(cf, *mcf);
    warn_of_made_key(cf, *mcf);
    warn_of_mpp_password(cf, *mcf);
    if (!build_manifests(cf, *mcf) || !build_did_documents(cf, *mcf)) {
        return NGX_ERROR;
    }
    bool added = add_handler(cmcf, NGX_HTTP_PREACCESS_PHASE, on_preaccess)
                 && add_last_access_handler(cmcf)
                 && (!mcf->cors
                     || add_handler(cmcf, NGX_HTTP_ACCESS_PHASE, on_preflight))
                 && add_handler(cmcf, NGX_HTTP_PRECONTENT_PHASE, on_precontent)
                 && (mcf->shadow_at.line == 0 || add_first_log_handler(cmcf));
    return added ? NGX_OK : NGX_ERROR;
}

}  // namespace

ngx_int_t ngx_http_x402_postconfiguration(ngx_conf_t *cf)
{
    return guarded(cf->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return postconfiguration(cf); });
}
