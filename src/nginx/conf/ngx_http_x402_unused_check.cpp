// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_unused_check.hpp"

#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_mpp.hpp"
#include "nginx/offer/ngx_http_x402_seal_keys.hpp"
#include "nginx/store/ngx_http_x402_table_zone.hpp"

namespace x402 {

bool *note_setting(ngx_conf_t *cf, const char *sentence)
{
    bool *used = pool_new<bool>(cf->pool, false);
    if (used != nullptr) {
        WrittenSetting setting{used, sentence, {}};
        record_origin(cf, setting.origin);
        main_conf(cf)->settings.push_back(setting);
    }
    return used;
}

void mark_settings_used(const LocationConf &conf)
{
    if (conf.mpp && conf.mpp_written) {
        *conf.mpp_written->used = true;
    }
    if (conf.seal_keys && (conf.mpp || conf.pass || conf.sign_in)) {
        *conf.seal_keys->used = true;
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

void settle_written(ngx_conf_t *cf, const MainConf &mcf)
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

}  // namespace x402
