// SPDX-License-Identifier: Apache-2.0
#include "protocol/bazaar_discovery.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

// Patterns without a parameter (they make no template) are refused here, so
// that an operator learns of it.
RouteTemplate route_of(JsonValue pattern)
{
    auto route = RouteTemplate::parse(pattern.string());
    return route ? route.value() : RouteTemplate();
}

TEST(BazaarDiscovery, IsEnrichedAsByTheReference)
{
    JsonDocument vectors = read_vectors("bazaar-vectors.json");
    JsonValue rows = vectors.root()["vectors"];
    ASSERT_GT(rows.size(), 25u);
    for (std::size_t index = 0; index < rows.size(); ++index) {
        JsonValue row = rows.at(index);
        EXPECT_EQ(enriched_bazaar(row["declaration"], row["method"].string(),
                                  route_of(row["pattern"]),
                                  row["path"].string()),
                  row["enriched"].string())
            << row["path"].string() << " " << row["pattern"].string();
    }
}

TEST(BazaarDiscovery, WritesTemplatesInOneSpelling)
{
    auto text = [](std::string_view route) {
        return RouteTemplate::parse(route).value().text();
    };
    EXPECT_EQ(text("/a/[b]/c/:d"), "/a/:b/c/:d");
    EXPECT_EQ(text("/a/*/:z/*"), "/a/:var1/:z/:var2");
    EXPECT_EQ(text("/f/v-:n.zip"), "/f/v-:n.zip");
    EXPECT_EQ(text("/:a/"), "/:a/");
    EXPECT_FALSE(RouteTemplate().exists());
}

TEST(BazaarDiscovery, RefusesTemplatesThatSayNothing)
{
    for (std::string_view route :
         {"",       "users/:id", ":id",    "/users",  "/",
          "/*",     "/*/*",      "/a:",    "/a/[]",   "/a?b=:c",
          "/a#:b",  "/a b/:c",   "/:a/:a", "/[a]/:a", "/*/:var1",
          "/:a.:b", "/[a][b]",   "/[a b]", "/[1]",    "/[a/:b"}) {
        auto made = RouteTemplate::parse(route);
        // An open bracket is a letter like any other.
        EXPECT_EQ(made.ok(), route == "/[a/:b") << route;
    }
}

TEST(BazaarDiscovery, MatchesPathsAsTheyWereSpelled)
{
    RouteTemplate route = RouteTemplate::parse("/a/:b/c-:d.x").value();
    auto found = route.match("/a/%2F/c-7.x");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].first, "b");
    EXPECT_EQ(found[0].second, "%2F");
    EXPECT_EQ(found[1].second, "7");
    for (std::string_view path :
         {"", "/", "/a/b", "/a//c-7.x", "/A/b/c-7.x", "/a/b/c-.x", "/a/b/c-7.y",
          "/a/b/c-7.x/", "a/b/c-7.x", "/a/b/d-7.x", "/a/b/c.x"}) {
        EXPECT_TRUE(route.match(path).empty()) << path;
    }
}

TEST(BazaarDiscovery, LeavesNoWayOutOfAString)
{
    JsonDocument declaration =
        parse_json(R"({"info":{"input":{"type":"http"}},"schema":{}})");
    RouteTemplate route = RouteTemplate::parse("/:a").value();
    JsonDocument enriched = parse_json(
        enriched_bazaar(declaration.root(), "G\"E", route, "/\"},\x01\xff\\"));
    EXPECT_EQ(enriched.root()["info"]["input"]["pathParams"]["a"].string(),
              "\"},\x01\xef\xbf\xbd\\");
    EXPECT_EQ(enriched.root()["info"]["input"]["method"].string(), "G\"E");
}

}  // namespace
}  // namespace x402
