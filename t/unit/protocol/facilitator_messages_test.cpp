#include "protocol/facilitator_messages.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(FacilitatorMessages, TakesBothTextsOverByteForByte)
{
    EXPECT_EQ(
        facilitator_request_json(R"({ "unknown" : 12345678901234567890 })",
                                 R"({"scheme":"exact"})"),
        R"({"x402Version":2,)"
        R"("paymentPayload":{ "unknown" : 12345678901234567890 },)"
        R"("paymentRequirements":{"scheme":"exact"}})");
}

}  // namespace
}  // namespace x402
