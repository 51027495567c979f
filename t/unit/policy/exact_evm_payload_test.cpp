// SPDX-License-Identifier: Apache-2.0
#include "policy/exact_evm_payload.hpp"

#include <cstddef>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "base/hex_codec.hpp"
#include "policy/scheme_payload.hpp"
#include "protocol/payment_payload.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kPayTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

constexpr const char *kPayload =
    R"({"authorization":{)"
    R"("from":"0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9",)"
    R"("to":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C",)"
    R"("value":"10000","validAfter":"0","validBefore":"2110580033",)"
    R"("nonce":"0xf6bfa8b419ab56e133f205d03e45437c)"
    R"(3c667f9be8a782143201943bf862fc90"},)"
    R"("signature":"0xb19e27fd"})";

bool has_right_shape(std::string_view text)
{
    JsonDocument document = parse_json(text);
    return parse_eip3009_payload(document.root()).has_value();
}

std::string replaced(const char *part, const char *by)
{
    std::string text = kPayload;
    std::size_t place = text.find(part);
    EXPECT_NE(place, std::string::npos) << part;
    return text.replace(place, std::string(part).size(), by);
}

TEST(ExactEvmPayload, ReadsTheTerms)
{
    JsonDocument document = parse_json(kPayload);
    auto authorization = parse_eip3009_payload(document.root());
    ASSERT_TRUE(authorization);
    EXPECT_EQ(evm_checksum_text(authorization->from),
              "0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9");
    EXPECT_EQ(evm_checksum_text(authorization->to), kPayTo);
    EXPECT_EQ(authorization->from_text,
              "0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9");
    EXPECT_EQ(authorization->value, "10000");
    EXPECT_EQ(authorization->valid_after, 0);
    EXPECT_EQ(authorization->valid_before, 2110580033);
    EXPECT_EQ(hex_encode(authorization->nonce.data(), 32),
              "f6bfa8b419ab56e133f205d03e45437c3c667f9be8a782143201943bf862"
              "fc90");
}

TEST(ExactEvmPayload, RefusesEveryOtherShape)
{
    struct Row {
        const char *name;
        std::string text;
    };
    const Row rows[] = {
        {"null", "null"},
        {"empty", "{}"},
        {"array of two", "[{},\"0x00\"]"},
        {"text", "\"0x00\""},
        {"third member", replaced("\"signature\"", "\"x\":1,\"signature\"")},
        {"no signature", replaced("\"signature\"", "\"Signature\"")},
        {"signature empty", replaced("0xb19e27fd", "")},
        {"signature without bytes", replaced("0xb19e27fd", "0x")},
        {"signature of half a byte", replaced("0xb19e27fd", "0xb19e27f")},
        {"signature no hex", replaced("0xb19e27fd", "0xb19e27fg")},
        {"signature no text", replaced("\"0xb19e27fd\"", "1")},
        {"authorization no object",
         R"({"authorization":[],"signature":"0x00"})"},
        {"terms: one more", replaced("\"value\"", "\"x\":1,\"value\"")},
        {"terms: other name", replaced("\"value\"", "\"Value\"")},
        {"from: upper-case 0X", replaced("0x2c", "0X2c")},
        {"from: short", replaced("E5B9\"", "E5B\"")},
        {"from: long", replaced("E5B9\"", "E5B90\"")},
        {"to: no address", replaced("0x2096", "2096")},
        {"value: fraction", replaced("\"10000\"", "10000.5")},
        {"value: negative number", replaced("\"10000\"", "-1")},
        {"value: rounded by doubles",
         replaced("\"10000\"", "9007199254740993")},
        {"value: beyond 64 bits", replaced("\"10000\"", "1e19")},
        {"value: true", replaced("\"10000\"", "true")},
        {"value: leading zero", replaced("\"10000\"", "\"010000\"")},
        {"value: sign", replaced("\"10000\"", "\"-10000\"")},
        {"value: empty", replaced("\"10000\"", "\"\"")},
        {"value: hex", replaced("\"10000\"", "\"0x2710\"")},
        {"value: blank", replaced("\"10000\"", "\" 10000\"")},
        {"value: null", replaced("\"10000\"", "null")},
        {"validAfter: fraction", replaced("\"0\"", "\"0.0\"")},
        {"validBefore: words", replaced("2110580033", "never")},
        {"nonce: short", replaced("fc90\"", "fc9\"")},
        {"nonce: odd", replaced("fc90\"", "fc901\"")},
        {"nonce: number", replaced("0xf6bf", "9xf6bf")},
    };
    EXPECT_TRUE(has_right_shape(kPayload));
    for (const Row &row : rows) {
        EXPECT_FALSE(has_right_shape(row.text)) << row.name;
    }
    EXPECT_FALSE(parse_eip3009_payload(JsonValue()));
}

TEST(ExactEvmPayload, TakesSignaturesOfContractWallets)
{
    auto signature_of = [](std::size_t bytes) {
        return replaced("b19e27fd", std::string(bytes * 2, 'a').c_str());
    };
    EXPECT_TRUE(has_right_shape(signature_of(1)));
    EXPECT_TRUE(has_right_shape(signature_of(65)));
    EXPECT_TRUE(has_right_shape(signature_of(8191)));
    EXPECT_FALSE(has_right_shape(signature_of(8192)));
}

TEST(ExactEvmPayload, TakesNumbersOf256BitsAndNoMore)
{
    EXPECT_TRUE(has_right_shape(
        replaced("10000", "115792089237316195423570985008687907853269984665640"
                          "564039457584007913129639935")));
    EXPECT_FALSE(has_right_shape(
        replaced("10000", "115792089237316195423570985008687907853269984665640"
                          "564039457584007913129639936")));
}

// As the official facilitator does: a number is an integer if it is one.
TEST(ExactEvmPayload, ReadsNumbersThatAreExactIntegers)
{
    struct Row {
        const char *number;
        const char *value;
    };
    constexpr Row kRows[] = {
        {"10000", "10000"},
        {"1e4", "10000"},
        {"10000.0", "10000"},
        {"0", "0"},
        {"-0", "0"},
        {"9007199254740992", "9007199254740992"},
        {"1000000000000000000", "1000000000000000000"},
        {"1e18", "1000000000000000000"},
    };
    for (const Row &row : kRows) {
        JsonDocument document = parse_json(replaced("\"10000\"", row.number));
        auto authorization = parse_eip3009_payload(document.root());
        ASSERT_TRUE(authorization) << row.number;
        EXPECT_EQ(authorization->value, row.value) << row.number;
    }
    std::string text = kPayload;
    text.replace(text.find("\"0\""), 3, "12");
    text.replace(text.find("\"2110580033\""), 12, "2110580033.0");
    JsonDocument document = parse_json(text);
    auto authorization = parse_eip3009_payload(document.root());
    ASSERT_TRUE(authorization);
    EXPECT_EQ(authorization->valid_after, 12);
    EXPECT_EQ(authorization->valid_before, 2110580033);
}

TEST(ExactEvmPayload, ReadsPaymentsOfTheOfficialClient)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    std::size_t transfers = 0;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        SCOPED_TRACE(std::string(row["name"].string()));
        JsonValue payload = row["decoded"]["payload"];
        auto authorization = parse_eip3009_payload(payload);
        EXPECT_EQ(authorization.has_value(), payload["authorization"].exists());
        if (authorization) {
            EXPECT_EQ(evm_checksum_text(authorization->from),
                      row["signer"].string());
            ++transfers;
        }
    }
    EXPECT_EQ(transfers, 7u);
}

// The facilitator judges the signature; the module reads what was signed.
TEST(ExactEvmPayload, NegativeVectorsFailOnTermsOnly)
{
    JsonDocument document = read_vectors("evm-payments.json");
    PaymentRequirements offered;
    offered.amount = "10000";
    offered.pay_to = kPayTo;
    offered.max_timeout_seconds = 315360000;
    std::int64_t now = 2110580033 - 315360000;

    JsonValue negative = document.root()["negative"];
    ASSERT_EQ(negative.size(), 6u);
    for (std::size_t index = 0; index < negative.size(); ++index) {
        JsonValue row = negative.at(index);
        SCOPED_TRACE(std::string(row["name"].string()));
        Result<PaymentPayload> payload =
            decode_payment_header(row["header"].string(), 2);
        ASSERT_TRUE(payload);
        auto parsed = read_scheme_payload(payload->scheme(), payload->network(),
                                          payload->asset(), payload->payload());
        ASSERT_TRUE(parsed);
        const char *reason = validate_payload(parsed.value(), offered, now);
        std::string expected;
        if (row["name"].string() == "value raised after signing") {
            expected = "invalid_exact_evm_payload_authorization_value_mismatch";
        } else if (row["name"].string() == "to changed after signing") {
            expected = "invalid_exact_evm_recipient_mismatch";
        }
        EXPECT_EQ(reason == nullptr ? "" : reason, expected);
    }
}

}  // namespace
}  // namespace x402
