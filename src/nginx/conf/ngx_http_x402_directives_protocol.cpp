// x402_protocol: which dialects a location speaks.
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_location_offer.hpp"

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
    // x402: where both payments come, the newer counts.
    if (dialects->size() == 2 && dialects->front() != &dialect_v2()) {
        return conf_error(cf, "write \"v2 "
                                  + std::string(dialects->front()->name())
                                  + "\": a payment of version 2 is preferred "
                                    "where both come");
    }
    lcf->dialects = dialects;
    record_first_origin(cf, *lcf);
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_protocol(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_protocol, conf);
}
