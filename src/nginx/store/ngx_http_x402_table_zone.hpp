// SPDX-License-Identifier: Apache-2.0
// Shared memory that has one table of the pure rooms and nothing else: passes,
// purchases, usage. Memory of another build is begun anew.
#ifndef NGX_HTTP_X402_TABLE_ZONE_HPP
#define NGX_HTTP_X402_TABLE_ZONE_HPP

#include <optional>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "nginx/store/ngx_http_x402_zone.hpp"

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

// nginx: ngx_shm_zone_init_pt of a zone that has nothing beside its table.
template <class Table>
ngx_int_t init_table_zone(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        begin_table<Table>(zone, old_data);
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

}  // namespace x402

#endif
