// What a step of a payment does to its claim in the zone: the one place where a
// ClaimChange becomes an operation of the claim table.
#ifndef NGX_HTTP_X402_CLAIM_CHANGE_HPP
#define NGX_HTTP_X402_CLAIM_CHANGE_HPP

#include "nginx/store/ngx_http_x402_zone.hpp"
#include "session/payment_session.hpp"

namespace x402 {

// Takes the zone's lock where there is something to change. `verified`,
// `settling` and `paid` are written where they happen, because the table's
// answer, the settle bytes or the receipt belong to them: nothing is done here.
void apply_claim_change(ngx_shm_zone_t *zone, ClaimRef claim,
                        ClaimChange change);

}  // namespace x402

#endif
