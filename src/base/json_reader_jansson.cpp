// SPDX-License-Identifier: Apache-2.0
// read_json() of a build without simdjson.
#include "base/json_jansson.hpp"
#include "base/json_reader.hpp"

namespace x402 {

std::optional<JsonTree> read_json(std::string_view text,
                                  const JsonLimits &limits)
{
    return read_json_by_jansson(text, limits);
}

}  // namespace x402
