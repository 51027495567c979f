// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_pass_zone.hpp"

#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/store/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

constexpr std::string_view kDefaultZone = "x402_passes";
constexpr std::size_t kDefaultBytes = 1024 * 1024;

// nginx: zones of one tag are one kind; its address says which.
char zone_tag;

u_char *table_of(const ngx_shm_zone_t *zone)
{
    return zone->shm.addr + kZoneHeader;
}

std::size_t table_bytes(const ngx_shm_zone_t *zone)
{
    return zone->shm.size - kZoneHeader;
}

// Memory of another build is begun anew: its passes are not known then.
void begin(ngx_shm_zone_t *zone, bool used)
{
    if (used && PassTable::recognises(table_of(zone), table_bytes(zone))) {
        return;
    }
    if (used) {
        ngx_memzero(table_of(zone), table_bytes(zone));
    } else {
        clear_zone_from(zone, table_of(zone));
    }
    PassTable::format(table_of(zone), table_bytes(zone));
}

ngx_int_t on_init(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        begin(zone, old_data != nullptr || zone->shm.exists);
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

}  // namespace

ngx_shm_zone_t *pass_zone(ngx_conf_t *cf,
                          std::optional<std::string_view> written)
{
    std::string_view word = written.value_or(kDefaultZone);
    std::size_t colon = word.find(':');
    std::size_t bytes = written ? 0 : kDefaultBytes;
    if (colon != std::string_view::npos) {
        ngx_str_t size = to_ngx_str(word.substr(colon + 1));
        ssize_t parsed = ngx_parse_size(&size);
        if (parsed < 32 * 1024) {
            conf_error(cf, "\"zone=" + std::string(word)
                               + "\" needs a size of at least 32k, such as "
                                 "zone=passes:1m");
            return nullptr;
        }
        bytes = static_cast<std::size_t>(parsed);
    }
    ngx_str_t name = pool_copy(cf->pool, word.substr(0, colon));
    if (name.len == 0) {
        conf_error(cf, "\"zone=\" has no name; write zone=passes:1m");
        return nullptr;
    }
    ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, bytes, &zone_tag);
    if (zone) {
        zone->init = on_init;
        zone->data = &zone_tag;  // never nullptr: seen again after a reload
    }
    return zone;
}

bool count_pass(ngx_shm_zone_t *zone, const PassId &id, std::uint32_t requests,
                std::int64_t expires, std::uint32_t &left)
{
    ZoneLock lock(zone);
    return PassTable(table_of(zone))
        .issue(id, requests, expires, ngx_time(), left);
}

PassFault use_pass(ngx_shm_zone_t *zone, const PassId &id, std::uint32_t &left)
{
    ZoneLock lock(zone);
    return PassTable(table_of(zone)).use(id, ngx_time(), left);
}

PassFault use_once(ngx_shm_zone_t *zone, const PassId &id, std::int64_t expires)
{
    ZoneLock lock(zone);
    PassTable table(table_of(zone));
    std::uint32_t left = 0;
    return table.issue(id, 1, expires, ngx_time(), left)
               ? table.use(id, ngx_time(), left)
               : PassFault::unknown;
}

void give_back_pass(ngx_shm_zone_t *zone, const PassId &id)
{
    ZoneLock lock(zone);
    PassTable(table_of(zone)).give_back(id);
}

}  // namespace x402
