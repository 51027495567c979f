// SPDX-License-Identifier: Apache-2.0
// x402_did_document: a content handler for the public keys by which signed
// offers and receipts are checked.
#ifndef NGX_HTTP_X402_DID_HPP
#define NGX_HTTP_X402_DID_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// The handler of such a location.
ngx_int_t on_did_document(ngx_http_request_t *r);

}  // namespace x402

#endif
