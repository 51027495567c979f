// SPDX-License-Identifier: Apache-2.0
#include "policy/scheme_payload.hpp"

#include <cstddef>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "policy/claim_key.hpp"
#include "policy/exact_evm_payload.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1800000000;
constexpr const char *kToken = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
constexpr const char *kEip3009 =
    R"({"authorization":{"from":"0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9",)"
    R"("to":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","value":"10000",)"
    R"("validAfter":"0","validBefore":"1800000300","nonce":)"
    R"("0xf6bfa8b419ab56e133f205d03e45437c3c667f9be8a782143201943bf862fc90"},)"
    R"("signature":"0xb19e"})";

std::string changed(std::string text, std::string_view from,
                    std::string_view to)
{
    std::size_t place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return text.replace(place, from.size(), to);
}

Result<SchemePayload> read(std::string_view scheme, std::string_view network,
                           std::string_view asset, std::string_view payload)
{
    JsonDocument document = parse_json(payload);
    return read_scheme_payload(scheme, network, asset, document.root());
}

Result<SchemePayload> read_eip3009(std::string_view payload)
{
    return read("exact", "eip155:84532", kToken, payload);
}

std::string problem_of(const Result<SchemePayload> &parsed)
{
    return parsed ? "read" : parsed.problem().text;
}

PaymentRequirements sample_requirements()
{
    PaymentRequirements requirements;
    requirements.scheme = "exact";
    requirements.network = "eip155:84532";
    requirements.amount = "10000";
    requirements.asset = kToken;
    requirements.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    return requirements;
}

TEST(SchemePayload, SaysWhatAnAuthorizationSays)
{
    auto parsed = read_eip3009(kEip3009);
    ASSERT_TRUE(parsed) << problem_of(parsed);
    EXPECT_EQ(parsed->form, PaymentForm::eip3009);
    EXPECT_EQ(parsed->payer, "0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9");
    EXPECT_EQ(parsed->value, "10000");
    EXPECT_EQ(parsed->recipient, "0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
    EXPECT_EQ(parsed->valid_after, 0);
    EXPECT_EQ(parsed->valid_before, 1800000300);
    EXPECT_EQ(parsed->payer_digest,
              sha256("\x2c\x10\x6b\x83\x78\x31\x1a\xf2\x5d\xf8\xe1\x6b\xaf\x7c"
                     "\xa3\x5a\xfa\x89\xe5\xb9"));

    JsonDocument payload = parse_json(kEip3009);
    auto authorization = parse_eip3009_payload(payload.root());
    ASSERT_TRUE(authorization);
    EXPECT_EQ(parsed->claim_key,
              eip3009_claim_key("base-sepolia", kToken, *authorization));
}

TEST(SchemePayload, TellsStrangersFromBadShapes)
{
    const std::string no_match(kNoMatchingRequirements);
    EXPECT_EQ(problem_of(read("upfront", "eip155:84532", kToken, kEip3009)),
              no_match);
    EXPECT_EQ(problem_of(read("", "eip155:84532", kToken, kEip3009)), no_match);
    EXPECT_EQ(problem_of(read("exact", "eip155:x", kToken, kEip3009)),
              no_match);
    EXPECT_EQ(problem_of(read("exact", "", kToken, kEip3009)), no_match);
    EXPECT_EQ(problem_of(read("exact", "base", "USDC", kEip3009)), no_match);
    for (const char *payload : {"null", "{}", "[]", "5", "\"\"",
                                R"({"authorization":{},"signature":"0x00"})"}) {
        EXPECT_EQ(problem_of(read_eip3009(payload)), kInvalidPayload)
            << payload;
    }
}

TEST(SchemePayload, ObjectsLikeTheOfferToAnAuthorization)
{
    auto validate = [](std::string_view from, std::string_view to) {
        auto parsed = read_eip3009(changed(kEip3009, from, to));
        const char *word =
            parsed
                ? validate_payload(parsed.value(), sample_requirements(), kNow)
                : "unread";
        return std::string(word ? word : "");
    };
    EXPECT_EQ(validate("10000", "10000"), "");
    EXPECT_EQ(validate("0x209693Bc6a", "0x209693bc6a"), "");
    EXPECT_EQ(validate("0x209693Bc6a", "0x209693Bc6b"),
              "invalid_exact_evm_recipient_mismatch");
    EXPECT_EQ(validate("10000", "9999"),
              "invalid_exact_evm_payload_authorization_value_mismatch");
    EXPECT_EQ(validate("\"0\"", "\"1800000002\""), "");
    EXPECT_EQ(validate("\"0\"", "\"1800000003\""),
              "invalid_exact_evm_payload_authorization_valid_after");
    EXPECT_EQ(validate("1800000300", "1800000000"),
              "invalid_exact_evm_payload_authorization_valid_before");
    EXPECT_EQ(validate("1800000300", "1800000059"),
              "payment_validity_too_short");
    EXPECT_EQ(validate("1800000300", "1800000060"), "");
    EXPECT_EQ(validate("1800000300", "1800000900"), "");
    EXPECT_EQ(validate("1800000300", "1800000901"),
              "payment_validity_too_long");
}

TEST(SchemePayload, JudgesNothingTheFormDoesNotTell)
{
    EXPECT_EQ(validate_payload(SchemePayload(), sample_requirements(), kNow),
              nullptr);
}

constexpr const char *kSeller = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

class Objection : public testing::Test {
protected:
    Objection()
    {
        authorization_.form = PaymentForm::eip3009;
        authorization_.recipient = kSeller;
        authorization_.value = "10000";
        authorization_.valid_after = kNow - 600;
        authorization_.valid_before = kNow + 300;
        offered_.amount = "10000";
        offered_.pay_to = kSeller;
        offered_.max_timeout_seconds = 300;
    }

    std::string reason() const
    {
        const char *word =
            validate_payload(authorization_, offered_, kNow, limits_);
        return word == nullptr ? "" : word;
    }

    static constexpr std::int64_t kNow = 1800000000;
    SchemePayload authorization_;
    PaymentRequirements offered_;
    ValidityLimits limits_;
};

TEST_F(Objection, NoneToWhatWasOffered)
{
    EXPECT_EQ(reason(), "");
    offered_.pay_to = "0x209693bc6afc0c5328ba36faf03c514ef312287c";
    EXPECT_EQ(reason(), "");
}

TEST_F(Objection, ToAnotherRecipient)
{
    authorization_.recipient = "0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9";
    authorization_.value = "1";
    EXPECT_EQ(reason(), "invalid_exact_evm_recipient_mismatch");
    offered_.pay_to = "no address";
    EXPECT_EQ(reason(), "invalid_exact_evm_recipient_mismatch");
}

TEST_F(Objection, ToAnotherValue)
{
    for (const char *value : {"9999", "10001", "0", "100000"}) {
        authorization_.value = value;
        EXPECT_EQ(reason(),
                  "invalid_exact_evm_payload_authorization_value_mismatch");
    }
}

TEST_F(Objection, ToWhatIsNotValidYet)
{
    authorization_.valid_after = kNow + 2;  // clocks differ
    EXPECT_EQ(reason(), "");
    authorization_.valid_after = kNow + 3;
    EXPECT_EQ(reason(), "invalid_exact_evm_payload_authorization_valid_after");
    authorization_.valid_after = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(reason(), "invalid_exact_evm_payload_authorization_valid_after");
}

TEST_F(Objection, ToWhatHasExpired)
{
    for (std::int64_t before :
         {std::int64_t{0}, kNow - 1, std::int64_t{kNow}}) {
        authorization_.valid_before = before;
        EXPECT_EQ(reason(),
                  "invalid_exact_evm_payload_authorization_valid_before");
    }
}

TEST_F(Objection, ToTooLittleTime)
{
    constexpr const char *kReason = "payment_validity_too_short";
    authorization_.valid_before = kNow + 60;
    EXPECT_EQ(reason(), "");
    authorization_.valid_before = kNow + 59;
    EXPECT_EQ(reason(), kReason);

    // A short offer asks for half of itself.
    offered_.max_timeout_seconds = 21;
    authorization_.valid_before = kNow + 10;
    EXPECT_EQ(reason(), "");
    authorization_.valid_before = kNow + 9;
    EXPECT_EQ(reason(), kReason);

    // The operator may ask for less, or for more.
    limits_.least = 5;
    authorization_.valid_before = kNow + 5;
    EXPECT_EQ(reason(), "");
    authorization_.valid_before = kNow + 4;
    EXPECT_EQ(reason(), kReason);
    limits_.least = 120;
    authorization_.valid_before = kNow + 119;
    EXPECT_EQ(reason(), kReason);
}

TEST_F(Objection, ToMoreTimeThanAClaimIsKept)
{
    constexpr const char *kReason = "payment_validity_too_long";
    authorization_.valid_before = kNow + 900;
    EXPECT_EQ(reason(), "");
    authorization_.valid_before = kNow + 901;
    EXPECT_EQ(reason(), kReason);
    authorization_.valid_before = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(reason(), kReason);
    offered_.max_timeout_seconds = 4294967295u;
    EXPECT_EQ(reason(), kReason);
    offered_.max_timeout_seconds = 300;

    // What clients of a dialect sign is taken, and what the operator writes.
    limits_.usual = 3600;
    authorization_.valid_before = kNow + 4200;
    EXPECT_EQ(reason(), "");
    authorization_.valid_before = kNow + 4201;
    EXPECT_EQ(reason(), kReason);
    limits_.most = 400;
    authorization_.valid_before = kNow + 400;
    EXPECT_EQ(reason(), "");
    authorization_.valid_before = kNow + 401;
    EXPECT_EQ(reason(), kReason);
}

TEST_F(Objection, ToWhatNeverEndsWhereAClaimHasToOutliveIt)
{
    authorization_.valid_before = std::nullopt;
    authorization_.endless = true;
    EXPECT_EQ(reason(), "");
    limits_.must_end = true;
    EXPECT_EQ(reason(), "payment_validity_endless");
    authorization_.endless = false;
    EXPECT_EQ(reason(), "");
}

TEST(SchemePayload, KnowsWhereClaimsOutlivePayments)
{
    for (const char *network :
         {"eip155:8453", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
          "algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k", "fast:mainnet"}) {
        EXPECT_TRUE(claims_outlive_payments(network)) << network;
    }
    for (const char *network : {"sui:mainnet", "aptos:1", "stellar:pubnet",
                                "hedera:mainnet", "keeta:1", ""}) {
        EXPECT_FALSE(claims_outlive_payments(network)) << network;
    }
}

}  // namespace
}  // namespace x402
