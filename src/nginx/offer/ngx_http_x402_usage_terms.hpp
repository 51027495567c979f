// SPDX-License-Identifier: Apache-2.0
// What an answer costs by what it says of itself (x402_charge), as configured.
#ifndef NGX_HTTP_X402_USAGE_TERMS_HPP
#define NGX_HTTP_X402_USAGE_TERMS_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

struct UsageTerms {
    struct Term {
        ngx_http_complex_value_t value{};
        ngx_http_complex_value_t factor{};
        bool has_factor = false;
    };
    // Summed; empty: x402_charge off.
    std::vector<Term> terms;
    // An answer that does not say it costs the maximum, and not nothing.
    bool unreadable_is_maximum = false;
    ConfOrigin origin{};
};

}  // namespace x402

#endif
