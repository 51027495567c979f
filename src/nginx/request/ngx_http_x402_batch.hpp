// SPDX-License-Identifier: Apache-2.0
// A request body that is an array of requests (a JSON-RPC batch; x402_batch
// sum): its elements are priced one after the other.
#ifndef NGX_HTTP_X402_BATCH_HPP
#define NGX_HTTP_X402_BATCH_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Whether the body was read and is an array.
bool has_batch(const RequestCtx &ctx);

// How many requests this one is: the elements of a batch, else 1.
std::uint32_t count_requests(const RequestCtx &ctx);

// Adds the price of one element to that of those before, in `sum` (nullptr:
// there was none). False: the ways to pay differ, or the sum is too large.
bool add_prices(const PaymentOffer &offer,
                std::shared_ptr<const PaymentOffer> &sum);

// Variables that a block of code computes, forgotten again at its end.
// nginx: a map is computed once in a request, and each element needs its own.
class VariableCacheReset {
public:
    explicit VariableCacheReset(ngx_http_request_t *r);
    ~VariableCacheReset();
    VariableCacheReset(const VariableCacheReset &) = delete;
    VariableCacheReset &operator=(const VariableCacheReset &) = delete;

private:
    ngx_http_request_t *r_;
    std::vector<bool> known_;
};

// Calls `test` for each element of a batch until it says false, with
// $x402_body_... of that element; once where there is no batch. Whether it said
// true each time.
template <class Test> bool each_batch_element(RequestCtx &ctx, Test &&test)
{
    if (!has_batch(ctx)) {
        return test();
    }
    bool all = true;
    std::size_t size = ctx.trace.body_document->root().size();
    for (std::size_t i = 0; all && i < size; i++) {
        VariableCacheReset reset(ctx.r);
        ctx.trace.batch_element = i;
        all = test();
        ctx.trace.batch_element.reset();
    }
    return all;
}

}  // namespace x402

#endif
