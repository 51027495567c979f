// SPDX-License-Identifier: Apache-2.0
#include "protocol/dialect.hpp"

#include <algorithm>
#include <cctype>

#include "base/base64_codec.hpp"
#include "base/json_text.hpp"
#include "protocol/payment_header_names.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr ResourceInfo kResource = {"http://shop/x", "", "", "GET"};

PaymentRequirements option(const char *network, const char *v1_network,
                           const char *amount, const char *asset)
{
    PaymentRequirements made;
    made.scheme = "exact";
    made.network = network;
    made.v1_network = v1_network;
    made.amount = amount;
    made.asset = asset;
    made.pay_to = "0xAbCd";
    return made;
}

PaymentOffer offer()
{
    PaymentOffer made;
    made.add(option("eip155:196", "", "1", "0x1"), 0);
    made.add(option("eip155:8453", "base", "10000", "0x2"), 1);
    made.add(option("eip155:8453", "base", "20000", "0x3"), 2);
    return made;
}

PaymentPayload paid(const char *network, const char *value, const char *to)
{
    std::string text =
        std::string(R"({"x402Version":1,"scheme":"exact","network":")")
        + network + R"(","payload":{"authorization":{"value":")" + value
        + R"(","to":")" + to + R"("}}})";
    auto payload = dialect_v1().decode(base64_encode(text), nullptr);
    if (!payload) {
        ADD_FAILURE() << payload.problem().text;
        return {};
    }
    return std::move(payload.value());
}

JsonDocument old_body(bool unpaid, const char *error, const char *payer)
{
    PaymentOffer offered = offer();
    Challenge challenge = {error, unpaid, kResource, offered, {}, payer};
    return parse_json(dialect_v1().offer_body(challenge));
}

TEST(Dialect, IsFoundByItsName)
{
    EXPECT_EQ(find_dialect("v2"), &dialect_v2());
    EXPECT_EQ(find_dialect("v1"), &dialect_v1());
    EXPECT_EQ(find_dialect("V2"), nullptr);
    EXPECT_EQ(find_dialect(""), nullptr);
    EXPECT_EQ(find_dialect("fast"), &dialect_fast());
    EXPECT_EQ(dialect_names(), "v2, v1, fast, nevermined, mpp");
}

std::string lower_case(std::string_view text)
{
    std::string out(text);
    for (char &letter : out) {
        letter = static_cast<char>(std::tolower(letter));
    }
    return out;
}

template <std::size_t N>
bool is_listed(const std::string_view (&names)[N], std::string_view name)
{
    return std::find(names, names + N, lower_case(name)) != names + N;
}

TEST(Dialect, EveryHeaderIsOnTheListOfItsKind)
{
    for (const Dialect *dialect : {&dialect_v2(), &dialect_v1(),
                                   &dialect_fast(), &dialect_nevermined()}) {
        EXPECT_TRUE(is_listed(kPaymentHeaders, dialect->payment_header()))
            << dialect->name();
        EXPECT_TRUE(is_listed(kResponseHeaders, dialect->receipt_header()))
            << dialect->name();
        if (!dialect->offer_header().empty()) {
            EXPECT_TRUE(is_listed(kResponseHeaders, dialect->offer_header()))
                << dialect->name();
        }
    }
    for (std::string_view name : kResponseHeaders) {
        EXPECT_TRUE(is_listed(kForgeableHeaders, name)) << name;
    }
}

TEST(DialectV1, OffersInTheBodyWhatItHasNamesFor)
{
    JsonDocument body = old_body(true, "Payment required", "");
    EXPECT_EQ(body.root()["x402Version"].integer(), 1);
    EXPECT_EQ(body.root()["error"].string(), "X-PAYMENT header is required");
    EXPECT_FALSE(body.root()["payer"].exists());
    JsonValue accepts = body.root()["accepts"];
    ASSERT_EQ(accepts.size(), 2u);
    EXPECT_EQ(accepts.at(0)["network"].string(), "base");
    EXPECT_EQ(accepts.at(0)["maxAmountRequired"].string(), "10000");
    EXPECT_EQ(accepts.at(1)["maxAmountRequired"].string(), "20000");
    // Its clients refuse nulls.
    for (const auto &[key, value] : accepts.at(0).members()) {
        EXPECT_FALSE(value.is_null()) << key;
    }
}

TEST(DialectV1, SaysWhyAPaymentWasRefusedAndWhoPaid)
{
    JsonDocument body = old_body(false, "insufficient_funds", "0xPayer");
    EXPECT_EQ(body.root()["error"].string(), "insufficient_funds");
    EXPECT_EQ(body.root()["payer"].string(), "0xPayer");
}

TEST(DialectV1, MatchesBySchemeAndNetworkAndTellsTwinsByTheAuthorization)
{
    PaymentOffer offered = offer();
    auto match = [&](const PaymentPayload &payload) {
        return dialect_v1().match(offered, payload);
    };
    EXPECT_EQ(match(paid("base", "10000", "0xabcd")), &offered.options()[1]);
    EXPECT_EQ(match(paid("base", "20000", "0xABCD")), &offered.options()[2]);
    // Too little of either: the first, whose facilitator will say why not.
    EXPECT_EQ(match(paid("base", "1", "0xabcd")), &offered.options()[1]);
    EXPECT_EQ(match(paid("base-sepolia", "10000", "0xabcd")), nullptr);
    // Version 1 knows no CAIP-2 ids.
    EXPECT_EQ(match(paid("eip155:8453", "10000", "0xabcd")), nullptr);
    EXPECT_EQ(match(paid("", "1", "0xabcd")), nullptr);
}

TEST(DialectV1, TakesNoPaymentOfVersion2)
{
    auto payload =
        dialect_v1().decode(base64_encode(R"({"x402Version":2})"), nullptr);
    ASSERT_FALSE(payload);
    EXPECT_EQ(payload.problem().text, "Unsupported x402 version: 2");
}

PaymentRequirements fast_way()
{
    PaymentRequirements made =
        option("fast:testnet", "fast-testnet", "1000", "0x9");
    made.max_timeout_seconds = 60;
    return made;
}

TEST(DialectFast, SaysWhatItsServersSayInTheirOrder)
{
    PaymentOffer offered;
    offered.add(fast_way(), 0);
    auto body = [&](const ResourceInfo &resource) {
        return dialect_fast().offer_body(
            {"Payment required", true, resource, offered, {}, {}});
    };
    EXPECT_EQ(
        body({"https://shop:8443/premium?a=1", "", ""}),
        R"({"x402Version":1,"error":"X-PAYMENT header is required","accepts":[)"
        R"({"scheme":"exact","network":"fast-testnet",)"
        R"("maxAmountRequired":"1000","resource":"/premium",)"
        R"("description":"Access to /premium","mimeType":"application/json",)"
        R"("payTo":"0xAbCd","maxTimeoutSeconds":60,"asset":"0x9"}]})");
    EXPECT_NE(body({"https://shop", "", ""}).find(R"("resource":"/")"),
              std::string::npos);
    EXPECT_NE(body({"/as/written#x", "", ""}).find(R"("/as/written")"),
              std::string::npos);
}

TEST(DialectFast, KnowsItsOwnNetworksAndThoseOfEvm)
{
    const Dialect &fast = dialect_fast();
    auto name = [&](const char *network, const char *v1_network) {
        PaymentRequirements made = option(network, v1_network, "1", "0x1");
        return fast.can_offer(made) ? std::string(fast.network_name(made))
                                    : std::string();
    };
    EXPECT_EQ(name("fast:testnet", "fast-testnet"), "fast-testnet");
    EXPECT_EQ(name("eip155:8453", "base"), "base");
    EXPECT_EQ(name("eip155:42161", ""), "arbitrum");
    EXPECT_EQ(name("eip155:421614", ""), "arbitrum-sepolia");
    EXPECT_EQ(name("eip155:11155111", "sepolia"), "ethereum-sepolia");
    EXPECT_EQ(name("eip155:196", ""), "");
    EXPECT_EQ(name("solana:x", "solana"), "");
}

TEST(DialectFast, SettlesBeforeContentOrNever)
{
    const Dialect &fast = dialect_fast();
    PaymentRequirements evm = option("eip155:8453", "base", "1", "0x1");
    EXPECT_EQ(fast.settle_time(evm, {}), SettleTime::verified_first);
    EXPECT_EQ(fast.settle_time(evm, SettleTime::after), SettleTime::after);
    EXPECT_EQ(fast.settle_time(fast_way(), {}), SettleTime::off);
    EXPECT_EQ(fast.settle_time(fast_way(), SettleTime::after), SettleTime::off);
    EXPECT_EQ(dialect_v2().settle_time(evm, {}), SettleTime::after);
    EXPECT_EQ(dialect_v1().settle_time(evm, SettleTime::off), SettleTime::off);
}

TEST(DialectFast, NamesTheHashTwiceInAReceipt)
{
    const Dialect &fast = dialect_fast();
    EXPECT_EQ(fast.receipt(R"({"success":true,"transaction":"0x1"})"),
              R"({"success":true,"transaction":"0x1","txHash":"0x1"})");
    std::string refused = R"({"success":false,"transaction":""})";
    EXPECT_EQ(fast.receipt(refused), refused);
    EXPECT_EQ(fast.receipt("no JSON"), "no JSON");
    EXPECT_EQ(fast.receipt_of_verified("fast1x", "fast-testnet"),
              R"({"success":true,"network":"fast-testnet","payer":"fast1x"})");
    EXPECT_EQ(fast.receipt_of_verified("", "fast-testnet"),
              R"({"success":true,"network":"fast-testnet"})");
}

TEST(DialectV2, CarriesExtensionsBehindTheAccepts)
{
    PaymentOffer offered = offer();
    Challenge challenge = {"e", false, kResource, offered, R"({"a":{}})", {}};
    auto text = base64_decode(dialect_v2().offer_value(challenge));
    ASSERT_TRUE(text);
    EXPECT_NE(text->find(R"(}],"extensions":{"a":{}}})"), std::string::npos)
        << *text;
    EXPECT_EQ(dialect_v2().offer_body(challenge), "");
}

// Groups of base64 begin anywhere in the URL and behind it.
TEST(DialectV2, PreparesTheSameBytesForEveryUrl)
{
    PaymentOffer offered = offer();
    for (std::string error : {"e", "ee", "eee"}) {
        ResourceInfo nameless = {{}, "a \"b\"", "text/x", "GET"};
        Challenge any = {error, false, nameless, offered, R"({"a":{}})", {}};
        auto prepared = dialect_v2().prepared_offer(any);
        ASSERT_TRUE(prepared);
        for (std::string url : {"", "h", "ht", "htt", "http://shop/\"\\\xff\n",
                                "http://shop/x"}) {
            ResourceInfo resource = nameless;
            resource.url = url;
            Challenge challenge = {error,   false,         resource,
                                   offered, R"({"a":{}})", {}};
            std::string room;
            std::string_view inside = inside_json_string(url, room);
            std::string value(prepared->length(inside), ' ');
            prepared->write(value.data(), inside);
            EXPECT_EQ(value, dialect_v2().offer_value(challenge))
                << error << ' ' << url;
        }
    }
    ResourceInfo nameless = {};
    Challenge any = {"e", true, nameless, offered, {}, {}};
    EXPECT_FALSE(dialect_v1().prepared_offer(any));
}

TEST(DialectV1, PreparesTheSameBodyForEveryUrl)
{
    PaymentOffer offered = offer();
    for (const char *description : {"", "a \"b\"", "prepared:url"}) {
        ResourceInfo resource = {{}, description, "text/x", "GET"};
        Challenge challenge = {"e", true, resource, offered, {}, {}};
        auto prepared = dialect_v1().prepared_body(challenge);
        bool mistakable = description == std::string_view("prepared:url");
        ASSERT_EQ(prepared.has_value(), !mistakable);
        for (std::string url : {"", "http://shop/\"\\\xff\n", "prepared:url",
                                "another:prepared:one"}) {
            resource.url = url;
            std::string room;
            EXPECT_TRUE(mistakable
                        || prepared->with(inside_json_string(url, room))
                               == dialect_v1().offer_body(challenge))
                << url;
        }
    }
    ResourceInfo resource = {};
    EXPECT_FALSE(dialect_v2().prepared_body({"e", true, resource, offered}));
}

}  // namespace
}  // namespace x402
