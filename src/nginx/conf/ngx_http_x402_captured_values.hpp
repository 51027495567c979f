// SPDX-License-Identifier: Apache-2.0
// Finds the variables in a value that are parts of the path or of the host, as
// a regular expression has captured them: a client writes those itself.
#ifndef NGX_HTTP_X402_CAPTURED_VALUES_HPP
#define NGX_HTTP_X402_CAPTURED_VALUES_HPP

#include <string>
#include <string_view>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// The first such variable of this location and its server; empty: none. $1 is a
// dollar. A group that lists its words, such as (?<size>small|large), is
// not one: what each of them costs was written down.
std::string captured_variable(ngx_conf_t *cf, std::string_view value,
                              const ngx_http_core_loc_conf_t &location,
                              const ngx_http_core_srv_conf_t &server);

}  // namespace x402

#endif
