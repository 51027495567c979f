// SPDX-License-Identifier: Apache-2.0
#include "base/utc_time.hpp"

#include <algorithm>
#include <cstddef>

namespace x402 {

namespace {

constexpr std::int64_t kLastMs = 253402300799999;  // of the year 9999
constexpr std::int64_t kMsInDay = 86400000;

// Right to left, with zeros in front.
void put(char *out, std::int64_t number, std::size_t digits)
{
    for (std::size_t i = digits; i-- > 0; number /= 10) {
        out[i] = static_cast<char>('0' + number % 10);
    }
}

}  // namespace

std::string rfc3339_utc(std::int64_t unix_ms)
{
    unix_ms = std::clamp<std::int64_t>(unix_ms, 0, kLastMs);
    std::int64_t in_day = unix_ms % kMsInDay;
    // Days since 0000-03-01: a year that begins in March ends with its leap
    // day.
    std::int64_t days = unix_ms / kMsInDay + 719468;
    std::int64_t era = days / 146097;
    std::int64_t of_era = days % 146097;
    std::int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    std::int64_t march = (5 * of_year + 2) / 153;
    std::int64_t day = of_year - (153 * march + 2) / 5 + 1;
    std::int64_t month = march < 10 ? march + 3 : march - 9;
    year += era * 400 + (month <= 2 ? 1 : 0);

    std::string out("0000-00-00T00:00:00.000Z");
    put(out.data(), year, 4);
    put(out.data() + 5, month, 2);
    put(out.data() + 8, day, 2);
    put(out.data() + 11, in_day / 3600000, 2);
    put(out.data() + 14, in_day / 60000 % 60, 2);
    put(out.data() + 17, in_day / 1000 % 60, 2);
    put(out.data() + 20, in_day % 1000, 3);
    return out;
}

}  // namespace x402
