// SPDX-License-Identifier: Apache-2.0
// The extensions of a location, for offers and for payments.
#ifndef NGX_HTTP_X402_EXTENSIONS_HPP
#define NGX_HTTP_X402_EXTENSIONS_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "protocol/extension_list.hpp"

namespace x402 {

// The extensions of x402_extension; an empty list if there are none.
const Extensions &extensions_of(const LocationConf &conf);

// `extensions` of the offer to this request, as JSON; empty: none.
std::string extensions_json(const LocationConf &conf, ngx_http_request_t *r);

// The same without a request, to measure an offer.
std::string extensions_json(const LocationConf &conf);

// Whether a payment's member `extensions` (absent too) is an echo of that.
bool echoes_extensions(const LocationConf &conf, ngx_http_request_t *r,
                       JsonValue echoed);

}  // namespace x402

#endif
