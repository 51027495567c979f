// SPDX-License-Identifier: Apache-2.0
// The shared memory in which the requests of passes are counted
// (session/pass_table). It is lost when nginx stops; a pass whose counter is
// lost opens nothing.
#ifndef NGX_HTTP_X402_PASS_ZONE_HPP
#define NGX_HTTP_X402_PASS_ZONE_HPP

#include <optional>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/pass_table.hpp"

namespace x402 {

// Registers or finds the zone of a directive. `word` is `name:size` or `name`;
// nullopt: a zone of 1m that is shared by all without a name. nullptr: an error
// was printed.
ngx_shm_zone_t *pass_zone(ngx_conf_t *cf, std::optional<std::string_view> word);

// See PassTable::issue(), use() and give_back(), at this moment.
bool count_pass(ngx_shm_zone_t *zone, const PassId &id, std::uint32_t requests,
                std::int64_t expires, std::uint32_t &left);
PassFault use_pass(ngx_shm_zone_t *zone, const PassId &id,
                   std::uint32_t requests, std::uint32_t &left);
void give_back_pass(ngx_shm_zone_t *zone, const PassId &id,
                    std::uint32_t requests);

}  // namespace x402

#endif
