// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_required.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

// Offers as a whole are compared with the reference in
// policy/accept_terms_test.cpp, where offers are made from configuration.

TEST(PaymentRequired, WritesDescriptionAndMimeTypeEvenWhenEmpty)
{
    ResourceInfo resource;
    resource.url = "https://api.example.com/paid";
    EXPECT_EQ(payment_required_json("Payment required", resource, "[]"),
              R"({"x402Version":2,"error":"Payment required",)"
              R"("resource":{"url":"https://api.example.com/paid",)"
              R"("description":"","mimeType":""},"accepts":[]})");
}

TEST(PaymentRequired, SaysExtensionsLast)
{
    EXPECT_EQ(payment_required_json("", {}, "[]", R"({"x":{}})"),
              R"({"x402Version":2,"resource":)"
              R"({"url":"","description":"","mimeType":""},)"
              R"("accepts":[],"extensions":{"x":{}}})");
}

TEST(PaymentRequired, LeavesAnEmptyErrorOut)
{
    ResourceInfo resource;
    resource.url = "u";
    resource.description = "d";
    resource.mime_type = "m";
    EXPECT_EQ(payment_required_json("", resource, "[{}]"),
              R"({"x402Version":2,)"
              R"("resource":{"url":"u","description":"d","mimeType":"m"},)"
              R"("accepts":[{}]})");
}

TEST(PaymentRequired, StaysJsonWhateverTheHostHeaderHolds)
{
    ResourceInfo resource;
    resource.url = "http://a\"b\\\x01\xff/<script>";
    std::string text = payment_required_json("\"", resource, "[]");
    JsonDocument document = parse_json(text);
    EXPECT_EQ(document.root()["resource"]["url"].string(),
              "http://a\"b\\\x01\xef\xbf\xbd/<script>");
    EXPECT_EQ(document.root()["error"].string(), "\"");
}

}  // namespace
}  // namespace x402
