// SPDX-License-Identifier: Apache-2.0
// x402_paywall: a page instead of JSON, for browsers without a payment.
#ifndef NGX_HTTP_X402_PAYWALL_HPP
#define NGX_HTTP_X402_PAYWALL_HPP

#include <optional>
#include <vector>

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "protocol/prepared_text.hpp"

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
    // The module's page for this offer of a location, if it is the same for
    // all requests but for the URL in it.
    std::optional<PreparedText> prepared;
    const PaymentOffer *prepared_for = nullptr;
};

// By merge, once the location has its offer: writes its page out. False: no
// memory.
bool prepare_paywall(ngx_conf_t *cf, LocationConf &conf,
                     const LocationConf &outer);

// The page for this request, in its pool; its data is nullptr if memory
// ran out. False: the request gets none.
bool paywall_for(const RequestCtx &ctx, ngx_str_t &page);

}  // namespace x402

#endif
