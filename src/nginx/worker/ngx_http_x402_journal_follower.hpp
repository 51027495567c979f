// SPDX-License-Identifier: Apache-2.0
// Reads on in a journal that the former nginx still writes (a binary upgrade),
// until that has ended: in one worker. See
// store/ngx_http_x402_journal_follow.cpp.
#ifndef NGX_HTTP_X402_JOURNAL_FOLLOWER_HPP
#define NGX_HTTP_X402_JOURNAL_FOLLOWER_HPP

#include "nginx/core/ngx_http_x402_timer.hpp"
#include "nginx/store/ngx_http_x402_journal.hpp"

namespace x402 {

class JournalFollower {
public:
    // Lifetime: borrows the journal, of the zone's configuration.
    JournalFollower(ngx_shm_zone_t *zone, JournalFile &journal);
    JournalFollower(const JournalFollower &) = delete;
    JournalFollower &operator=(const JournalFollower &) = delete;

private:
    void step();
    // True: there is more to come.
    bool read_on();

    ngx_shm_zone_t *zone_;
    JournalFile &journal_;
    Timer timer_;
};

}  // namespace x402

#endif
