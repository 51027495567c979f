// SPDX-License-Identifier: Apache-2.0
#include "session/supported_cache.hpp"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr std::uint64_t kNow = 5'000'000'000;
constexpr std::uint64_t kHour = 3600 * 1000;
constexpr std::uint64_t kLease = 35000;
constexpr SupportedCache::Shape kShape = {3, 256};

std::set<std::int64_t> &living()
{
    static std::set<std::int64_t> processes;
    return processes;
}

bool lives(std::int64_t process)
{
    return living().count(process) != 0;
}

class SupportedCacheOf : public testing::Test {
protected:
    SupportedCacheOf()
        : memory_((kShape.bytes() + 7) / 8), cache_(memory_.data(), lives)
    {
        SupportedCache::format(memory_.data(), kShape);
        living() = {100, 200};
        place_ = cache_.enter(7, kNow);
    }

    SupportedTurn turn(std::int64_t process, std::uint64_t now = kNow,
                       std::uint64_t needs = 1)
    {
        return cache_.take_turn(place_, process, needs, now, kLease);
    }
    bool show(const std::string &text, std::uint64_t now = kNow,
              std::uint64_t kept_for = 0)
    {
        return cache_.show(place_, {0, kept_for, text}, now, 600000);
    }
    std::string shown() const
    {
        return cache_.read(place_, 7).value_or(SupportedText{}).text;
    }

    std::vector<std::uint64_t> memory_;
    SupportedCache cache_;
    std::uint32_t place_ = 0;
};

// Each worker knows the time of its last event.
TEST_F(SupportedCacheOf, AWorkerThatIsBehindChangesNothing)
{
    EXPECT_TRUE(turn(100).yours);
    ASSERT_TRUE(cache_.show(place_, {0, 0, "text"}, kNow,
                            SupportedCache::kLongestFresh));
    EXPECT_NE(cache_.enter(8, kNow - 7), place_) << "another's place";
    EXPECT_EQ(cache_.enter(7, kNow - 7), place_);
    EXPECT_FALSE(turn(200, kNow - 7).yours) << "it is fresh";
    EXPECT_EQ(shown(), "text");
    cache_.record_failure(place_, kNow + SupportedCache::kLongestFresh,
                          SupportedCache::kLongestRetry);
    EXPECT_FALSE(turn(200, kNow + SupportedCache::kLongestFresh - 7).yours)
        << "the pause has begun";
}

TEST(SupportedCacheShape, IsCutFromTheZone)
{
    EXPECT_EQ(SupportedCache::shape_in(0).places, 0u);
    EXPECT_EQ(SupportedCache::shape_in(60 * 1024).places, 0u);
    EXPECT_EQ(SupportedCache::shape_in(60 * 1024).bytes(), 0u);
    EXPECT_EQ(SupportedCache::shape_in(252 * 1024).places, 1u);
    EXPECT_GT(SupportedCache::shape_in(252 * 1024).text_bytes, 7000u);
    auto usual = SupportedCache::shape_in(10 * 1024 * 1024 - 4096);
    EXPECT_EQ(usual.places, 16u);
    EXPECT_EQ(usual.text_bytes, 16u * 1024);
    for (std::size_t bytes = 0; bytes < 12u * 1024 * 1024; bytes += 4096) {
        auto shape = SupportedCache::shape_in(bytes);
        EXPECT_LE(shape.bytes(), bytes / 16) << bytes;
        EXPECT_EQ(shape.bytes() % 8, 0u) << bytes;
        EXPECT_TRUE(shape.places == 0 || shape.text_bytes >= 3 * 1024);
    }
}

TEST_F(SupportedCacheOf, ThisLayoutIsRecognised)
{
    EXPECT_TRUE(SupportedCache::recognises(memory_.data(), kShape));
    EXPECT_FALSE(SupportedCache::recognises(memory_.data(), {2, 256}));
    EXPECT_FALSE(SupportedCache::recognises(memory_.data(), {3, 264}));
    auto *bytes = reinterpret_cast<unsigned char *>(memory_.data());
    for (std::size_t place : {0u, 7u, 8u, 11u}) {  // magic, layout
        bytes[place] ^= 1;
        EXPECT_FALSE(SupportedCache::recognises(memory_.data(), kShape));
        bytes[place] ^= 1;
    }
    EXPECT_TRUE(SupportedCache::recognises(memory_.data(), kShape));
}

TEST_F(SupportedCacheOf, NothingIsShownAtFirst)
{
    EXPECT_EQ(cache_.edition(place_), 0u);
    ASSERT_TRUE(cache_.read(place_, 7));
    EXPECT_EQ(cache_.read(place_, 7)->edition, 0u);
    EXPECT_EQ(cache_.failures(place_), 0u);
}

TEST_F(SupportedCacheOf, WhatIsShownIsRead)
{
    EXPECT_TRUE(show("one", kNow, 9));
    auto text = cache_.read(place_, 7);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->text, "one");
    EXPECT_EQ(text->kept_for, 9u);
    EXPECT_EQ(text->edition, cache_.edition(place_));
    EXPECT_FALSE(cache_.read(place_, 8));
}

TEST_F(SupportedCacheOf, TheEditionChangesWithTheText)
{
    show("one");
    std::uint32_t first = cache_.edition(place_);
    show("one", kNow + 1);
    EXPECT_EQ(cache_.edition(place_), first);
    show("two");
    std::uint32_t second = cache_.edition(place_);
    EXPECT_NE(second, first);
    show("one");
    EXPECT_NE(cache_.edition(place_), first);
    EXPECT_NE(cache_.edition(place_), second);
    show("one", kNow, 4);
    EXPECT_EQ(cache_.read(place_, 7)->kept_for, 4u);
}

TEST_F(SupportedCacheOf, TextsOfAnyLengthUpToTheShape)
{
    EXPECT_TRUE(show(std::string(256, 'x')));
    EXPECT_TRUE(show(""));
    EXPECT_EQ(shown(), "");
    EXPECT_TRUE(show(std::string(256, 'y')));
    EXPECT_FALSE(show(std::string(257, 'z')));
    EXPECT_EQ(shown(), std::string(256, 'y'));
}

TEST_F(SupportedCacheOf, OneProcessHasTheTurn)
{
    EXPECT_TRUE(turn(100).yours);
    SupportedTurn other = turn(200);
    EXPECT_FALSE(other.yours);
    EXPECT_EQ(other.wait, 1000u);
    cache_.give_up(place_, 200);
    EXPECT_FALSE(turn(200).yours);
    cache_.give_up(place_, 100);
    EXPECT_TRUE(turn(200).yours);
}

TEST_F(SupportedCacheOf, TheTurnOfTheDeadAndTheLateIsTaken)
{
    EXPECT_TRUE(turn(100).yours);
    living() = {200};
    EXPECT_TRUE(turn(200).yours);
    living() = {100, 200};
    EXPECT_FALSE(turn(100, kNow + kLease - 1).yours);
    EXPECT_TRUE(turn(100, kNow + kLease).yours);
    // A worker that began again under its old number.
    EXPECT_TRUE(turn(100, kNow + kLease).yours);
}

TEST_F(SupportedCacheOf, NobodyAsksWhileItIsFresh)
{
    turn(100);
    show("one");
    EXPECT_FALSE(turn(100).yours);
    EXPECT_EQ(turn(200).wait, 600000u);
    EXPECT_EQ(turn(200, kNow + 599999).wait, 1u);
    EXPECT_TRUE(turn(200, kNow + 600000).yours);
    EXPECT_EQ(shown(), "one");
    // The clock was set back.
    EXPECT_TRUE(turn(200, kNow - 2 * kHour).yours);
}

TEST_F(SupportedCacheOf, WhatWasKeptForOthersIsAskedAgain)
{
    show("one", kNow, 5);
    EXPECT_FALSE(turn(100, kNow, 5).yours);
    EXPECT_TRUE(turn(100, kNow, 6).yours);
    show("all", kNow, 0);
    EXPECT_FALSE(turn(100, kNow, 6).yours);
}

TEST_F(SupportedCacheOf, AFailureIsAPauseForAll)
{
    show("one");
    std::uint64_t late = kNow + 600000;
    EXPECT_TRUE(turn(100, late).yours);
    cache_.record_failure(place_, late, 4000);
    EXPECT_EQ(cache_.failures(place_), 1u);
    EXPECT_EQ(turn(200, late).wait, 4000u);
    EXPECT_FALSE(turn(100, late + 3999).yours);
    EXPECT_TRUE(turn(200, late + 4000).yours);
    cache_.record_failure(place_, late + 4000, kHour);
    EXPECT_EQ(cache_.failures(place_), 2u);
    EXPECT_EQ(turn(200, late + 4000).wait, 30000u);
    EXPECT_EQ(shown(), "one");
    show("one", late + 40000);
    EXPECT_EQ(cache_.failures(place_), 0u);
    EXPECT_EQ(turn(200, late + 40000).wait, 600000u);
}

TEST_F(SupportedCacheOf, EachAnswerIsJudgedOnceForAConfiguration)
{
    EXPECT_FALSE(cache_.read_once(place_, 1));
    show("one");
    EXPECT_TRUE(cache_.read_once(place_, 1));
    EXPECT_FALSE(cache_.read_once(place_, 1));
    EXPECT_TRUE(cache_.read_once(place_, 2));
    show("one", kNow + 1);
    EXPECT_FALSE(cache_.read_once(place_, 2));
    show("two");
    EXPECT_TRUE(cache_.read_once(place_, 2));
}

TEST_F(SupportedCacheOf, PlacesAreKeptAndReusedWhenForgotten)
{
    show("seven");
    EXPECT_EQ(cache_.enter(7, kNow), place_);
    std::uint32_t eight = cache_.enter(8, kNow);
    std::uint32_t nine = cache_.enter(9, kNow);
    EXPECT_NE(eight, place_);
    EXPECT_NE(eight, nine);
    EXPECT_EQ(cache_.enter(10, kNow), SupportedCache::kNoPlace);
    EXPECT_EQ(cache_.enter(7, kNow + 2 * kHour), place_);
    EXPECT_EQ(cache_.enter(9, kNow + 2 * kHour), nine);
    EXPECT_EQ(cache_.enter(10, kNow + 2 * kHour), SupportedCache::kNoPlace);
    EXPECT_EQ(cache_.enter(10, kNow + 2 * kHour + 1), eight);
    EXPECT_FALSE(cache_.read(eight, 8));
    EXPECT_EQ(cache_.read(eight, 10)->edition, 0u);
    EXPECT_EQ(shown(), "seven");
    // After a return there is no trace of it, and another edition.
    std::uint32_t before = cache_.edition(place_);
    EXPECT_EQ(cache_.enter(11, kNow + 9 * kHour), place_);
    cache_.show(place_, {0, 0, "seven"}, kNow, 1);
    EXPECT_NE(cache_.edition(place_), before);
}

}  // namespace
}  // namespace x402
