// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_table_zone.hpp"

#include "nginx/core/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

constexpr ssize_t kLeastBytes = 32 * 1024;

// The name of x402_zone without a size: what is counted beside its claims.
bool names_claims(ngx_conf_t *cf, std::string_view word)
{
    const ngx_shm_zone_t *claims = main_conf(cf)->zone;
    return word == (claims ? view(claims->shm.name) : kDefaultZone);
}

}  // namespace

ngx_shm_zone_t *add_table_zone(ngx_conf_t *cf, const TableZoneKind &kind,
                               std::optional<std::string_view> written)
{
    if (written && names_claims(cf, *written)) {
        written.reset();
    }
    std::string_view word = written.value_or(kind.unnamed);
    std::size_t colon = word.find(':');
    std::size_t bytes = written ? 0 : kTableZoneBytes;
    std::string example = "zone=" + std::string(kind.example);
    if (colon != std::string_view::npos) {
        ngx_str_t size = to_ngx_str(word.substr(colon + 1));
        ssize_t parsed = ngx_parse_size(&size);
        if (parsed < kLeastBytes) {
            conf_error(cf, "\"zone=" + std::string(word)
                               + "\" needs a size of at least 32k, such as "
                               + example);
            return nullptr;
        }
        bytes = static_cast<std::size_t>(parsed);
    }
    ngx_str_t name = pool_copy(cf->pool, word.substr(0, colon));
    if (name.len == 0) {
        conf_error(cf, "\"zone=\" has no name; write " + example);
        return nullptr;
    }
    void *tag = const_cast<TableZoneKind *>(&kind);
    ngx_shm_zone_init_pt on_init = kind.init;
    ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, bytes, tag);
    if (zone) {
        note_size(cf, zone);
        zone->init = on_init;
        // Never nullptr: seen again after a reload.
        zone->data = zone->data ? zone->data : tag;
    }
    return zone;
}

}  // namespace x402
