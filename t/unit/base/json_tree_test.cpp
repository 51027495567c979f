// SPDX-License-Identifier: Apache-2.0
#include "base/json_tree.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json_reader.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

// An object of so many members; the last one has the name of the first one.
bool finds_a_repeat(std::size_t members, bool repeated)
{
    std::vector<std::string> names;
    for (std::size_t index = 0; index < members; ++index) {
        bool last = repeated && index + 1 == members;
        names.push_back("n" + std::to_string(last ? 0 : index));
    }
    JsonNodes nodes;
    nodes.add(JsonKind::object, {});
    for (const std::string &name : names) {
        nodes.add(JsonKind::null, name);
    }
    return repeats_a_name(nodes.close(0, members));
}

TEST(JsonTree, FindsARepeatedNameInObjectsOfAnySize)
{
    for (std::size_t members : {2u, 3u, 15u, 16u, 17u, 18u, 1000u}) {
        EXPECT_TRUE(finds_a_repeat(members, true)) << members;
        EXPECT_FALSE(finds_a_repeat(members, false)) << members;
    }
    EXPECT_FALSE(finds_a_repeat(0, false));
    EXPECT_FALSE(finds_a_repeat(1, false));
}

// What limits count is the same by the values as by the bytes.
TEST(JsonTree, CountsAsTheLimitsDo)
{
    for (const char *text :
         {"1", "[]", "{}", "[[],{}]", R"({"a":[1,2,{"b":[]}],"c":"[{,:"})",
          "[1,[2,[3,[4]]],{},{}]", R"([[[]],"",null,true,-1.5e3])"}) {
        auto by_bytes = within_limits(text, {});
        auto tree = read_json(text, {});
        ASSERT_TRUE(by_bytes && tree) << text;
        EXPECT_EQ(tree->counts().depth, by_bytes->depth) << text;
        EXPECT_EQ(tree->counts().keys, by_bytes->keys) << text;
        EXPECT_EQ(tree->counts().values, by_bytes->values) << text;
    }
}

TEST(JsonTree, StaysWhereItIsWhenItMoves)
{
    auto tree = read_json(R"({"name":"text"})", {});
    ASSERT_TRUE(tree);
    const JsonNode *root = tree->root();
    JsonTree moved = std::move(*tree);
    EXPECT_EQ(moved.root(), root);
    EXPECT_EQ(root->first()->name_text(), "name");
    EXPECT_EQ(root->first()->string(), "text");
}

}  // namespace
}  // namespace x402
