// SPDX-License-Identifier: Apache-2.0
// What an answer costs by what it says of itself (x402_charge), and whose
// stream is not held for that (x402_stream), as configured.
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

struct StreamRules {
    // Settlements that the payer needs to have a stream at once; 0: off.
    unsigned trust = 0;
    std::string most;  // the highest maximum, as a price; empty: any
    // A stream that its client leaves costs what it has said so far.
    bool cut_is_read = false;
    bool *used = nullptr;  // by a location with x402_charge
};

}  // namespace x402

#endif
