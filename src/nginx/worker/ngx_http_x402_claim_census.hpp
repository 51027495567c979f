// SPDX-License-Identifier: Apache-2.0
// Counts the zone's claims for x402_status: once a second, in small steps and
// without the lock. One worker does it for all.
#ifndef NGX_HTTP_X402_CLAIM_CENSUS_HPP
#define NGX_HTTP_X402_CLAIM_CENSUS_HPP

#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"

namespace x402 {

class JournalFile;

class ClaimCensusTask {
public:
    // Begins at once. Lifetime: borrows both from the configuration.
    ClaimCensusTask(ngx_shm_zone_t *zone, Books &books);
    ClaimCensusTask(const ClaimCensusTask &) = delete;
    ClaimCensusTask &operator=(const ClaimCensusTask &) = delete;

private:
    void check_place(const JournalFile &journal);
    void step();
    void finish();

    ngx_shm_zone_t *zone_;
    Books &books_;
    std::size_t place_ = 0;
    ClaimCensus census_;
    Timer timer_;
    LogThrottle misplaced_{600};  // the journal is not in its place
};

}  // namespace x402

#endif
