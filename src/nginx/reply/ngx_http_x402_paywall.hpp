// SPDX-License-Identifier: Apache-2.0
// x402_paywall: a page instead of JSON, for browsers without a payment.
#ifndef NGX_HTTP_X402_PAYWALL_HPP
#define NGX_HTTP_X402_PAYWALL_HPP

#include <vector>

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// What the directive says; made with the configuration, const afterwards.
struct Paywall {
    struct Part {
        std::string html;
        std::string variable;  // follows it; empty: nothing does
        ngx_int_t index = 0;   // in nginx's variables
    };
    bool on = false;
    bool wallet = false;     // the module's page can pay
    std::vector<Part> page;  // the operator's; empty: the module's
};

// The page for this request. False: it gets none, or there is no memory.
bool paywall_for(const RequestCtx &ctx, std::string &page);

}  // namespace x402

#endif
