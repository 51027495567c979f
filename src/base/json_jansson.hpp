// SPDX-License-Identifier: Apache-2.0
// What jansson makes of a text: where a fault is, and the values for a build
// without simdjson (json_reader.hpp). Only json_jansson.cpp includes jansson.
#ifndef X402_BASE_JSON_JANSSON_HPP
#define X402_BASE_JSON_JANSSON_HPP

#include <optional>
#include <string>
#include <string_view>

#include "base/json_limits.hpp"
#include "base/json_tree.hpp"

namespace x402 {

// As read_json().
std::optional<JsonTree> read_json_by_jansson(std::string_view text,
                                             const JsonLimits &limits);

// What is wrong with a text that is not JSON, and at which byte; empty if
// jansson finds nothing. For operators: costs more than reading does.
std::string json_fault(std::string_view text);

}  // namespace x402

#endif
