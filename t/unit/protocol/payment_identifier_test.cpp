// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_identifier.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

using Kind = PaymentIdentifier::Kind;

Kind kind_of(const std::string &extensions)
{
    JsonDocument document = parse_json(extensions);
    return read_payment_identifier(document.root()).kind;
}

std::string with_info(const std::string &info)
{
    return R"({"payment-identifier":{"info":)" + info + R"(,"schema":{}}})";
}

TEST(PaymentIdentifier, IsJudgedAsByTheReference)
{
    JsonDocument vectors = read_vectors("extension-vectors.json");
    JsonValue rows = vectors.root()["paymentIdentifier"];
    ASSERT_GT(rows.size(), 10u);
    for (std::size_t index = 0; index < rows.size(); ++index) {
        JsonValue id = rows.at(index)["id"];
        bool valid = rows.at(index)["valid"].is_true();
        EXPECT_EQ(is_payment_identifier(id.string()), valid) << written(id);
        EXPECT_EQ(kind_of(with_info(R"({"id":)" + written(id) + "}")),
                  valid ? Kind::named : Kind::invalid)
            << written(id);
    }
}

TEST(PaymentIdentifier, IsReadFromWhatTheClientAdded)
{
    JsonDocument document =
        parse_json(with_info(R"({"required":true,"id":"order-0123456789"})"));
    EXPECT_EQ(read_payment_identifier(document.root()).id, "order-0123456789");
    // As the rules of the echo take an extension without its wrapper.
    document =
        parse_json(R"({"payment-identifier":{"id":"order-0123456789"}})");
    EXPECT_EQ(read_payment_identifier(document.root()).id, "order-0123456789");
}

TEST(PaymentIdentifier, IsAbsentWhereNobodyWroteOne)
{
    EXPECT_EQ(read_payment_identifier(JsonValue()).kind, Kind::absent);
    for (const char *text :
         {"null", "[]", "{}", R"({"other":{"id":"x"}})",
          R"({"payment-identifier":null})", R"({"payment-identifier":5})",
          R"({"payment-identifier":{"info":{}}})"}) {
        EXPECT_EQ(kind_of(text), Kind::absent) << text;
    }
}

TEST(PaymentIdentifier, IsRequiredOnlyInPlainWords)
{
    auto required = [](const char *text) {
        JsonDocument document = parse_json(text);
        return requires_payment_identifier(document.root());
    };
    EXPECT_TRUE(required(R"({"info":{"required":true}})"));
    EXPECT_FALSE(required(R"({"info":{"required":false}})"));
    EXPECT_FALSE(required(R"({"info":{"required":"true"}})"));
    EXPECT_FALSE(required("{}"));
    EXPECT_FALSE(requires_payment_identifier(JsonValue()));
}

}  // namespace
}  // namespace x402
