// SPDX-License-Identifier: Apache-2.0
// Payment headers of the request, the phase that sees them first, and what
// upstreams say a payment under scheme upto costs.
#ifndef NGX_HTTP_X402_PAYMENT_HEADERS_HPP
#define NGX_HTTP_X402_PAYMENT_HEADERS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Preaccess, every request and subrequest of a paid location.
ngx_int_t on_preaccess(ngx_http_request_t *r);
// Precontent: the access phase of this location was passed.
ngx_int_t on_precontent(ngx_http_request_t *r);

// The payment headers that are still in the request. Lifetime: the list's and
// the configuration's.
PresentedHeaders presented_payments(ngx_list_t &list, const LocationConf &conf);

// The payment that counts: that of the best of these dialects that was used;
// both nullptr if none was. Lifetime of the header: the argument's.
struct ChosenPayment {
    const Presented *header = nullptr;
    const Dialect *dialect = nullptr;
    bool two_protocols = false;  // there is another one, of MPP or beside it
    // One of several is never chosen silently.
    bool usable() const
    {
        return header && header->count == 1 && header->value.len != 0
               && !two_protocols;
    }
};
ChosenPayment chosen_payment(const PresentedHeaders &presented,
                             const Dialects &dialects);

// Adds to ctx.overrides what the upstream of this moment says, once for each
// upstream. The header filter asks for the upstream that made the content; an
// upstream that answered with X-Accel-Redirect has to be asked before another
// one takes its place.
void record_overrides(RequestCtx &ctx);

}  // namespace x402

#endif
