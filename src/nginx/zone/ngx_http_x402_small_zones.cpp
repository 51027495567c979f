// SPDX-License-Identifier: Apache-2.0
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

#include <cstring>

#include "base/secret_memory.hpp"
#include "base/token_signature.hpp"
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

// nginx: ngx_shm_zone_init_pt of a zone that has nothing beside its table.
template <class Table>
ngx_int_t init_table_zone(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        begin_table<Table>(zone, old_data);
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

ngx_int_t on_init_nonces(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        if (begin_table<NonceTable>(zone, old_data)) {
            NonceTable(table_of(zone)).begin(ngx_time() + kRestartSeconds);
        }
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

const TableZoneKind kNonceZone = {"x402_nonces", "nonces:1m", on_init_nonces};

const TableZoneKind kPassZone = {"x402_passes", "passes:1m",
                                 init_table_zone<PassTable>};

const TableZoneKind kPayerZone = {"x402_payers", "payers:1m",
                                  init_table_zone<UsageTable>};

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
                    std::string_view subject, const Rule &how,
                    std::uint64_t requests)
{
    Digest key = key_of(rule, subject);
    ZoneLock lock(zone);
    return UsageTable(table_of(zone)).count(key, how, requests, now_ms());
}

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

ngx_int_t on_init_key(ngx_shm_zone_t *zone, void *old_data)
{
    hide_from_dumps(zone->shm.addr, zone->shm.size);
    return init_table_zone<KeyTable>(zone, old_data);
}

const TableZoneKind kKeyZone = {"x402_challenge_key", "key:32k", on_init_key};

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
        record_zone_size(cf, zone);
        zone->init = on_init;
        // Never nullptr: seen again after a reload.
        zone->data = zone->data ? zone->data : tag;
    }
    return zone;
}

ngx_shm_zone_t *nonce_zone(ngx_conf_t *cf)
{
    return add_table_zone(cf, kNonceZone, "x402_nonces:4m");
}

NonceUse use_nonce(ngx_shm_zone_t *zone, const Digest &nonce,
                   std::int64_t issued, std::int64_t expires, NonceOf whose)
{
    ZoneLock lock(zone);
    return NonceTable(table_of(zone))
        .use(nonce, issued, expires, ngx_time(), whose);
}

std::int64_t nonce_moment(ngx_shm_zone_t *zone)
{
    ZoneLock lock(zone);
    return NonceTable(table_of(zone)).moment(ngx_time());
}

bool knows_nonce(ngx_shm_zone_t *zone, const Digest &nonce)
{
    ZoneLock lock(zone);
    return NonceTable(table_of(zone)).has(nonce, ngx_time());
}

ngx_shm_zone_t *pass_zone(ngx_conf_t *cf,
                          std::optional<std::string_view> written)
{
    return add_table_zone(cf, kPassZone, written);
}

bool count_pass(ngx_shm_zone_t *zone, const PassId &id, std::uint32_t requests,
                std::int64_t expires, std::uint32_t &left)
{
    ZoneLock lock(zone);
    return PassTable(table_of(zone))
        .issue(id, requests, expires, ngx_time(), left);
}

PassFault use_pass(ngx_shm_zone_t *zone, const PassId &id,
                   std::uint32_t requests, std::uint32_t &left)
{
    ZoneLock lock(zone);
    return PassTable(table_of(zone)).use(id, requests, ngx_time(), left);
}

void give_back_pass(ngx_shm_zone_t *zone, const PassId &id,
                    std::uint32_t requests)
{
    ZoneLock lock(zone);
    PassTable(table_of(zone)).give_back(id, requests);
}

ngx_shm_zone_t *usage_zone(ngx_conf_t *cf,
                           std::optional<std::string_view> written)
{
    return add_table_zone(cf, kPayerZone, written);
}

std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageRate &rate,
                          std::uint64_t requests)
{
    return count(zone, rule, subject, rate, requests);
}

std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageQuota &quota,
                          std::uint64_t requests)
{
    return count(zone, rule, subject, quota, requests);
}

ngx_shm_zone_t *add_made_key(ngx_conf_t *cf)
{
    return add_table_zone(cf, kKeyZone, "x402_challenge_key:32k");
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
