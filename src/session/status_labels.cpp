// SPDX-License-Identifier: Apache-2.0
// The words of the closed lists that metrics are labelled with.
#include "session/status_counters.hpp"

namespace x402 {

namespace {

constexpr int kStatuses[] = {400, 401, 402, 403, 404, 409,
                             429, 500, 502, 503, 504};
constexpr std::size_t kStatusCount = sizeof(kStatuses) / sizeof(kStatuses[0]);

enum Rest : std::size_t {
    k2xx = kStatusCount,
    k3xx,
    k4xx,
    k5xx,
    kTimeout,
    kNoConnection,
    kBroken,
};
static_assert(kBroken + 1 == kCallCodes);

}  // namespace

std::size_t call_code(int status, bool timed_out, bool connected)
{
    if (status >= 200 && status < 300) {
        return k2xx;  // as nearly all calls end
    }
    for (std::size_t i = 0; i < kStatusCount; i++) {
        if (kStatuses[i] == status) {
            return i;
        }
    }
    if (status >= 100 && status < 600) {
        return status < 300   ? k2xx
               : status < 400 ? k3xx
               : status < 500 ? k4xx
                              : k5xx;
    }
    return timed_out ? kTimeout : connected ? kBroken : kNoConnection;
}

const char *call_code_label(std::size_t code)
{
    constexpr const char *kNames[] = {
        "400", "401", "402", "403",     "404",           "409",
        "429", "500", "502", "503",     "504",           "2xx",
        "3xx", "4xx", "5xx", "timeout", "no_connection", "broken",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kCallCodes);
    return kNames[code];
}

const char *endpoint_label(CallEndpoint endpoint)
{
    constexpr const char *kNames[] = {"verify", "settle", "supported", "plan"};
    return kNames[static_cast<std::size_t>(endpoint)];
}

const char *outcome_label(SettlementOutcome outcome)
{
    constexpr const char *kNames[] = {
        "paid", "unproven", "refused", "not_processed", "unknown", "waived",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kSettlementOutcomes);
    return kNames[static_cast<std::size_t>(outcome)];
}

}  // namespace x402
