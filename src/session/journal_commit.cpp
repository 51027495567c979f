// SPDX-License-Identifier: Apache-2.0
#include "session/journal_commit.hpp"

namespace x402 {

namespace {

// Waits without the end of a flush, after which it is taken to have no end: its
// process is dead, and another one has its number.
constexpr unsigned kPatience = 500;

// Money: what was appended is read before the flush begins.
void lead(CommitState &words, CommitDisk &disk)
{
    std::uint64_t end = words.appended.load();
    if (disk.flush()) {
        std::uint64_t before = words.durable.load();
        while (before < end
               && !words.durable.compare_exchange_weak(before, end)) {
        }
    } else {
        words.lost.store(1);
    }
    words.leader.store(0);
    words.rounds.fetch_add(1);
    disk.wake(words.rounds);
}

}  // namespace

bool commit(CommitState &words, CommitDisk &disk, std::uint32_t self,
            std::uint64_t ticket)
{
    unsigned waited = 0;
    std::uint32_t before = words.rounds.load();
    for (;;) {
        std::uint32_t seen = words.rounds.load();
        if (words.durable.load() >= ticket) {
            return true;
        }
        if (words.lost.load() != 0) {
            return false;
        }
        waited = seen == before ? waited + 1 : 0;
        before = seen;
        std::uint32_t leader = words.leader.load();
        bool vacant = leader == 0 || leader == self || waited > kPatience
                      || !disk.lives(leader);
        if (!vacant) {
            disk.wait(words.rounds, seen);
        } else if (words.leader.compare_exchange_strong(leader, self)) {
            lead(words, disk);
        }
    }
}

}  // namespace x402
