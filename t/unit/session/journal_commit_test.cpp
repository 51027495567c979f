// SPDX-License-Identifier: Apache-2.0
#include "session/journal_commit.hpp"

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A disk that takes its time, for "processes" that are threads.
class SlowDisk : public CommitDisk {
public:
    explicit SlowDisk(CommitState &words) : words_(words) {}

    bool flush() override
    {
        std::uint64_t before = words_.appended.load();
        EXPECT_EQ(flushing_.fetch_add(1), 0) << "one flush at a time";
        std::this_thread::sleep_for(milliseconds(2));
        flushing_.fetch_sub(1);
        flushes++;
        if (fails) {
            return false;
        }
        std::uint64_t known = safe.load();
        while (known < before && !safe.compare_exchange_weak(known, before)) {
        }
        return true;
    }
    bool lives(std::uint32_t process) override { return process != dead; }
    void wait(std::atomic<std::uint32_t> &, std::uint32_t) override
    {
        std::this_thread::sleep_for(microseconds(200));
    }
    void wake(std::atomic<std::uint32_t> &) override {}

    std::atomic<unsigned> flushes{0};
    // What had been appended when a flush that succeeded began.
    std::atomic<std::uint64_t> safe{0};
    std::atomic<bool> fails{false};
    std::uint32_t dead = 0;

private:
    CommitState &words_;
    std::atomic<int> flushing_{0};
};

class JournalCommit : public testing::Test {
protected:
    CommitState words_{};
    SlowDisk disk_{words_};
};

TEST_F(JournalCommit, OneFlushIsForAllThatWasAppended)
{
    constexpr unsigned kProcesses = 8;
    constexpr unsigned kRecords = 40;
    std::vector<std::thread> processes;
    std::atomic<unsigned> ready{0};
    for (std::uint32_t self = 1; self <= kProcesses; ++self) {
        processes.emplace_back([&, self] {
            for (ready++; ready < kProcesses;) {
                std::this_thread::sleep_for(microseconds(200));
            }
            for (unsigned number = 0; number < kRecords; ++number) {
                std::uint64_t ticket = words_.appended.fetch_add(1) + 1;
                ASSERT_TRUE(commit(words_, disk_, self, ticket));
                ASSERT_GE(disk_.safe.load(), ticket);
            }
        });
    }
    for (std::thread &process : processes) {
        process.join();
    }
    EXPECT_EQ(words_.durable.load(), kProcesses * kRecords);
    EXPECT_LT(disk_.flushes.load(), kProcesses * kRecords / 2);
}

TEST_F(JournalCommit, WhatIsOnTheDiskIsNotFlushedAgain)
{
    words_.appended = 3;
    EXPECT_TRUE(commit(words_, disk_, 1, 2));
    EXPECT_TRUE(commit(words_, disk_, 2, 3)) << "by another's flush";
    EXPECT_EQ(disk_.flushes.load(), 1u);
}

TEST_F(JournalCommit, AFlushOfADeadProcessIsRepeated)
{
    words_.appended = 1;
    words_.leader = 77;
    disk_.dead = 77;
    EXPECT_TRUE(commit(words_, disk_, 1, 1));
    EXPECT_EQ(words_.leader.load(), 0u);
}

TEST_F(JournalCommit, AFlushThatNeverEndsIsRepeated)
{
    words_.appended = 1;
    words_.leader = 77;  // another process has the number now
    EXPECT_TRUE(commit(words_, disk_, 1, 1));
}

// The disk tells of a failure once; the next flush may well succeed, without
// what the first one lost.
TEST_F(JournalCommit, AfterAFailureNothingIsSafeBeforeItWasRewritten)
{
    words_.appended = 1;
    disk_.fails = true;
    EXPECT_FALSE(commit(words_, disk_, 1, 1));
    disk_.fails = false;
    EXPECT_FALSE(commit(words_, disk_, 2, 1));
    EXPECT_EQ(disk_.flushes.load(), 1u);
    words_.appended = 2;
    words_.lost = 0;  // see JournalWriter::is_ready()
    EXPECT_TRUE(commit(words_, disk_, 2, 1));
}

}  // namespace
}  // namespace x402
