// SPDX-License-Identifier: Apache-2.0
#include "protocol/manifest.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

ManifestRoute weather()
{
    ManifestRoute route;
    route.path = "/weather/{city}";
    route.methods = {"GET"};
    route.currency = "USD";
    route.amount = "0.01";
    route.offers = {{"evm", "0xabc", "10000"}};
    route.accepts_json = "[]";
    return route;
}

JsonDocument parsed(const std::string &text)
{
    auto document = JsonDocument::parse(text, {1 << 20, 64, 65536, 65536});
    EXPECT_TRUE(document.ok()) << text;
    return document ? std::move(document.value()) : JsonDocument();
}

std::size_t nothing(std::string_view)
{
    return kNoRoute;
}

TEST(Manifest, HasThePriceInBothShapes)
{
    auto document = parsed(
        openapi_manifest({"Shop", "", "", ""}, {weather()}, {}, nothing));
    JsonValue info =
        document.root()["paths"]["/weather/{city}"]["get"]["x-payment-info"];
    std::string text;
    info.write(text);
    EXPECT_EQ(text, "{\"price\":{\"mode\":\"fixed\",\"currency\":\"USD\","
                    "\"amount\":\"0.01\"},\"protocols\":[{\"x402\":{}}],"
                    "\"offers\":[{\"intent\":\"charge\",\"method\":\"evm\","
                    "\"amount\":\"10000\",\"currency\":\"0xabc\"}]}");
}

TEST(Manifest, SaysThatASignatureIsEnough)
{
    ManifestRoute route = weather();
    route.signature_alone = true;
    auto base = parsed(R"({"paths":{"/a":{"get":{"security":[{"key":[]}]}}}})");
    for (JsonValue with : {JsonValue(), base.root()}) {
        auto document = parsed(
            openapi_manifest({"Shop", "", "", ""}, {route}, with,
                             [](std::string_view) { return std::size_t{0}; }));
        JsonValue paths = document.root()["paths"];
        JsonValue get = paths[with.exists() ? "/a" : "/weather/{city}"]["get"];
        EXPECT_TRUE(get["security"].at(0)["siwx"].is_array());
        EXPECT_FALSE(get["x-payment-info"].exists());
        EXPECT_NE(get["responses"]["402"]["description"].string().find(
                      "Signature required"),
                  std::string_view::npos);
        EXPECT_EQ(document
                      .root()["components"]["securitySchemes"]["siwx"]
                             ["x-agentcash-auth-kind"]
                      .string(),
                  "siwx");
    }
    // There is nothing to pay.
    EXPECT_EQ(resource_manifest({route, weather()}, 7).size(), 3u);
    EXPECT_EQ(resource_manifest({route}, 7).size(), 1u);
}

TEST(Manifest, WithoutRoutesIsADocument)
{
    auto document =
        parsed(openapi_manifest({"A \"b\"\n", "", "", ""}, {}, {}, nothing));
    EXPECT_EQ(document.root()["info"]["title"].string(), "A \"b\"\n");
    EXPECT_EQ(document.root()["paths"].size(), 0u);
    EXPECT_EQ(resource_manifest({}, 7).size(), 1u);
}

TEST(Manifest, KeepsABaseAndPricesIt)
{
    auto base = parsed(R"({"openapi":"3.0.3","info":{"title":"Mine"},"x":1,)"
                       R"("paths":{"/weather/{city}":{"get":{"a":1},)"
                       R"("post":{"b":2}}}})");
    ManifestRoute route = weather();
    route.charged = {"GET"};
    auto find = [](std::string_view path) {
        return path == "/weather/x" ? std::size_t{0} : kNoRoute;
    };
    auto document = parsed(openapi_manifest({"Shop", "a@b.c", "", ""}, {route},
                                            base.root(), find));
    JsonValue root = document.root();
    EXPECT_EQ(root["openapi"].string(), "3.0.3");
    EXPECT_EQ(root["info"]["title"].string(), "Mine");
    EXPECT_EQ(root["info"]["contact"]["email"].string(), "a@b.c");
    EXPECT_EQ(root["x"].integer(), 1);
    JsonValue item = root["paths"]["/weather/{city}"];
    EXPECT_EQ(item["get"]["a"].integer(), 1);
    EXPECT_TRUE(item["get"]["x-payment-info"].exists());
    EXPECT_TRUE(item["get"]["responses"]["402"].exists());
    EXPECT_FALSE(item["post"]["x-payment-info"].exists());
}

TEST(Manifest, ListsResourcesBehindTheOriginOfTheRequest)
{
    ManifestRoute fixed = weather();
    fixed.url = "https://cdn.example/w";
    auto pieces = resource_manifest({weather(), fixed}, 7);
    ASSERT_EQ(pieces.size(), 3u);
    std::string text =
        pieces[0] + "http://a" + pieces[1] + "http://a" + pieces[2];
    auto document = parsed(text);
    EXPECT_EQ(document.root()["resources"].at(0).string(),
              "http://a/weather/{city}");
    EXPECT_EQ(document.root()["resources"].at(1).string(),
              "https://cdn.example/w");
    JsonValue item = document.root()["items"].at(0);
    EXPECT_EQ(item["input"]["routeTemplate"].string(), "/weather/:city");
    EXPECT_EQ(item["lastUpdated"].integer(), 7);
}

}  // namespace
}  // namespace x402
