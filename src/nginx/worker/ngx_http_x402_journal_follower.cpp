// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_journal_follower.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/store/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kLook = 20;

}  // namespace

JournalFollower::JournalFollower(ngx_shm_zone_t *zone, JournalFile &journal)
    : zone_(zone),
      journal_(journal),
      timer_(
          AtQuit::leave,
          [](void *follower) {
              static_cast<JournalFollower *>(follower)->step();
          },
          this)
{
    timer_.arm(1);
}

void JournalFollower::step()
{
    if (guarded(ngx_cycle->log, true, [&] { return read_on(); })) {
        timer_.arm(kLook);
    }
}

bool JournalFollower::read_on()
{
    // Money: asked first, so that all it wrote is there to be read.
    bool ended = !process_is_alive(journal_.other());
    LockedClaims claims(zone_);
    ClaimTable &table = *claims.operator->();
    if (!journal_.catch_up(table) || !ended || !journal_.take_over(table)) {
        return true;
    }
    log_line(NGX_LOG_NOTICE, ngx_cycle->log,
             "the former nginx has ended, and journal \"" + journal_.path()
                 + "\" is written by this one alone");
    return false;
}

}  // namespace x402
