// SPDX-License-Identifier: Apache-2.0
// x402_protocol and x402_validity: which payments a location accepts.
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

namespace {

char *set_protocol(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->dialects != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *dialects = pool_new<Dialects>(cf->pool);
    if (dialects == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        const Dialect *dialect = find_dialect(word);
        if (dialect == nullptr) {
            return conf_error(cf, "unknown protocol \"" + std::string(word)
                                      + "\"; write one of " + dialect_names()
                                      + ", or \"v2 v1\""
                                      + near_dialect_question(word));
        }
        for (const Dialect *other : *dialects) {
            if (other == dialect) {
                return conf_error(cf, "protocol \"" + std::string(word)
                                          + "\" is written twice");
            }
            if (other->uses_bearer_tokens() || dialect->uses_bearer_tokens()) {
                return conf_error(cf, "\"nevermined\" cannot be combined with "
                                      "other protocols at one location");
            }
            if (other->payment_header() == dialect->payment_header()) {
                return conf_error(cf, "payments of \""
                                          + std::string(other->name())
                                          + "\" and \"" + std::string(word)
                                          + "\" come in the same header; write "
                                            "one of them");
            }
        }
        dialects->push_back(dialect);
    }
    // x402: if a request carries both payments, the newer version counts.
    if (dialects->size() > 1 && dialects->front() != &dialect_v2()) {
        return conf_error(cf, "write \"v2 "
                                  + std::string(dialects->front()->name())
                                  + "\": a payment of version 2 is preferred "
                                    "where both are accepted");
    }
    lcf->dialects = dialects;
    record_first_origin(cf, *lcf);
    return NGX_CONF_OK;
}

// Claims are kept that long, and the zone has to hold all of them.
constexpr ngx_uint_t kLongestSeconds = 7 * 24 * 3600;

char *set_validity(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    struct {
        std::string_view key;
        ngx_uint_t *target;
    } known[] = {
        {"min=", &lcf->validity_min},
        {"max=", &lcf->validity_max},
    };
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        ngx_str_t word = arguments(cf)[i];
        ngx_uint_t *target = nullptr;
        for (auto &entry : known) {
            if (view(word).substr(0, entry.key.size()) == entry.key) {
                target = entry.target;
            }
        }
        if (target == nullptr) {
            return conf_error(cf, "unknown parameter \"" + copy(word)
                                      + "\"; write min= or max= and a time");
        }
        if (*target != NGX_CONF_UNSET_UINT) {
            return const_cast<char *>("is duplicate");
        }
        ngx_str_t value = {word.len - 4, word.data + 4};
        time_t seconds = ngx_parse_time(&value, 1);
        if (value.len == 0 || seconds == static_cast<time_t>(NGX_ERROR)
            || static_cast<ngx_uint_t>(seconds) > kLongestSeconds) {
            return conf_error(cf, "\"" + copy(word)
                                      + "\" must be a time of at most 7d, like "
                                        "30s or 1h");
        }
        *target = static_cast<ngx_uint_t>(seconds);
    }
    if (lcf->validity_min != NGX_CONF_UNSET_UINT
        && lcf->validity_max != NGX_CONF_UNSET_UINT
        && lcf->validity_min >= lcf->validity_max) {
        return conf_error(cf, "min= must be less than max=");
    }
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_protocol(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_protocol, conf);
}

char *ngx_http_x402_set_validity(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_validity, conf);
}
