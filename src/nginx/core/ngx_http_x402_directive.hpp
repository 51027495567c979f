// SPDX-License-Identifier: Apache-2.0
// What directive setters share: their arguments, and errors for the operator.
#ifndef NGX_HTTP_X402_DIRECTIVE_HPP
#define NGX_HTTP_X402_DIRECTIVE_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "policy/price_text.hpp"

namespace x402 {

inline const ngx_str_t *arguments(ngx_conf_t *cf)
{
    return static_cast<const ngx_str_t *>(cf->args->elts);
}

inline char *conf_error(ngx_conf_t *cf, const std::string &sentence)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%*s", sentence.size(),
                       sentence.data());
    return static_cast<char *>(NGX_CONF_ERROR);
}

inline char *config_guarded(ngx_conf_t *cf, char *(*body)(ngx_conf_t *, void *),
                            void *conf)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return body(cf, conf); });
}

inline void record_origin(ngx_conf_t *cf, ConfOrigin &origin)
{
    origin.file = cf->conf_file->file.name;
    origin.line = cf->conf_file->line;
}

// Of the directive that is read. `sentence`: a constant; it is said unless
// `used` is true when all of the configuration was read. Lifetime of `used`:
// the configuration cycle. nullptr: memory ran out.
inline bool *record_setting(ngx_conf_t *cf, const char *sentence)
{
    bool *used = pool_new<bool>(cf->pool, false);
    if (used != nullptr) {
        WrittenSetting setting{used, sentence, {}};
        record_origin(cf, setting.origin);
        main_conf(cf)->settings.push_back(setting);
    }
    return used;
}

// A page of the module becomes the content of the location that is read.
inline void set_page(ngx_conf_t *cf, LocationConf &conf,
                     ngx_http_handler_pt handler)
{
    auto *core = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    conf.page_hides = core->handler != nullptr;
    conf.page_handler = core->handler = handler;
    record_origin(cf, conf.page_origin);
}

// A zone that was named by the directive that is read: its size may be written
// elsewhere, which is checked when all was read.
inline void record_zone_size(ngx_conf_t *cf, ngx_shm_zone_t *zone)
{
    if (zone->shm.size == 0) {
        NamedZone named{zone, {}};
        record_origin(cf, named.origin);
        main_conf(cf)->named_zones.push_back(named);
    }
}

// Where a location's offer is written: what changes it first, until the price
// takes the place of that.
inline void record_first_origin(ngx_conf_t *cf, LocationConf &conf)
{
    if (conf.origin.line == 0) {
        record_origin(cf, conf.origin);
    }
}

// Variables are for amounts and receivers only: the kind of money has to be
// known when the configuration is read.
inline std::string validate_variable(std::string_view what,
                                     std::string_view text)
{
    if (!has_variable(text)) {
        return {};
    }
    return "\"" + std::string(what)
           + "\" takes no variables; write a constant, found \""
           + std::string(text) + "\"";
}

inline bool read_seconds(ngx_str_t text, ngx_uint_t &seconds)
{
    time_t value = ngx_parse_time(&text, 1);
    if (value == static_cast<time_t>(NGX_ERROR) || value < 1
        || value > 0x7fffffff) {
        return false;
    }
    seconds = static_cast<ngx_uint_t>(value);
    return true;
}

}  // namespace x402

#endif
