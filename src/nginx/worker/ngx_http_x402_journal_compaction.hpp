// SPDX-License-Identifier: Apache-2.0
// Rewrites a journal that has grown, while nginx runs: one worker does it, in
// steps of about a millisecond, and a thread flushes to the disk.
// session/journal_writer.hpp says how, and why nothing is lost.
#ifndef NGX_HTTP_X402_JOURNAL_COMPACTION_HPP
#define NGX_HTTP_X402_JOURNAL_COMPACTION_HPP

#include "nginx/core/ngx_http_x402_timer.hpp"
#include "nginx/store/ngx_http_x402_journal.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

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
    void leave();
    void look();

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

}  // namespace x402

#endif
