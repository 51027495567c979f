// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "base/utc_time.hpp"
#include "protocol/dialect.hpp"
#include "protocol/mpp_challenge.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

// t/vectors/mpp-vectors.json is of this key.
constexpr char kKey[] = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t kExpires = 1795855492;  // 2026-11-28T08:44:52Z
std::string vector_of(std::string_view name)
{
    JsonDocument vectors = read_vectors("mpp-vectors.json");
    return std::string(vectors.root()[name].string());
}

const std::string kTheirChallenge = vector_of("challenge");
const std::string kTheirCredential = vector_of("credential");

PaymentRequirements option_of(std::string_view scheme = "exact")
{
    PaymentRequirements option;
    option.scheme = scheme;
    option.network = "eip155:84532";
    option.amount = "10000";
    option.asset = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    option.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    option.max_timeout_seconds = 300;
    option.decimals = 6;
    option.extra = std::move(
        JsonDocument::parse(R"({"name":"USDC","version":"2"})").value());
    return option;
}

MppServer server_of(std::string_view resource = {})
{
    MppServer server;
    server.key = kKey;
    server.realm = "shop.example";
    server.resource = resource;
    server.now = kExpires - 300;
    server.salt = "0011223344556677";
    return server;
}

PaymentOffer offer_of()
{
    PaymentOffer offer;
    offer.add(option_of(), 0);
    return offer;
}

std::string header_of(std::string json)
{
    return "Payment " + base64url_encode(json);
}

std::string replaced(std::string_view from, std::string_view to)
{
    std::string text = kTheirCredential;
    std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

std::string problem_of(const std::string &json,
                       const MppServer &server = server_of())
{
    PaymentOffer offer = offer_of();
    auto read = dialect_mpp().decode(header_of(json), &offer, &server);
    std::string text = read ? "" : read.problem().text;
    return text.substr(0, text.find(':'));
}

TEST(DialectMpp, ChallengesAreThoseOfMppx)
{
    EXPECT_EQ(mpp_challenge(server_of(), option_of()), kTheirChallenge);
}

TEST(DialectMpp, ReadsACredentialOfMppx)
{
    PaymentOffer offer = offer_of();
    MppServer server = server_of();
    auto read =
        dialect_mpp().decode(header_of(kTheirCredential), &offer, &server);
    ASSERT_TRUE(read) << read.problem().text;
    EXPECT_EQ(read->version, 2u);
    EXPECT_EQ(read->scheme(), "exact");
    EXPECT_EQ(read->network(), "eip155:84532");
    const PaymentOffer::Option *option =
        dialect_mpp().match(offer, read.value());
    ASSERT_EQ(option, &offer.options()[0]);
    auto asked = JsonDocument::parse(
        dialect_mpp().facilitator_request(read.value(), *option, {}));
    ASSERT_TRUE(asked);
    JsonValue root = asked->root();
    EXPECT_TRUE(
        root["paymentPayload"]["accepted"].equals(root["paymentRequirements"]));
    JsonValue authorization =
        root["paymentPayload"]["payload"]["authorization"];
    EXPECT_EQ(authorization["value"].string(), "10000");
    EXPECT_EQ(authorization.size(), 6u);
}

TEST(DialectMpp, AChallengeIsBoundToWhatItSays)
{
    EXPECT_EQ(problem_of(kTheirCredential), "");
    for (auto [from, to] : {
             std::pair("Sa2TWT2SW", "Sa2TWT2SX"),
             std::pair("\"id\":\"Sa2TWT2SW-4QmSJCnLOSNcLWW-TSqa5B1zIJSMZ957c\"",
                       "\"id\":\"\""),
             std::pair("shop.example", "other.example"),
             std::pair("2026-11-28T08:44:52.000Z", "2027-11-28T08:44:52.000Z"),
             std::pair("\"intent\":\"charge\"", "\"intent\":\"session\""),
             std::pair("\"method\":\"evm\"", "\"method\":\"tempo\""),
             std::pair("eyJhbW91bnQiOiIx", "eyJhbW91bnQiOiIw"),
             std::pair("MDAxMTIy", "MDAxMTIz"),
             std::pair("\"intent\"", "\"digest\":\"sha-256=a\",\"intent\""),
             std::pair("\"intent\"", "\"header\":\"x\",\"intent\""),
         }) {
        EXPECT_EQ(problem_of(replaced(from, to)), "mpp_invalid_challenge")
            << to;
    }
    EXPECT_EQ(problem_of(kTheirCredential, server_of("another resource")),
              "mpp_invalid_challenge");
}

TEST(DialectMpp, TheFormerKeyCounts)
{
    MppServer server = server_of();
    server.key = "another key, of the same length.";
    EXPECT_EQ(problem_of(kTheirCredential, server), "mpp_invalid_challenge");
    server.previous_key = kKey;
    EXPECT_EQ(problem_of(kTheirCredential, server), "");
}

TEST(DialectMpp, AnAuthorizationPaysItsChallenge)
{
    for (auto [from, to] : {
             std::pair("0xfd50", "0xfd51"),
             std::pair("\"value\":\"10000\"", "\"value\":\"1\""),
             std::pair("\"value\":\"10000\"", "\"value\":10000"),
             std::pair("\"to\":\"0x20", "\"to\":\"0x21"),
             std::pair("1795855492", "1795855493"),
             std::pair("1795855492", "17958554920"),
             std::pair("\"authorization\"", "\"hash\""),
             std::pair("84532:0x19", "84532:0x20"),
             std::pair("84532:0x19", "1:0x19"),
         }) {
        EXPECT_EQ(problem_of(replaced(from, to)), "mpp_invalid_payload") << to;
    }
}

TEST(DialectMpp, WhatCannotBeReadIsMalformed)
{
    MppServer server = server_of();
    for (std::string header :
         {"", "Payment", "Payment ", "Payment e30", "Payment bnVsbA", "Basic a",
          "Payment !!", "Payment W10", "payment\t\t"}) {
        auto read = dialect_mpp().decode(header, nullptr, &server);
        ASSERT_FALSE(read) << header;
        EXPECT_TRUE(is_unreadable(read.problem())) << header;
    }
    EXPECT_FALSE(is_payment_credential("Payments a"));
    EXPECT_FALSE(is_payment_credential("Basic Payment a"));
    EXPECT_TRUE(is_payment_credential("pAYMENT a"));
}

TEST(DialectMpp, OffersOnlyWhatEip3009Pays)
{
    EXPECT_TRUE(has_mpp_words(option_of()));
    EXPECT_FALSE(has_mpp_words(option_of("upto")));
    PaymentRequirements option = option_of();
    option.network = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
    EXPECT_FALSE(has_mpp_words(option));
    option = option_of();
    option.extra = std::move(
        JsonDocument::parse(
            R"({"name":"A","version":"1","assetTransferMethod":"permit2"})")
            .value());
    EXPECT_FALSE(has_mpp_words(option));
}

TEST(DialectMpp, ExpiryIsReadAsItIsWritten)
{
    for (std::int64_t at : {std::int64_t{0}, kExpires, std::int64_t{951782400},
                            std::int64_t{1709164800}, std::int64_t{1709251199},
                            std::int64_t{4107542400}}) {
        EXPECT_EQ(mpp_expiry(rfc3339_utc(at * 1000)), at) << at;
    }
    for (const char *text :
         {"", "2026-11-28T08:44:52Z", "2026-13-01T00:00:00.000Z",
          "2026-02-30T00:00:00.000Z", "2026-11-28T08:44:52.001Z",
          "2026-11-28 08:44:52.000Z", "2026-11-28T25:44:52.000Z"}) {
        EXPECT_EQ(mpp_expiry(text), std::nullopt) << text;
    }
}

TEST(DialectMpp, AReceiptIsForSuccessAlone)
{
    std::string value = dialect_mpp().receipt_value(
        R"({"success":true,"payer":"0xa","transaction":"0xcd"})", 1500);
    EXPECT_EQ(base64url_decode(value),
              R"({"method":"evm","reference":"0xcd","status":"success",)"
              R"("timestamp":"1970-01-01T00:00:01.500Z"})");
    EXPECT_EQ(
        dialect_mpp().receipt_value(R"({"success":false,"transaction":""})", 0),
        "");
}

}  // namespace
}  // namespace x402
