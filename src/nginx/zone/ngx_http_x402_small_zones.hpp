// SPDX-License-Identifier: Apache-2.0
// Shared memory beside the zone of payments. Each zone has one table of the
// pure rooms and nothing else: passes, nonces, usage; one has a key. Memory of
// another build is discarded.
#ifndef NGX_HTTP_X402_SMALL_ZONES_HPP
#define NGX_HTTP_X402_SMALL_ZONES_HPP

#include <optional>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"
#include "session/nonce_table.hpp"
#include "session/pass_table.hpp"
#include "session/usage_table.hpp"

namespace x402 {

// One kind of table. Its address is nginx's tag: zones of one name and another
// kind are refused.
struct TableZoneKind {
    std::string_view unnamed;  // name of the one that is shared without a name
    std::string_view example;  // for messages, such as "passes:1m"
    ngx_shm_zone_init_pt init;
};

// Of a zone whose size no directive writes.
constexpr std::size_t kTableZoneBytes = 1024 * 1024;

// Registers or finds the zone of a directive. `written` is `name:size` or
// `name`; nullopt, or the name of x402_zone: one of 1m that all share. nullptr:
// an error was printed.
ngx_shm_zone_t *add_table_zone(ngx_conf_t *cf, const TableZoneKind &kind,
                               std::optional<std::string_view> written);

inline u_char *table_of(const ngx_shm_zone_t *zone)
{
    return zone->shm.addr + kZoneHeader;
}

inline std::size_t table_bytes(const ngx_shm_zone_t *zone)
{
    return zone->shm.size - kZoneHeader;
}

// False: the zone was in use before, by this build.
template <class Table>
bool begin_table(const ngx_shm_zone_t *zone, const void *old_data)
{
    bool used = old_data != nullptr || zone->shm.exists;
    if (used && Table::recognises(table_of(zone), table_bytes(zone))) {
        return false;
    }
    if (used) {
        ngx_memzero(table_of(zone), table_bytes(zone));
    } else {
        clear_zone_from(zone, table_of(zone));
    }
    Table::format(table_of(zone), table_bytes(zone));
    return true;
}

// The shared memory of used nonces (session/nonce_table): one of 4 MB for all.

// Registers or finds the zone. nullptr: an error was printed.
ngx_shm_zone_t *nonce_zone(ngx_conf_t *cf);

// See NonceTable::use() and has() and moment(), now.
NonceUse use_nonce(ngx_shm_zone_t *zone, const Digest &nonce,
                   std::int64_t issued, std::int64_t expires, NonceOf whose);
bool knows_nonce(ngx_shm_zone_t *zone, const Digest &nonce);
std::int64_t nonce_moment(ngx_shm_zone_t *zone);

// The shared memory in which the requests of passes are counted
// (session/pass_table). It is lost when nginx stops; a pass whose counter is
// lost opens nothing.

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

// The shared memory in which payers and keys are counted (x402_limit_payer,
// x402_quota, x402_free). Apart from the zone of payments: it may be lost.

// Registers or finds the zone of a directive. `word` is `name:size` or `name`;
// nullopt: a zone of 1m that is shared by all without a name. nullptr: an error
// was printed.
ngx_shm_zone_t *usage_zone(ngx_conf_t *cf,
                           std::optional<std::string_view> word);

// Milliseconds until so many requests may continue; 0: now, and they were
// counted. `rule` tells rules of one zone apart.
std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageRate &rate,
                          std::uint64_t requests);
std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageQuota &quota,
                          std::uint64_t requests);

// A key that no file has: it is made when nginx starts, in shared memory of its
// own, and is the same in all workers and after each reload.

// Registers or finds its memory. nullptr: an error was printed.
ngx_shm_zone_t *add_made_key(ngx_conf_t *cf);

// Once nginx has started. Empty: there were no random bytes, use no other.
std::string_view made_key(const ngx_shm_zone_t *zone);

}  // namespace x402

#endif
