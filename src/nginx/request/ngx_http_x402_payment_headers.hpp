// Payment headers of the request, and the phase that sees them first.
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

// The one that counts, of the best of these dialects that was used; both
// nullptr when none was. Lifetime of the header: the argument's.
struct ChosenPayment {
    const Presented *header = nullptr;
    const Dialect *dialect = nullptr;
    // Never one of several picked in silence.
    bool usable() const
    {
        return header && header->count == 1 && header->value.len != 0;
    }
};
ChosenPayment chosen_payment(const PresentedHeaders &presented,
                             const Dialects &dialects);

}  // namespace x402

#endif
