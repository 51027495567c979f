// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_usage_zone.hpp"

#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/store/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

constexpr std::string_view kDefaultZone = "x402_payers";
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

// Memory of another build is begun anew: it is figures, not money.
void begin(ngx_shm_zone_t *zone, bool used)
{
    if (used && UsageTable::recognises(table_of(zone), table_bytes(zone))) {
        return;
    }
    if (used) {
        ngx_memzero(table_of(zone), table_bytes(zone));
    } else {
        clear_zone_from(zone, table_of(zone));
    }
    UsageTable::format(table_of(zone), table_bytes(zone));
}

ngx_int_t on_init(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        begin(zone, old_data != nullptr || zone->shm.exists);
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

std::uint64_t now_ms()
{
    ngx_time_t *now = ngx_timeofday();
    return static_cast<std::uint64_t>(now->sec) * 1000
           + static_cast<std::uint64_t>(now->msec);
}

Digest key_of(std::string_view rule, std::string_view subject)
{
    std::string text(rule);
    text += '\n';
    text += subject;
    return sha256(text);
}

template <class Rule>
std::uint64_t count(ngx_shm_zone_t *zone, std::string_view rule,
                    std::string_view subject, const Rule &how)
{
    Digest key = key_of(rule, subject);
    ZoneLock lock(zone);
    return UsageTable(table_of(zone)).count(key, how, now_ms());
}

}  // namespace

ngx_shm_zone_t *usage_zone(ngx_conf_t *cf,
                           std::optional<std::string_view> written)
{
    std::string_view word = written.value_or(kDefaultZone);
    std::size_t colon = word.find(':');
    std::string_view text = word.substr(0, colon);
    std::size_t bytes = written ? 0 : kDefaultBytes;
    if (colon != std::string_view::npos) {
        ngx_str_t size = to_ngx_str(word.substr(colon + 1));
        ssize_t parsed = ngx_parse_size(&size);
        if (parsed < 32 * 1024) {
            conf_error(cf, "\"zone=" + std::string(word)
                               + "\" needs a size of at least 32k, such as "
                                 "zone=payers:1m");
            return nullptr;
        }
        bytes = static_cast<std::size_t>(parsed);
    }
    ngx_str_t name = pool_copy(cf->pool, text);
    if (name.len == 0) {
        conf_error(cf, "\"zone=\" has no name; write zone=payers:1m");
        return nullptr;
    }
    ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, bytes, &zone_tag);
    if (zone) {
        zone->init = on_init;
        zone->data = &zone_tag;  // never nullptr: seen again after a reload
    }
    return zone;
}

std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageRate &rate)
{
    return count(zone, rule, subject, rate);
}

std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageQuota &quota)
{
    return count(zone, rule, subject, quota);
}

}  // namespace x402
