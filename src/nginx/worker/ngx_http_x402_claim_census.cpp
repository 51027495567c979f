// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_claim_census.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kPause = 500;  // between two counts
constexpr ngx_msec_t kBreath = 10;  // between two steps

}  // namespace

ClaimCensusTask::ClaimCensusTask(ngx_shm_zone_t *zone, Books &books)
    : zone_(zone),
      books_(books),
      timer_(
          AtQuit::cancel,
          [](void *taker) { static_cast<ClaimCensusTask *>(taker)->step(); },
          this)
{
    timer_.arm(1);
}

void ClaimCensusTask::step()
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;  // another worker continues
    }
    if (census_part(*claims_to_count(zone_), place_, census_)) {
        timer_.arm(kBreath);
        return;
    }
    finish();
    place_ = 0;
    census_ = ClaimCensus();
    timer_.arm(kPause);
}

void ClaimCensusTask::check_place(const JournalFile &journal)
{
    std::string what = journal.misplaced();
    if (what.empty()) {
        misplaced_.forget();
    } else if (misplaced_.is_due()) {
        log_line(NGX_LOG_CRIT, ngx_cycle->log, what);
    }
}

void ClaimCensusTask::finish()
{
    if (const JournalFile *journal = journal_of(zone_)) {
        std::uint64_t edition;
        {
            LockedClaims claims(zone_);
            edition = claims->journal_edition();
            census_.journal_writable = !claims->journal().failed();
        }
        census_.has_journal = true;
        census_.journal_bytes = journal->size(edition);
        check_place(*journal);
    }
    census_.taken = ngx_time();
    books_.publish(census_);
}

}  // namespace x402
