// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_made_key.hpp"

#include <cstring>

#include "base/token_signature.hpp"
#include "nginx/store/ngx_http_x402_table_zone.hpp"

namespace x402 {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr char kMark[8] = {'x', '4', '0', '2', 'k', 'e', 'y', '1'};

// The mark and the key.
struct KeyTable {
    static bool recognises(const u_char *memory, std::size_t)
    {
        return std::memcmp(memory, kMark, sizeof(kMark)) == 0;
    }
    static void format(u_char *memory, std::size_t)
    {
        if (fill_random(memory + sizeof(kMark), kKeyBytes)) {
            std::memcpy(memory, kMark, sizeof(kMark));
        }
    }
};

const TableZoneKind kKind = {"x402_challenge_key", "key:32k",
                             init_table_zone<KeyTable>};

}  // namespace

ngx_shm_zone_t *add_made_key(ngx_conf_t *cf)
{
    return add_table_zone(cf, kKind, "x402_challenge_key:32k");
}

std::string_view made_key(const ngx_shm_zone_t *zone)
{
    const u_char *memory = table_of(zone);
    if (!KeyTable::recognises(memory, table_bytes(zone))) {
        return {};
    }
    return {reinterpret_cast<const char *>(memory) + sizeof(kMark), kKeyBytes};
}

}  // namespace x402
