// SPDX-License-Identifier: Apache-2.0
// One paid location as a manifest tells of it.
#ifndef NGX_HTTP_X402_MANIFEST_ROUTE_HPP
#define NGX_HTTP_X402_MANIFEST_ROUTE_HPP

#include "nginx/conf/ngx_http_x402_manifest_list.hpp"
#include "protocol/manifest.hpp"

namespace x402 {

bool is_regex(const ngx_http_core_loc_conf_t &core);

// As in OpenAPI; empty: it cannot be said.
std::string path_of(const SoldLocation &sold);

// Precondition: the location has an offer. Lifetime: the configuration.
ManifestRoute route_of(const SoldLocation &sold, std::string path);

}  // namespace x402

#endif
