// SPDX-License-Identifier: Apache-2.0
#include "facilitator/supported_answer.hpp"

#include "base/text_excerpt.hpp"

#include <algorithm>
#include <string_view>

namespace x402 {

namespace {

constexpr std::uint32_t kLifetime = 600;

// The next directive of a Cache-Control field in lower case, without spaces and
// quotes; `rest` begins after it.
std::string next_directive(std::string_view &rest)
{
    std::size_t comma = std::min(rest.find(','), rest.size());
    std::string directive;
    for (char byte : rest.substr(0, comma)) {
        if (byte >= 'A' && byte <= 'Z') {
            directive += static_cast<char>(byte - 'A' + 'a');
        } else if (byte != ' ' && byte != '\t' && byte != '"') {
            directive += byte;
        }
    }
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    return directive;
}

// RFC 9111, 1.2.2: digits; values above the limit are equal.
std::uint32_t seconds_of(std::string_view digits)
{
    std::uint32_t seconds = 0;
    for (char digit : digits) {
        if (digit < '0' || digit > '9') {
            return 0;
        }
        seconds = std::min(seconds * 10 + static_cast<unsigned>(digit - '0'),
                           kMaxSupportedLifetime);
    }
    return seconds;
}

std::uint32_t lifetime_of(std::string_view cache_control)
{
    constexpr std::string_view kMaxAge = "max-age=";
    std::uint32_t lifetime = kLifetime;
    while (!cache_control.empty()) {
        std::string directive = next_directive(cache_control);
        if (directive == "no-store" || directive == "no-cache") {
            return kLifetime;
        }
        if (directive.compare(0, kMaxAge.size(), kMaxAge) == 0) {
            std::uint32_t seconds =
                seconds_of(std::string_view(directive).substr(kMaxAge.size()));
            lifetime = seconds ? seconds : kLifetime;
        }
    }
    return lifetime;
}

}  // namespace

SupportedAnswer read_supported_answer(const FacilitatorReply &reply)
{
    SupportedAnswer answer;
    if (reply.transport != Transport::answered) {
        answer.detail = reply.detail.empty() ? "no answer" : reply.detail;
        return answer;
    }
    if (reply.status < 200 || reply.status >= 300) {
        answer.detail = "status " + std::to_string(reply.status);
        answer.detail += reply.detail.empty()
                             ? ", body \"" + log_excerpt(reply.body) + "\""
                             : ", " + reply.detail;
        return answer;
    }
    auto kinds = SupportedKinds::parse(reply.body);
    if (!kinds) {
        answer.detail = "the answer \"" + log_excerpt(reply.body)
                        + "\" cannot be used: " + kinds.problem().text;
        return answer;
    }
    answer.kinds = std::move(kinds.value());
    answer.lifetime = lifetime_of(reply.cache_control);
    return answer;
}

std::uint32_t supported_retry(unsigned failures, std::uint32_t retry_after)
{
    if (retry_after != 0) {
        return std::min(retry_after, kMaxSupportedRetry);
    }
    unsigned doublings = std::min(failures > 0 ? failures - 1 : 0, 5u);
    return std::min(1u << doublings, kMaxSupportedRetry);
}

}  // namespace x402
