// SPDX-License-Identifier: Apache-2.0
// The parser behind JsonDocument. A build has one of two: simdjson's file, or
// jansson's on a system without simdjson.
#ifndef X402_BASE_JSON_READER_HPP
#define X402_BASE_JSON_READER_HPP

#include <optional>
#include <string_view>

#include "base/json_limits.hpp"
#include "base/json_tree.hpp"

namespace x402 {

// Nothing if `text` exceeds the limits, is not JSON (RFC 8259), or has what two
// parsers could take for different values: repeated names, NUL, invalid UTF-8,
// lone surrogates, integers beyond 64 bits, reals beyond a double. Limits other
// than that of bytes are checked before a node is created. Throws
// std::bad_alloc.
std::optional<JsonTree> read_json(std::string_view text,
                                  const JsonLimits &limits);

}  // namespace x402

#endif
