// SPDX-License-Identifier: Apache-2.0
// What payers have bought (session/bought_table), in shared memory, and in a
// file that a start reads.
#ifndef NGX_HTTP_X402_BOUGHT_ZONE_HPP
#define NGX_HTTP_X402_BOUGHT_ZONE_HPP

#include <optional>
#include <string>
#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/bought_table.hpp"

namespace x402 {

// Registers or finds the zone of a directive. `word` is `name:size` or `name`;
// nullopt: a zone of 1m that is shared by all without a name. `file`: its full
// path; empty: none here. nullptr: an error was printed.
ngx_shm_zone_t *bought_zone(ngx_conf_t *cf,
                            std::optional<std::string_view> word,
                            const std::string &file);

// The files of all such zones.
std::vector<std::string> bought_files(const ngx_cycle_t &cycle);

// See BoughtTable::remember() and find(), at this moment. What cannot be
// written to the file is remembered in memory, and a line says so.
void remember_bought(ngx_shm_zone_t *zone, const BoughtKey &key,
                     const AmountBytes &asked, std::int64_t until,
                     ngx_log_t *log);
std::optional<AmountBytes>
find_bought(ngx_shm_zone_t *zone, const BoughtKey &key, std::int64_t &until);

}  // namespace x402

#endif
