// SPDX-License-Identifier: Apache-2.0
// A moment as RFC 3339 writes it, in UTC.
#ifndef X402_BASE_UTC_TIME_HPP
#define X402_BASE_UTC_TIME_HPP

#include <cstdint>
#include <string>

namespace x402 {

// "2026-11-28T08:44:52.007Z", of milliseconds since the epoch. Moments before
// it, and beyond the year 9999, are the nearest of those that can be written.
std::string rfc3339_utc(std::int64_t unix_ms);

}  // namespace x402

#endif
