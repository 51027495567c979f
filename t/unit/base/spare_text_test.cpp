// SPDX-License-Identifier: Apache-2.0
#include "base/spare_text.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string_view text_of(const SpareText &text)
{
    return text;
}

TEST(SpareText, ItsMemoryIsThatOfAFormerOne)
{
    const char *place;
    {
        SpareText text;
        text.empty().assign(500, 'x');
        place = text_of(text).data();
    }
    SpareText next;
    EXPECT_EQ(next.size(), 0u);
    next = std::string_view("a text that does not fit into a string itself");
    EXPECT_EQ(text_of(next).data(), place);
    EXPECT_EQ(text_of(next), "a text that does not fit into a string itself");
}

TEST(SpareText, ACopyIsAnotherText)
{
    SpareText text;
    text = std::string(500, 'x');
    SpareText copy(text);
    text.empty() = "short";
    EXPECT_EQ(text_of(copy), std::string(500, 'x'));
    EXPECT_EQ(text_of(text), "short");
    copy = copy;
    EXPECT_EQ(copy.size(), 500u);
}

TEST(SpareText, MovesToItsNextOwner)
{
    SpareText text;
    text = std::string(500, 'x');
    const char *place = text_of(text).data();
    SpareText moved(std::move(text));
    EXPECT_EQ(text_of(moved).data(), place);
    SpareText assigned;
    assigned = std::string(300, 'y');
    assigned = std::move(moved);
    EXPECT_EQ(text_of(assigned).data(), place);
}

// What is asked of the heap cannot be seen here; that all of it is freed or
// kept once is what AddressSanitizer looks at.
TEST(SpareText, LongAndManyTextsAreNotKept)
{
    std::vector<SpareText> many(SpareText::kMostSpare + 8);
    for (SpareText &text : many) {
        text.empty().assign(100, 'x');
    }
    many[0] = std::string(SpareText::kLongestSpare + 1, 'x');
    const char *place = text_of(many[0]).data();
    many.clear();
    SpareText next;
    next = std::string_view("a text that does not fit into a string itself");
    EXPECT_NE(text_of(next).data(), place);
}

TEST(SpareText, AnEmptyOneTakesNothing)
{
    SpareText text;
    text = std::string_view();
    EXPECT_EQ(text.size(), 0u);
    text = std::string(200, 'x');
    text.clear();
    EXPECT_EQ(text.size(), 0u);
}

}  // namespace
}  // namespace x402
