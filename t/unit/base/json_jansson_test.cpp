// SPDX-License-Identifier: Apache-2.0
#include "base/json_jansson.hpp"

#include <cstdlib>
#include <new>

#include <gtest/gtest.h>
#include <jansson.h>

namespace x402 {
namespace {

// jansson's memory for one test; one allocation of it is refused.
class RefusedAllocation {
public:
    explicit RefusedAllocation(std::size_t number)
    {
        left() = number;
        json_set_alloc_funcs(allocate, std::free);
    }
    ~RefusedAllocation() { json_set_alloc_funcs(std::malloc, std::free); }
    bool happened() const { return left() == 0; }

    static bool is_in_use()
    {
        json_malloc_t in_use;
        json_get_alloc_funcs(&in_use, nullptr);
        return in_use == allocate;
    }

private:
    static std::size_t &left()
    {
        static std::size_t allocations;
        return allocations;
    }
    static void *allocate(std::size_t size)
    {
        bool refuse = left() == 1;
        left() -= left() > 0 ? 1 : 0;
        return refuse ? nullptr : std::malloc(size);
    }
};

TEST(JsonJansson, RefusedMemoryNeverMakesAnotherTextOfIt)
{
    const std::string text =
        R"({"x402Version":2,"accepted":{"scheme":)"
        R"("exact","payTo":"0x209693Bc6afc0C5328bA36Fa",)"
        R"("text":"a\u00e9\ud83d\ude00\u0041\n and more of it"},)"
        R"("list":[1,true,"short",2.5,)"
        R"("0123456789012345678901234567890123456789012",")"
        + std::string(9000, 'a') + R"("]})";
    bool refused = true;
    for (std::size_t number = 1; refused; ++number) {
        RefusedAllocation memory(number);
        try {
            auto tree = read_json_by_jansson(text, {});
            ASSERT_TRUE(tree);
            const JsonNode *list = tree->root()->first()->next()->next();
            const JsonNode *last = list->first() + 5;
            EXPECT_EQ(last->string(), std::string(9000, 'a')) << number;
        } catch (const std::bad_alloc &) {
        }
        EXPECT_TRUE(RefusedAllocation::is_in_use());
        refused = memory.happened();
    }
}

TEST(JsonJansson, JanssonGetsBackWhatItHad)
{
    for (const char *text : {"[1,2]", "[1,", R"({"a":[{"b":{}}],"a":1})"}) {
        RefusedAllocation memory(0);
        read_json_by_jansson(text, {});
        EXPECT_TRUE(RefusedAllocation::is_in_use());
        json_fault(text);
        EXPECT_TRUE(RefusedAllocation::is_in_use());
    }
}

TEST(JsonJansson, SaysWhereAFaultIs)
{
    EXPECT_EQ(json_fault("{}"), "");
    EXPECT_EQ(json_fault("{\"a\":}"), "unexpected token near '}' at byte 6");
    EXPECT_EQ(json_fault("{\"a\":1,\"\\u0061\":2}"),
              "duplicate object key near '\"\\u0061\"' at byte 15");
    EXPECT_NE(json_fault(""), "");
}

}  // namespace
}  // namespace x402
