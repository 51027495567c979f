#include "nginx/conf/ngx_http_x402_journal_check.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_offer.hpp"
#include "nginx/store/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

bool sells_on_fast(const LocationOffer &offer)
{
    for (const LocationTerm &term : offer.terms) {
        std::string network = caip2_network(term.terms.network).value_or("");
        if (network.compare(0, 5, "fast:") == 0) {
            return true;
        }
    }
    return false;
}

}  // namespace

void record_only_guard(MainConf &mcf, const LocationConf &conf)
{
    if (mcf.only_guard_of != nullptr || conf.offer == nullptr) {
        return;
    }
    if (conf.settle == NGX_HTTP_X402_SETTLE_OFF) {
        mcf.only_guard_of = "\"x402_settle off\"";
    } else if (sells_on_fast(*conf.offer)) {
        mcf.only_guard_of = "a Fast network";
    }
    mcf.only_guard_at = conf.origin;
}

void advise_journal(ngx_conf_t *cf, const MainConf &mcf)
{
    if (mcf.only_guard_of == nullptr || has_journal(mcf.zone)) {
        return;
    }
    log_conf(cf, NGX_LOG_WARN,
             std::string("with ") + mcf.only_guard_of
                 + " only the zone keeps a payment from being used twice, and "
                   "a restart empties it; write x402_zone with journal=path",
             mcf.only_guard_at);
}

}  // namespace x402
