// SPDX-License-Identifier: Apache-2.0
#include "base/out_bytes.hpp"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

void put(OutBytes &out, const std::string &text)
{
    std::memcpy(out.room(text.size()), text.data(), text.size());
    out.add(text.size());
}

TEST(OutBytes, HasWhatWasAddedAndNotWhatWasOnlyWritten)
{
    OutBytes out;
    EXPECT_EQ(out.text(), "");
    put(out, "one ");
    std::memcpy(out.room(7), "nothing", 7);
    put(out, "two");
    EXPECT_EQ(out.text(), "one two");
    out.clear();
    EXPECT_EQ(out.size(), 0u);
    put(out, "three");
    EXPECT_EQ(out.text(), "three");
}

TEST(OutBytes, GrowsWithWhatIsInIt)
{
    OutBytes out;
    std::string all;
    for (int i = 0; i < 5000; i++) {
        std::string piece = std::to_string(i) + std::string(60, '.');
        put(out, piece);
        all += piece;
    }
    EXPECT_GT(out.size(), OutBytes::kMostKept);
    EXPECT_EQ(out.text(), all);
    out.clear();
    put(out, "after a burst");
    EXPECT_EQ(out.text(), "after a burst");
}

TEST(OutBytes, TakesMoreThanItHasAtOnce)
{
    OutBytes out;
    put(out, std::string(100000, 'x'));
    EXPECT_EQ(out.text(), std::string(100000, 'x'));
}

}  // namespace
}  // namespace x402
