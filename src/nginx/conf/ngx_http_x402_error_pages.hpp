// SPDX-License-Identifier: Apache-2.0
// A warning at configuration time: an error_page that leads into a location
// with a price of its own is never shown there.
#ifndef NGX_HTTP_X402_ERROR_PAGES_HPP
#define NGX_HTTP_X402_ERROR_PAGES_HPP

#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Merge adds every location; lives as long as the main conf.
class ErrorPageCheck {
public:
    // The location being merged: cf->ctx is its context.
    void note(ngx_conf_t *cf, const LocationConf &conf);
    // After all of them were merged.
    void warn(ngx_conf_t *cf) const;

private:
    struct Location {
        const ngx_http_core_srv_conf_t *server;
        const ngx_http_core_loc_conf_t *core;
        const LocationConf *conf;
    };

    const Location *target_of(const ngx_http_core_srv_conf_t *server,
                              std::string_view uri) const;

    std::vector<Location> locations_;
};

}  // namespace x402

#endif
