// SPDX-License-Identifier: Apache-2.0
// A whole document as the answer of a content handler, and the handler of
// x402_did_document.
#ifndef NGX_HTTP_X402_DOCUMENT_HPP
#define NGX_HTTP_X402_DOCUMENT_HPP

#include <cstddef>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// This body, with 200 or another status; what it returns is the handler's.
// `type_length` is the length of the type without its parameters. Lifetime of
// `text` and `type`: the request's pool, or longer.
ngx_int_t send_document(ngx_http_request_t *r, std::string_view text,
                        std::string_view type, std::size_t type_length,
                        ngx_uint_t status = NGX_HTTP_OK);

// The same for JSON that everyone may know: scripts of any origin may read it.
// Other methods than GET and HEAD get 405. `text` is static, or the
// configuration's, or the request pool's.
ngx_int_t send_public_json(ngx_http_request_t *r, std::string_view text);

// x402_did_document: a content handler for the public keys by which signed
// offers and receipts are checked.

// The handler of such a location.
ngx_int_t on_did_document(ngx_http_request_t *r);

}  // namespace x402

#endif
