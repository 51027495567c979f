// SPDX-License-Identifier: Apache-2.0
#include "protocol/extension_list.hpp"

#include <gtest/gtest.h>

#include "protocol/extension_shape.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kBazaar =
    R"({"info":{"input":{"type":"http"}},"schema":{"type":"object"}})";

// The `extensions` of every offer of the reference, from its configuration.
TEST(ExtensionList, SaysWhatTheReferenceSays)
{
    JsonDocument vectors = read_vectors("payment-required.json");
    JsonValue rows = vectors.root()["vectors"];
    unsigned found = 0;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        JsonValue declared = rows.at(index)["config"]["extensions"];
        if (!declared.exists()) {
            continue;
        }
        Extensions extensions;
        for (const auto &[name, declaration] : declared.members()) {
            ASSERT_EQ(extensions.add(name, written(declaration), ""), "");
        }
        JsonDocument offer = parse_json(rows.at(index)["json"].string());
        JsonValue expected = offer.root()["extensions"];
        EXPECT_EQ(extensions_for(extensions, "GET", "/paid"),
                  expected.exists() ? written(expected) : "")
            << rows.at(index)["name"].string();
        EXPECT_TRUE(echo_ok(extensions, "GET", "/paid", expected));
        ++found;
    }
    EXPECT_EQ(found, 4u);
}

TEST(ExtensionList, KeepsTheOrderAndEnrichesBazaarAlone)
{
    Extensions extensions;
    EXPECT_EQ(extensions_for(extensions, "GET", "/"), "");
    EXPECT_EQ(extensions.add("z", R"( {"b" : 1, "a":2} )", ""), "");
    EXPECT_EQ(extensions_for(extensions, "GET", "/"), R"({"z":{"b":1,"a":2}})");
    EXPECT_EQ(extensions.add("bazaar", kBazaar, "/u/:id"), "");
    EXPECT_EQ(extensions.add("a", R"({"info":{}})", ""), "");
    EXPECT_EQ(
        extensions_for(extensions, "PUT", "/u/7"),
        R"({"z":{"b":1,"a":2},"bazaar":{"info":{"input":{"type":"http",)"
        R"("method":"PUT","pathParams":{"id":"7"}}},"schema":{"type":)"
        R"("object","properties":{"input":{"properties":{"method":{"type":)"
        R"("string","enum":["PUT"]},"pathParams":{"type":"object"}},)"
        R"("required":["method"]}}},"routeTemplate":"/u/:id"},)"
        R"("a":{"info":{}}})");
}

TEST(ExtensionList, SaysWhatVaries)
{
    Extensions extensions;
    EXPECT_TRUE(extensions.is_constant());
    EXPECT_TRUE(extensions.vary_by_method_only());
    EXPECT_EQ(extensions.add("z", "{\"a\":1}", ""), "");
    EXPECT_TRUE(extensions.is_constant());
    EXPECT_EQ(extensions.add("bazaar", kBazaar, ""), "");
    EXPECT_FALSE(extensions.is_constant());
    EXPECT_TRUE(extensions.vary_by_method_only());
    EXPECT_EQ(extensions_for(extensions, "GET", "/a"),
              extensions_for(extensions, "GET", "/b/c"));

    Extensions routed;
    EXPECT_EQ(routed.add("bazaar", kBazaar, "/u/:id"), "");
    EXPECT_FALSE(routed.vary_by_method_only());
}

// What a client was told at another address does not pay for this one.
TEST(ExtensionList, WantsTheEchoOfThisRequest)
{
    Extensions extensions;
    ASSERT_EQ(extensions.add("bazaar", kBazaar, "/u/:id"), "");
    JsonDocument told = parse_json(extensions_for(extensions, "GET", "/u/7"));
    EXPECT_TRUE(echo_ok(extensions, "GET", "/u/7", told.root()));
    EXPECT_FALSE(echo_ok(extensions, "GET", "/u/8", told.root()));
    EXPECT_FALSE(echo_ok(extensions, "POST", "/u/7", told.root()));
    JsonDocument nothing = parse_json("{}");
    EXPECT_TRUE(echo_ok(extensions, "GET", "/u/8", nothing.root()));
    EXPECT_TRUE(echo_ok(extensions, "GET", "/u/8", JsonValue()));
}

TEST(ExtensionList, GuardsWhatNobodyMayInventEverywhere)
{
    Extensions none;
    JsonDocument invented =
        parse_json(R"({"builder-code":{"info":{"a":"x"}}})");
    EXPECT_FALSE(echo_ok(none, "GET", "/", invented.root()));
    JsonDocument other = parse_json(R"({"custom":{"info":{"a":"x"}}})");
    EXPECT_TRUE(echo_ok(none, "GET", "/", other.root()));
    JsonDocument list = parse_json("[1]");
    EXPECT_TRUE(echo_ok(none, "GET", "/", list.root()));
}

TEST(ExtensionList, FindsADeclaration)
{
    Extensions extensions;
    ASSERT_EQ(extensions.add("payment-identifier",
                             R"({"info":{"required":true}})", ""),
              "");
    EXPECT_TRUE(
        extensions.find("payment-identifier")["info"]["required"].is_true());
    EXPECT_FALSE(extensions.find("other").exists());
}

struct Refused {
    const char *name;
    const char *text;
    const char *route;
    const char *says;
};

TEST(ExtensionList, SaysWhatIsWrong)
{
    const Refused cases[] = {
        {"", "{}", "", "not the name"},
        {"a b", R"({"info":{}})", "", "not the name"},
        {"x", "", "", "not JSON"},
        {"x", R"({"a":1,"a":2})", "", "not JSON"},
        {"x", "[1]", "", "not a JSON object"},
        {"x", "{}", "", "not a JSON object"},
        {"x", R"({"info":{}})", "/a/:b", "only of use to bazaar"},
        {"payment-identifier", R"({"info":{}})", "", "\"required\":false"},
        {"payment-identifier", R"({"info":{"required":"yes"}})", "", "or true"},
        {"payment-identifier", R"({"info":{"required":true,"id":"x"}})", "",
         "for the client"},
        {"builder-code", R"({"info":{}})", "", "does not name an app"},
        {"builder-code", R"({"info":{"a":"My App"}})", "", "info.a"},
        {"builder-code", R"({"info":{"a":1}})", "", "info.a"},
        {"builder-code", R"({"info":{"s":[]}})", "", "info.s"},
        {"builder-code", R"({"info":{"s":["a","b","c","d","e","f"]}})", "",
         "info.s"},
        {"eip2612GasSponsoring", R"({"info":{"version":"1"},"schema":{}})", "",
         "description"},
        {"eip2612GasSponsoring",
         R"({"info":{"description":"d","version":1},"schema":{}})", "",
         "version"},
        {"erc20ApprovalGasSponsoring",
         R"({"info":{"description":"d","version":"1"}})", "", "schema"},
        {"bazaar", R"({"info":{"input":{}},"schema":{}})", "", "type"},
        {"bazaar", R"({"info":{"input":{"type":"http"}}})", "", "schema"},
        {"bazaar",
         R"({"info":{"input":{"type":"http"}},"schema":{"properties":[]}})", "",
         "through objects"},
        {"bazaar",
         R"({"info":{"input":{"type":"http"}},
             "schema":{"properties":{"input":{"required":"method"}}}})",
         "", "list of names"},
        {"bazaar", kBazaar, "/users", "says what varies"},
        {"bazaar", R"({"info":{"input":{"type":"mcp"}},"schema":{}})", "/a/:b",
         "only of use"},
        {"sign-in-with-x", R"({"info":{}})", "", "write x402_sign_in"},
        {"offer-receipt", R"({"info":{}})", "", "write x402_sign_offers"},
    };
    for (const Refused &refused : cases) {
        Extensions extensions;
        std::string parsed =
            extensions.add(refused.name, refused.text, refused.route);
        EXPECT_NE(parsed.find(refused.says), std::string::npos)
            << refused.name << " " << refused.text << ": " << parsed;
        EXPECT_EQ(extensions_for(extensions, "GET", "/"), "");
    }

    Extensions extensions;
    EXPECT_EQ(extensions.add("x", R"({"a":1})", ""), "");
    EXPECT_NE(extensions.add("x", R"({"a":1})", "").find("twice"),
              std::string::npos);
    std::string large = "{\"a\":\"" + std::string(kMaxDeclarationBytes, 'a');
    EXPECT_NE(extensions.add("y", large + "\"}", "").find("shorten"),
              std::string::npos);
}

TEST(ExtensionList, TakesWhatIsRight)
{
    for (const auto &[name, text] :
         {std::pair{"builder-code", R"({"info":{"a":"my_app","s":["a1"]}})"},
          {"builder-code", R"({"info":{"s":"alone"}})"},
          {"payment-identifier", R"({"info":{"required":false}})"},
          {"bazaar", kBazaar},
          {"bazaar", R"({"info":{"input":{"type":"mcp"}},"schema":{}})"},
          {"x402-merchant", R"({"anything":1})"}}) {
        JsonDocument declaration = parse_json(text);
        EXPECT_EQ(validate_declaration(name, declaration.root()), "")
            << name << " " << text;
    }
}

TEST(ExtensionList, OneMoreIsAddedToTheOffer)
{
    EXPECT_EQ(with_extension("", "a", "{}"), R"({"a":{}})");
    EXPECT_EQ(with_extension(R"({"b":1})", "a", "{}"), R"({"b":1,"a":{}})");
    EXPECT_EQ(with_extension(R"({"b":1})", "a", ""), R"({"b":1})");
    EXPECT_EQ(with_extension("", "a", ""), "");
}

}  // namespace
}  // namespace x402
