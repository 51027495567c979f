// SPDX-License-Identifier: Apache-2.0
// The shared memory zone with the claim table and the cache of what
// facilitators support, the lock around both, and the one place where a
// ClaimChange becomes an operation of the table.
#ifndef NGX_HTTP_X402_ZONE_HPP
#define NGX_HTTP_X402_ZONE_HPP

#include <optional>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/claim_table.hpp"
#include "session/payment_ids.hpp"
#include "session/payment_session.hpp"
#include "session/supported_cache.hpp"

namespace x402 {

std::size_t least_zone_bytes();

// The zone of a configuration that sells and has no x402_zone.
constexpr std::string_view kDefaultZone = "x402";
constexpr std::size_t kDefaultZoneBytes = 10 * 1024 * 1024;

// nginx's slab header at the start of each zone; the slab allocator itself is
// never used, but for its lock.
constexpr std::size_t kZoneHeader = 4096;

// nginx: ngx_slab_init() wrote its page descriptors over the start of a new
// zone; the rest is fresh from the kernel, or junk in a debugging build. Clears
// what is after `begin`.
void clear_zone_from(const ngx_shm_zone_t *zone, u_char *begin);

// Registers the zone; nullptr after an error was printed. `journal` is a full
// path; empty: none. `sync`: it is brought to the disk.
ngx_shm_zone_t *add_zone(ngx_conf_t *cf, ngx_str_t name, std::size_t bytes,
                         const std::string &journal = {}, bool sync = false);

class JournalFile;

bool has_journal(const ngx_shm_zone_t *zone);
bool syncs_journal(const ngx_shm_zone_t *zone);
// Of the configuration; nullptr: none.
JournalFile *journal_of(const ngx_shm_zone_t *zone);

bool process_is_alive(std::int64_t process);

// The zone's lock, the only one that nginx frees if a worker is killed. Hold it
// briefly, never across a call.
class ZoneLock {
public:
    explicit ZoneLock(ngx_shm_zone_t *zone);
    ~ZoneLock();
    ZoneLock(const ZoneLock &) = delete;
    ZoneLock &operator=(const ZoneLock &) = delete;

private:
    ngx_slab_pool_t *pool_;
};

// The claim table under the lock.
class LockedClaims {
public:
    explicit LockedClaims(ngx_shm_zone_t *zone);

    ClaimTable *operator->() { return table_; }
    ClaimTable &operator*() { return *table_; }

private:
    ZoneLock lock_;
    ClaimTable *table_;
};

// Without the lock, for counting only; in a worker.
const ClaimMemory *claims_to_count(const ngx_shm_zone_t *zone);

// Without the lock, which most of its functions need. nullopt: the zone is too
// small for one.
std::optional<SupportedCache> cache_in(ngx_shm_zone_t *zone);

// Hold the lock.
PaymentIds payment_ids_in(ngx_shm_zone_t *zone);

// Gives this worker its place among the owners of claims. nullptr table: the
// zone could not be entered.
ClaimOwner enter_zone(ngx_shm_zone_t *zone);
void leave_zone(ngx_shm_zone_t *zone, ClaimOwner owner);

// Takes the zone's lock where there is something to change. `verified`,
// `settling` and `paid` are written where they happen, because the table's
// answer, the settle bytes or the receipt belong to them: nothing is done here.
void apply_claim_change(ngx_shm_zone_t *zone, ClaimRef claim,
                        ClaimChange change);

}  // namespace x402

#endif
