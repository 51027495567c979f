// The shared memory zone that holds the claim table, and the lock around it.
#ifndef NGX_HTTP_X402_ZONE_HPP
#define NGX_HTTP_X402_ZONE_HPP

#include "nginx/ngx_http_x402_boundary.hpp"
#include "session/claim_table.hpp"

namespace x402 {

std::size_t least_zone_bytes();

// Registers the zone; nullptr after an error was printed. `journal` is a full
// path; empty: none.
ngx_shm_zone_t *add_zone(ngx_conf_t *cf, ngx_str_t name, std::size_t bytes,
                         const std::string &journal = {});

// The claim table under the zone's lock, the only one that nginx frees for a
// worker that was killed. Hold it for a moment, never across a call.
class LockedClaims {
public:
    explicit LockedClaims(ngx_shm_zone_t *zone);
    ~LockedClaims();
    LockedClaims(const LockedClaims &) = delete;
    LockedClaims &operator=(const LockedClaims &) = delete;

    ClaimTable *operator->() { return table_; }

private:
    ngx_slab_pool_t *pool_;
    ClaimTable *table_;
};

// Gives this worker its place among the owners of claims. nullptr table: the
// zone could not be entered.
Owner enter_zone(ngx_shm_zone_t *zone);
void leave_zone(ngx_shm_zone_t *zone, Owner owner);

}  // namespace x402

#endif
