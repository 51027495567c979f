// SPDX-License-Identifier: Apache-2.0
// `x402_zone ... sync=on`: brings the journal to the disk for what must not be
// forgotten. One thread of each worker flushes, all workers share one flush
// (session/journal_commit.hpp), and only requests wait.
#ifndef NGX_HTTP_X402_JOURNAL_SYNC_HPP
#define NGX_HTTP_X402_JOURNAL_SYNC_HPP

#include <memory>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_thread.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"

namespace x402 {

class JournalSync;

// A wait for the disk. Lifetime: part of its owner; it is given up
// with it.
class DiskWait {
public:
    // `good`: what was appended when the wait began is on the disk.
    using Done = void (*)(void *data, bool good);

    DiskWait() = default;
    ~DiskWait() { stop(); }
    DiskWait(const DiskWait &) = delete;
    DiskWait &operator=(const DiskWait &) = delete;

    // Tells `done` once, never from inside. Precondition: it does not wait.
    void begin(JournalSync &sync, Done done, void *data);
    void stop();
    bool waits() const { return sync_ != nullptr; }

private:
    friend class JournalSync;

    ngx_queue_t link_{};
    JournalSync *sync_ = nullptr;
    std::uint64_t ticket_ = 0;
    Done done_ = nullptr;
    void *data_ = nullptr;
};

class JournalSync {
public:
    // The thread begins when it is needed. Lifetime: borrows the zone, with
    // the table and the journal of this worker's configuration.
    explicit JournalSync(const ngx_shm_zone_t *zone);
    // Waiters are not called any more.
    ~JournalSync();
    JournalSync(const JournalSync &) = delete;
    JournalSync &operator=(const JournalSync &) = delete;

    // What was appended so far goes to the disk; no request waits for it.
    void flush();

private:
    friend class DiskWait;
    struct Thread;

    bool start();
    void ask(std::uint64_t ticket);
    void report();
    void fail(std::uint64_t last);
    void log_failure();
    static DiskWait *wait_of(ngx_queue_t *link);

    ClaimHeader &header_;
    CommitState &words_;
    const JournalFile &journal_;
    std::shared_ptr<Thread> thread_;
    ThreadReport report_;
    ngx_queue_t waiting_;
    ngx_event_t failed_{};  // posted: there is no thread
    LogThrottle failure_log_{60};
};

}  // namespace x402

#endif
