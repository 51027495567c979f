// SPDX-License-Identifier: Apache-2.0
#include "facilitator/supported_answer.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

FacilitatorReply reply(int status, const std::string &body,
                       const std::string &cache_control = "")
{
    FacilitatorReply reply;
    reply.transport = Transport::answered;
    reply.status = status;
    reply.body = body;
    reply.cache_control = cache_control;
    return reply;
}

TEST(SupportedAnswer, OnlySuccessWithKindsIsOne)
{
    auto good = read_supported_answer(reply(200, R"({"kinds":[]})"));
    EXPECT_TRUE(good.kinds);
    EXPECT_EQ(good.lifetime, 600u);
    EXPECT_TRUE(read_supported_answer(reply(203, R"({"kinds":[]})")).kinds);

    for (int status : {302, 401, 404, 429, 500}) {
        auto bad = read_supported_answer(reply(status, R"({"kinds":[]})"));
        EXPECT_FALSE(bad.kinds) << status;
        EXPECT_EQ(bad.detail, "status " + std::to_string(status)
                                  + ", body \"{'kinds':[]}\"");
    }
    auto bad = read_supported_answer(reply(200, "<html>\n"));
    EXPECT_FALSE(bad.kinds);
    EXPECT_EQ(bad.detail.find("the answer \"<html>\" cannot be used: "), 0u);
}

TEST(SupportedAnswer, TellsWhyThereIsNone)
{
    FacilitatorReply lost;
    lost.transport = Transport::timed_out;
    EXPECT_EQ(read_supported_answer(lost).detail, "no answer");
    lost.detail = "too slow";
    EXPECT_EQ(read_supported_answer(lost).detail, "too slow");
    FacilitatorReply moved = reply(308, "");
    moved.detail = "redirect to \"x\" is refused: y";
    EXPECT_EQ(read_supported_answer(moved).detail,
              "status 308, redirect to \"x\" is refused: y");
}

TEST(SupportedAnswer, IsGoodForAsLongAsItSays)
{
    auto lifetime = [](const std::string &cache_control) {
        return read_supported_answer(
                   reply(200, R"({"kinds":[]})", cache_control))
            .lifetime;
    };
    EXPECT_EQ(lifetime("max-age=1"), 1u);
    EXPECT_EQ(lifetime("public, Max-Age=\"90\""), 90u);
    EXPECT_EQ(lifetime("max-age=3600"), 3600u);
    EXPECT_EQ(lifetime("max-age=3601"), 3600u);
    EXPECT_EQ(lifetime("max-age=99999999999999999999"), 3600u);
    EXPECT_EQ(lifetime("s-maxage=5"), 600u);
    EXPECT_EQ(lifetime("max-age=-1"), 600u);
    EXPECT_EQ(lifetime("max-age="), 600u);
    EXPECT_EQ(lifetime(",,"), 600u);
    // What hosts say by default must not make us ask all the time.
    EXPECT_EQ(lifetime("public, max-age=0, must-revalidate"), 600u);
    EXPECT_EQ(lifetime("max-age=5, no-store"), 600u);
    EXPECT_EQ(lifetime("no-cache,max-age=5"), 600u);
}

TEST(SupportedRetry, DoublesUpToHalfAMinute)
{
    std::uint32_t expected[] = {1, 1, 2, 4, 8, 16, 30, 30};
    for (unsigned failures = 0; failures < 8; failures++) {
        EXPECT_EQ(supported_retry(failures, 0), expected[failures]) << failures;
    }
    EXPECT_EQ(supported_retry(1000000, 0), 30u);
    EXPECT_EQ(supported_retry(5, 3), 3u);
    EXPECT_EQ(supported_retry(1, 31), 30u);
}

}  // namespace
}  // namespace x402
