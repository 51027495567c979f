// SPDX-License-Identifier: Apache-2.0
// The rules about payers of a location, as configured: x402_deny,
// x402_limit_payer, x402_quota and x402_free.
#ifndef NGX_HTTP_X402_PAYER_RULES_HPP
#define NGX_HTTP_X402_PAYER_RULES_HPP

#include <optional>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/usage_table.hpp"

namespace x402 {

struct PayerLimit {
    ngx_shm_zone_t *zone = nullptr;
    std::string rule;
    UsageRate rate;
};

struct PayerQuota {
    ngx_shm_zone_t *zone = nullptr;
    std::string rule;
    UsageQuota quota;
    ngx_http_complex_value_t *key = nullptr;  // nullptr: the payer
};

struct PayerRules {
    // Each is inherited by itself; `written` also where it is off.
    ngx_array_t *deny = nullptr;  // of ngx_http_complex_value_t
    bool deny_written = false;
    std::optional<PayerLimit> limit;
    bool limit_written = false;
    std::vector<PayerQuota> quotas;
    bool quotas_written = false;
    std::optional<PayerQuota> free;
    bool free_written = false;

    // Whether something is asked of a payer.
    bool ask_payer() const { return deny || limit || !quotas.empty(); }
};

// By merge.
void merge_payer_rules(LocationConf &conf, const LocationConf &outer);

}  // namespace x402

#endif
