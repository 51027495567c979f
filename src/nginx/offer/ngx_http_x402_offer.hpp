// The offer that a location's words make, checked as far as constants tell.
#ifndef NGX_HTTP_X402_OFFER_HPP
#define NGX_HTTP_X402_OFFER_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Whether everything an offer needs has been written somewhere.
bool is_complete(const LocationConf &conf);
// Prints what is missing; NGX_CONF_ERROR.
char *report_incomplete(ngx_conf_t *cf, const LocationConf &conf);

// Builds conf.offer. False: an error was printed.
bool build_offer(ngx_conf_t *cf, LocationConf &conf);

// Fills conf.prepared where the offer varies in nothing but its URL. False: no
// memory.
bool prepare_offers(ngx_conf_t *cf, LocationConf &conf);

// The same question for an offer that is shared, where something beside it was
// written that makes it longer. False: an error was printed.
bool offer_size_ok(ngx_conf_t *cf, const LocationConf &conf);

void warn_of_unused_price(ngx_conf_t *cf, const LocationConf &conf,
                          bool price_written);

}  // namespace x402

#endif
