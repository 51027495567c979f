// SPDX-License-Identifier: Apache-2.0
// The names by which clients know a server, for what the server signs or has
// signed: a client must not choose them.
#ifndef NGX_HTTP_X402_OWN_NAMES_CHECK_HPP
#define NGX_HTTP_X402_OWN_NAMES_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// From merge: into conf.server_names. False: no memory.
bool record_own_names(ngx_conf_t *cf, LocationConf &conf);

// From merge, for a paid location: a location that signs its offers knows the
// names that it may sign for. False: an error was printed, or memory
// ran out.
bool check_signed_names(ngx_conf_t *cf, LocationConf &conf);

}  // namespace x402

#endif
