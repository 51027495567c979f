// SPDX-License-Identifier: Apache-2.0
#include "base/utc_time.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(UtcTime, IsWrittenAsRfc3339)
{
    EXPECT_EQ(rfc3339_utc(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339_utc(951782399999), "2000-02-28T23:59:59.999Z");
    EXPECT_EQ(rfc3339_utc(951782400000), "2000-02-29T00:00:00.000Z");
    EXPECT_EQ(rfc3339_utc(951868800000), "2000-03-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339_utc(1795855492007), "2026-11-28T08:44:52.007Z");
    EXPECT_EQ(rfc3339_utc(4107542399999), "2100-02-28T23:59:59.999Z");
    EXPECT_EQ(rfc3339_utc(4107542400000), "2100-03-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339_utc(253402300799999), "9999-12-31T23:59:59.999Z");
}

TEST(UtcTime, StaysWithinWhatCanBeWritten)
{
    EXPECT_EQ(rfc3339_utc(-5), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339_utc(INT64_MAX), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace x402
