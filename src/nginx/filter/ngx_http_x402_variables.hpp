// SPDX-License-Identifier: Apache-2.0
// The variables $x402_...: what operators see of a request. They decide
// nothing, and allocate nothing for a request without a price. Sources:
// variables, and json_variables for members of bodies, answers and settlements.
#ifndef NGX_HTTP_X402_VARIABLES_HPP
#define NGX_HTTP_X402_VARIABLES_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Preconfiguration: the table of ngx_http_x402_module.c.
bool add_variables(ngx_conf_t *cf);

}  // namespace x402

#endif
