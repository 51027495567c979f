// SPDX-License-Identifier: Apache-2.0
// The shared memory in which payers and keys are counted (x402_limit_payer,
// x402_quota, x402_free). Apart from the zone of payments: it may be lost.
#ifndef NGX_HTTP_X402_USAGE_ZONE_HPP
#define NGX_HTTP_X402_USAGE_ZONE_HPP

#include <optional>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/usage_table.hpp"

namespace x402 {

// Registers or finds the zone of a directive. `word` is `name:size` or `name`;
// nullopt: a zone of 1m that is shared by all without a name. nullptr: an error
// was printed.
ngx_shm_zone_t *usage_zone(ngx_conf_t *cf,
                           std::optional<std::string_view> word);

// Milliseconds until so many may go on; 0: now, and they were counted. `rule`
// tells rules of one zone apart.
std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageRate &rate,
                          std::uint64_t requests);
std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageQuota &quota,
                          std::uint64_t requests);

}  // namespace x402

#endif
