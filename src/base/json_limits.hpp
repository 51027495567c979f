// SPDX-License-Identifier: Apache-2.0
// Limits on JSON from untrusted sources.
#ifndef X402_BASE_JSON_LIMITS_HPP
#define X402_BASE_JSON_LIMITS_HPP

#include <cstddef>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

struct JsonLimits {
    std::size_t bytes = 64 * 1024;
    std::size_t depth = 32;   // nested arrays and objects; at most 1000
    std::size_t keys = 1024;  // members of all objects together
    // All values together: 64 KB of "{}," would otherwise become megabytes. An
    // empty array or object counts as two.
    std::size_t values = 4096;
};

struct JsonCounts {
    std::size_t depth = 0;
    std::size_t keys = 0;
    std::size_t values = 1;  // one, and one for each `[`, `{` and `,`

    // Bytes are not counted here.
    bool within(const JsonLimits &limits) const
    {
        return depth <= limits.depth && keys <= limits.keys
               && values <= limits.values;
    }
};

// Counts what a parser would have to build, from the bytes alone. A text that
// is not JSON may be counted wrongly after its first error, where the parser
// stops. Problem: the limit that is exceeded.
Result<JsonCounts> within_limits(std::string_view text,
                                 const JsonLimits &limits);

}  // namespace x402

#endif
