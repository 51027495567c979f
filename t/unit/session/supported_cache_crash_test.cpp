// SPDX-License-Identifier: Apache-2.0
// A worker may die between any two stores while it pins up a text. What is
// shown then is the old text or the new one, and the cache goes on.
//
// In the first test random ones of the words that an operation changed are laid
// over the memory as it was before, with the word that shows the new text only
// when all of the text is there. The second one kills a process at random.
#include "session/supported_cache.hpp"

#include <csignal>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr std::uint64_t kNow = 5'000'000'000;
constexpr std::uint64_t kFacilitator = 7;
constexpr std::uint64_t kLater = kNow + 100'000'000;
constexpr unsigned kTries = 300;

bool nobody_lives(std::int64_t)
{
    return false;
}

// A text that proves itself: all of one letter, as long as the letter says.
std::string text_of(unsigned number)
{
    return std::string(20 + number % 26 * 7,
                       static_cast<char>('a' + number % 26));
}

bool is_whole(const SupportedText &shown)
{
    return shown.edition == 0
           || (!shown.text.empty()
               && shown.text
                      == text_of(static_cast<unsigned>(shown.text[0] - 'a')));
}

void expect_usable(SupportedCache &cache, std::uint32_t place)
{
    EXPECT_TRUE(cache.take_turn(place, 300, 1, kLater, 1000).yours);
    EXPECT_TRUE(cache.show(place, {0, 0, "next"}, kLater, 1000));
    EXPECT_EQ(cache.read(place, kFacilitator)->text, "next");
    EXPECT_EQ(cache.failures(place), 0u);
}

using Words = std::vector<std::uint32_t>;

TEST(SupportedCacheCrash, ShowsTheOldTextOrTheNewOne)
{
    constexpr SupportedCache::Shape kShape = {2, 256};
    Words memory(kShape.bytes() / 4 + 2);
    SupportedCache::format(memory.data(), kShape);
    SupportedCache cache(memory.data(), nobody_lives);
    std::uint32_t place = cache.enter(kFacilitator, kNow);
    // Behind the header and the facilitator's number.
    constexpr std::size_t kShownWord = (24 + 8) / 4;
    std::mt19937 random(1);

    for (unsigned round = 0; round < 4; round++) {
        const Words before = memory;
        std::uint32_t edition = cache.edition(place);
        std::string old_text = cache.read(place, kFacilitator)->text;
        std::string new_text = text_of(round);
        ASSERT_TRUE(
            cache.take_turn(place, 100, 1, kNow + round * 7200000, 1000).yours);
        ASSERT_TRUE(
            cache.show(place, {0, 0, new_text}, kNow + round * 7200000, 1000));
        const Words after = memory;
        ASSERT_NE(before[kShownWord], after[kShownWord]);

        for (unsigned attempt = 0; attempt < kTries; attempt++) {
            bool shows = attempt % 2 == 1;
            memory = shows ? after : before;
            for (std::size_t i = 0; i < memory.size(); i++) {
                // Once it is shown, what stands before it has been stored.
                bool stored = shows && i >= kShownWord + 24;
                if (i != kShownWord && !stored && random() % 2) {
                    memory[i] = shows ? before[i] : after[i];
                }
            }
            auto shown = cache.read(place, kFacilitator);
            ASSERT_TRUE(shown);
            EXPECT_EQ(shown->text, shows ? new_text : old_text);
            EXPECT_EQ(shown->edition == edition, !shows);
            expect_usable(cache, place);
        }
        memory = after;
    }
}

TEST(SupportedCacheCrash, SurvivesProcessesThatAreKilled)
{
    constexpr SupportedCache::Shape kShape = {1, 256};
    void *memory = mmap(nullptr, kShape.bytes(), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    SupportedCache::format(memory, kShape);
    SupportedCache cache(memory, nobody_lives);
    std::uint32_t place = cache.enter(kFacilitator, kNow);
    std::mt19937 random(2);
    std::uint32_t last = 0;

    for (unsigned attempt = 0; attempt < 150; attempt++) {
        pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            for (unsigned number = attempt;; number++) {
                cache.enter(kFacilitator, kNow + number);
                cache.take_turn(place, 100, 1, kNow + number, 1000);
                cache.show(place, {0, 0, text_of(number)}, kNow + number, 1);
                cache.record_failure(place, kNow + number, 1);
            }
        }
        while (cache.edition(place) == last) {
            usleep(50);
        }
        usleep(random() % 500);
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);

        auto shown = cache.read(place, kFacilitator);
        ASSERT_TRUE(shown);
        EXPECT_TRUE(is_whole(*shown)) << shown->text;
        last = shown->edition;
        EXPECT_EQ(last, cache.edition(place));
    }
    expect_usable(cache, place);
    munmap(memory, kShape.bytes());
}

}  // namespace
}  // namespace x402
