// SPDX-License-Identifier: Apache-2.0
// What one worker does for the journal while nginx runs.
#ifndef NGX_HTTP_X402_JOURNAL_TASKS_HPP
#define NGX_HTTP_X402_JOURNAL_TASKS_HPP

#include "nginx/core/ngx_http_x402_timer.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"

namespace x402 {

// Rewrites a journal that has grown: in steps of about a millisecond, and a
// thread flushes to the disk. session/journal_writer.hpp says how, and why
// nothing is lost.
class JournalCompaction {
public:
    // Arms a cancelable timer. Lifetime: borrows the journal, of the zone's
    // configuration.
    JournalCompaction(ngx_shm_zone_t *zone, ClaimOwner owner,
                      JournalFile &journal);
    ~JournalCompaction();
    JournalCompaction(const JournalCompaction &) = delete;
    JournalCompaction &operator=(const JournalCompaction &) = delete;

private:
    enum class Phase { idle, table, tail, flushing, turned };

    ngx_msec_t step();
    ngx_msec_t begin();
    ngx_msec_t write_table();
    ngx_msec_t copy_tail();
    ngx_msec_t wait_for_disk();
    ngx_msec_t turn();
    ngx_msec_t finish();
    ngx_msec_t give_up(const std::string &why);
    void give_up_turn();
    void on_timer();

    ngx_shm_zone_t *zone_;
    ClaimOwner owner_;
    JournalFile &journal_;
    Phase phase_ = Phase::idle;
    std::uint64_t edition_ = 0;  // the present one
    std::uint64_t copied_ = 0;   // of it, bytes
    std::uint64_t flushed_ = 0;  // of the next one, bytes
    std::size_t place_ = 0;      // in the table
    FlushState flush_;
    Timer timer_;
};

// Reads on in a journal that the old nginx still writes (a binary upgrade),
// until that has exited: in one worker. See
// zone/ngx_http_x402_journal.cpp.
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
