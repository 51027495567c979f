// SPDX-License-Identifier: Apache-2.0
#include "protocol/webhook_message.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

// The example of the specification of Standard Webhooks.
constexpr const char *kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST(WebhookMessage, SecretsAreTextOrBase64)
{
    EXPECT_EQ(read_webhook_secret(kSecret)->size(), 24u);
    EXPECT_EQ(read_webhook_secret(" 0123456789abcdef\n")->view(),
              "0123456789abcdef");
    for (const char *bad : {"", " \n", "short", "whsec_", "whsec_AAAA",
                            "whsec_not base64 at all !"}) {
        EXPECT_FALSE(read_webhook_secret(bad)) << bad;
    }
}

TEST(WebhookMessage, PaymentIsThatOfTheModuleAlone)
{
    EXPECT_EQ(
        payment_of_line(
            R"({"time":"t","event":"settled","payment_id":"ab12","resource":"u"})"),
        "ab12");
    EXPECT_EQ(
        payment_of_line(
            R"({"time":"t","payment_id":null,"resource":"\"payment_id\":\"x\""})"),
        "");
    EXPECT_EQ(payment_of_line(""), "");
}

TEST(WebhookMessage, HeadersNameTheEventAndAreSigned)
{
    std::string line =
        R"({"payment_id":"ab12","event":"settled","resource":"u"})";
    auto secret = read_webhook_secret(kSecret);
    std::string_view key = secret->view();
    auto headers = webhook_headers(key, line, 1614265330);
    ASSERT_EQ(headers.size(), 4u);
    EXPECT_EQ(headers[0], "Idempotency-Key: ab12");
    EXPECT_EQ(headers[1].substr(0, 16), "webhook-id: evt_");
    EXPECT_EQ(headers[2], "webhook-timestamp: 1614265330");
    EXPECT_EQ(headers[3].substr(0, 22), "webhook-signature: v1,");
    EXPECT_EQ(headers, webhook_headers(key, line, 1614265330));
    EXPECT_NE(headers[1], webhook_headers(key, line + " ", 1614265330)[1]);
    EXPECT_NE(headers[3],
              webhook_headers("another key 0123", line, 1614265330)[3]);
    EXPECT_EQ(webhook_headers("", line, 1).size(), 3u);
    // Of a token nothing but the event has a name.
    auto token = webhook_headers("", R"({"payment_id":null})", 1);
    EXPECT_EQ(token[0].substr(17), token[1].substr(12));
}

}  // namespace
}  // namespace x402
