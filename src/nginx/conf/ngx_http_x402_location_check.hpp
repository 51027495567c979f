// What is probably a mistake in a paid location: said when the configuration
// is read, since at run time it shows as content given away, or as clients that
// cannot pay.
#ifndef NGX_HTTP_X402_LOCATION_CHECK_HPP
#define NGX_HTTP_X402_LOCATION_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// By merge, for a paid location with its offer and its facilitators; prints
// warnings. `new_offer`: the offer was not inherited as it is, so that what is
// wrong with it was not said before. False: an error was printed.
bool check_location(ngx_conf_t *cf, const LocationConf &conf, bool new_offer);

// By merge, for every location: variables that are used where they are still
// empty, and content or redirects of the rewrite phase in a paid location.
void check_rewrite(ngx_conf_t *cf, const LocationConf &conf);

// When all locations were merged.
void check_body_variables(ngx_conf_t *cf, const MainConf &mcf);

}  // namespace x402

#endif
