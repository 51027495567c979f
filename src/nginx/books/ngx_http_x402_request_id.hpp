// SPDX-License-Identifier: Apache-2.0
// $request_id for the ledger. nginx asks OpenSSL for each id, which takes 7,000
// instructions; here one call is for many. What reads the variable afterwards
// reads this id, and what read it before has made the one that is used here.
#ifndef NGX_HTTP_X402_REQUEST_ID_HPP
#define NGX_HTTP_X402_REQUEST_ID_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// `index`: that of $request_id. 32 hexadecimal digits; empty: there is no
// memory, or the request has ended without one. Lifetime: the request.
std::string_view request_id(ngx_http_request_t *r, ngx_uint_t index);

}  // namespace x402

#endif
