// SPDX-License-Identifier: Apache-2.0
// What is written and would silently do nothing, or fail with a message of
// nginx that names no line.
#ifndef NGX_HTTP_X402_UNUSED_CHECK_HPP
#define NGX_HTTP_X402_UNUSED_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// By a setter, of the directive that is read. `sentence`: a constant; it is
// said unless `used` is true when all of the configuration was read. Lifetime
// of `used`: the configuration cycle. nullptr: memory ran out.
bool *note_setting(ngx_conf_t *cf, const char *sentence);

// From merge, for a location with a price.
void mark_settings_used(const LocationConf &conf);

// When all of the configuration was read: warns, and gives zones their size.
void settle_written(ngx_conf_t *cf, const MainConf &mcf);

// From merge: a price of the level of a page of the module, which is free.
void warn_of_page_price(ngx_conf_t *cf, const LocationConf &conf,
                        bool price_written);

}  // namespace x402

#endif
