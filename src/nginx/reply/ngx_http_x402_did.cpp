// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_did.hpp"

#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "nginx/reply/ngx_http_x402_document.hpp"

namespace x402 {

ngx_int_t on_did_document(ngx_http_request_t *r)
{
    return guarded(
        r->connection->log,
        static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
        [&] { return send_public_json(r, loc_conf(r)->did_document->text); });
}

}  // namespace x402
