// The shared memory zone that holds the claim table and the board of what
// facilitators support, and the lock around both.
#ifndef NGX_HTTP_X402_ZONE_HPP
#define NGX_HTTP_X402_ZONE_HPP

#include <optional>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/claim_table.hpp"
#include "session/payment_ids.hpp"
#include "session/supported_board.hpp"

namespace x402 {

std::size_t least_zone_bytes();

// nginx's slab header at the start of each zone; the slab allocator itself is
// never used, but for its lock.
constexpr std::size_t kZoneHeader = 4096;

// nginx: ngx_slab_init() wrote its page descriptors over the start of a new
// zone; the rest is fresh from the kernel, or junk in a debugging build. Clears
// what is behind `begin`.
void clear_zone_from(const ngx_shm_zone_t *zone, u_char *begin);

// Registers the zone; nullptr after an error was printed. `journal` is a full
// path; empty: none.
ngx_shm_zone_t *add_zone(ngx_conf_t *cf, ngx_str_t name, std::size_t bytes,
                         const std::string &journal = {});

class JournalFile;

bool has_journal(const ngx_shm_zone_t *zone);
// Of the configuration; nullptr: none.
JournalFile *journal_of(const ngx_shm_zone_t *zone);

bool process_is_alive(std::int64_t process);

// The zone's lock, the only one that nginx frees for a worker that was killed.
// Hold it for a moment, never across a call.
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

private:
    ZoneLock lock_;
    ClaimTable *table_;
};

// Without the lock, for counting only; in a worker.
const ClaimMemory *claims_to_count(const ngx_shm_zone_t *zone);

// Without the lock, which has to be held for most of what can be done with it.
// nullopt: the zone is too small for one.
std::optional<SupportedBoard> board_in(ngx_shm_zone_t *zone);

// Hold the lock.
PaymentIds payment_ids_in(ngx_shm_zone_t *zone);

// Gives this worker its place among the owners of claims. nullptr table: the
// zone could not be entered.
ClaimOwner enter_zone(ngx_shm_zone_t *zone);
void leave_zone(ngx_shm_zone_t *zone, ClaimOwner owner);

}  // namespace x402

#endif
