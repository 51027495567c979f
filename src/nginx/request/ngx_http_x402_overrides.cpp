#include "nginx/request/ngx_http_x402_overrides.hpp"

#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

// nginx: what an upstream said stays in its own list, whatever became of the
// response headers; `add_header` and other clients' words are not in there.
void record_overrides(RequestCtx &ctx)
{
    ngx_http_upstream_t *u = ctx.r->upstream;
    if (u == nullptr || u == ctx.overrides_of || u->headers_in.status_n == 0) {
        return;
    }
    ctx.overrides_of = u;
    each_header(u->headers_in.headers, [&](const ngx_table_elt_t &header) {
        if (header_is(header.key, kOverridesHeader)) {
            ctx.overrides.push_back(copy(header.value));
        }
    });
}

}  // namespace x402
