// SPDX-License-Identifier: Apache-2.0
#include "protocol/extension_echo.hpp"

#include <gtest/gtest.h>

#include "protocol/extension_list.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

// As a server of the reference does it: over all that a client sent.
bool valid(JsonValue server, JsonValue client)
{
    for (const auto &[name, parsed] : client.members()) {
        JsonValue offered = server[name];
        // The vectors' own extension with a field of one answer.
        bool good = name == "dyn"
                        ? keeps_info(extension_info(offered),
                                     extension_info(parsed), {"nonce"})
                    : offered.exists() ? is_echo(name, offered, parsed)
                                       : may_be_added(name, parsed);
        if (!good) {
            return false;
        }
    }
    return true;
}

TEST(ExtensionEcho, IsJudgedAsByTheReference)
{
    JsonDocument vectors = read_vectors("extension-vectors.json");
    JsonValue rows = vectors.root()["echo"];
    ASSERT_GT(rows.size(), 30u);
    for (std::size_t index = 0; index < rows.size(); ++index) {
        JsonValue row = rows.at(index);
        // Version 1 has no extensions: not called.
        if (row["x402Version"].integer() == 2) {
            EXPECT_EQ(valid(row["server"], row["client"]),
                      row["valid"].is_true())
                << row["name"].string();
        }
    }
}

bool echo(std::string_view name, const char *advertised, const char *echoed)
{
    JsonDocument offered = parse_json(advertised);
    JsonDocument parsed = parse_json(echoed);
    return is_echo(name, offered.root(), parsed.root());
}

TEST(ExtensionEcho, KeepsTypes)
{
    const char *offered = R"({"info":{"a":1,"b":"x","c":null,"d":true}})";
    EXPECT_TRUE(echo("x", offered, offered));
    EXPECT_TRUE(
        echo("x", offered, R"({"info":{"d":true,"c":null,"b":"x","a":1.0}})"));
    for (const char *parsed : {
             R"({"info":{"a":"1","b":"x","c":null,"d":true}})",
             R"({"info":{"a":1,"b":["x"],"c":null,"d":true}})",
             R"({"info":{"a":1,"b":"x","c":{},"d":true}})",
             R"({"info":{"a":1,"b":"x","d":true}})",
             R"({"info":{"a":1,"b":"x","c":null,"d":"true"}})",
             R"({"info":[{"a":1,"b":"x","c":null,"d":true}]})",
             R"({"info":null})",
         }) {
        EXPECT_FALSE(echo("x", offered, parsed)) << parsed;
    }
}

TEST(ExtensionEcho, TakesArraysAsTheyAre)
{
    const char *offered = R"({"info":{"l":[{"a":1},2]}})";
    EXPECT_FALSE(echo("x", offered, R"({"info":{"l":[2,{"a":1}]}})"));
    EXPECT_FALSE(echo("x", offered, R"({"info":{"l":[{"a":1,"b":2},2]}})"));
    EXPECT_FALSE(echo("x", offered, R"({"info":{"l":{"0":{"a":1},"1":2}}})"));
}

TEST(ExtensionEcho, IgnoresWhatIsMadeEachTime)
{
    EXPECT_TRUE(echo("sign-in-with-x",
                     R"({"info":{"domain":"d","nonce":"1","issuedAt":"n",
                         "expirationTime":"e"},"supportedChains":[]})",
                     R"({"info":{"domain":"d","nonce":"2"}})"));
    EXPECT_FALSE(echo("sign-in-with-x", R"({"info":{"domain":"d"}})",
                      R"({"info":{"domain":"e"}})"));
    EXPECT_TRUE(echo("offer-receipt", R"({"info":{"offers":[1],"k":1}})",
                     R"({"info":{"offers":[2,3],"k":1}})"));
    // Only in info itself, and only there where it belongs.
    EXPECT_FALSE(echo("offer-receipt", R"({"info":{"k":{"offers":[1]}}})",
                      R"({"info":{"k":{}}})"));
    EXPECT_FALSE(
        echo("x", R"({"info":{"nonce":"1"}})", R"({"info":{"nonce":"2"}})"));
}

TEST(ExtensionEcho, LeavesBuilderCodesToWhomTheyBelong)
{
    const char *services = R"({"info":{"s":["s1","s2"]}})";
    EXPECT_TRUE(echo("builder-code", services,
                     R"({"info":{"s":["c","s2","s1"],"w":"w"}})"));
    EXPECT_FALSE(echo("builder-code", services,
                      R"({"info":{"s":["s1","s2"],"a":"mine"}})"));
    EXPECT_FALSE(echo("builder-code", services, R"({"info":{}})"));
    EXPECT_FALSE(echo("builder-code", services, R"({"info":{"s":{}}})"));
    EXPECT_FALSE(echo("builder-code", R"({"info":{"s":["1"]}})",
                      R"({"info":{"s":[1]}})"));

    JsonDocument many =
        parse_json(R"({"info":{"s":[1,2,3,4,5,6,7,8,9,10,11]}})");
    EXPECT_FALSE(may_be_added("builder-code", many.root()));
    EXPECT_TRUE(may_be_added("other", many.root()));
    JsonDocument bare = parse_json(R"({"a":"mine"})");
    EXPECT_FALSE(may_be_added("builder-code", bare.root()));
}

}  // namespace
}  // namespace x402
