// SPDX-License-Identifier: Apache-2.0
// Group commit: many processes append to one journal, and one flush to the disk
// is for all that they appended before it began.
//
// Each process has one thread that calls commit(). The first to come flushes;
// the others wait for it, and flush themselves only what was appended after it
// had begun. Knows no file and no memory: see nginx/zone.
#ifndef X402_SESSION_JOURNAL_COMMIT_HPP
#define X402_SESSION_JOURNAL_COMMIT_HPP

#include <atomic>
#include <cstdint>

namespace x402 {

// In memory that all of the processes share; begins as zeros.
struct CommitState {
    std::atomic<std::uint64_t> appended;  // records, by any process
    std::atomic<std::uint64_t> durable;   // the first so many are on the disk
    std::atomic<std::uint32_t> leader;    // the process that flushes; 0: none
    std::atomic<std::uint32_t> rounds;    // flushes that are over
    // 1: a flush failed. Nothing more is durable before all that is known was
    // rewritten: the next flush may succeed without what this one lost.
    std::atomic<std::uint32_t> lost;
};

class CommitDisk {
public:
    virtual ~CommitDisk() = default;
    // All that was appended so far is on the disk; false: it may not be.
    virtual bool flush() = 0;
    virtual bool lives(std::uint32_t process) = 0;
    // A little while, or until `rounds` is not `seen` any more.
    virtual void wait(std::atomic<std::uint32_t> &rounds,
                      std::uint32_t seen) = 0;
    virtual void wake(std::atomic<std::uint32_t> &rounds) = 0;
};

// Returns when the first `ticket` records are on the disk; false: a flush
// failed. A process that dies while it flushes is replaced.
bool commit(CommitState &words, CommitDisk &disk, std::uint32_t self,
            std::uint64_t ticket);

}  // namespace x402

#endif
