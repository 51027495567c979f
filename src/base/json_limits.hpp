// How much JSON from strangers may cost, known before a node is made.
#ifndef X402_BASE_JSON_LIMITS_HPP
#define X402_BASE_JSON_LIMITS_HPP

#include <cstddef>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

struct JsonLimits {
    std::size_t bytes = 64 * 1024;
    std::size_t depth = 32;   // nested arrays and objects
    std::size_t keys = 1024;  // members of all objects together
    // All values together: 64 KB of "{}," would otherwise become megabytes.
    std::size_t values = 4096;
};

// What a parser would have to build, counted on the bytes alone. A text that is
// no JSON may be counted wrongly behind its first fault, where the parser
// stops. Problem: what there is too much of; else true.
Result<bool> within_limits(std::string_view text, const JsonLimits &limits);

}  // namespace x402

#endif
