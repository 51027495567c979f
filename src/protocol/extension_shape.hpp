// SPDX-License-Identifier: Apache-2.0
// Validates declarations of known extensions (x402 v2, extensions). Called
// while the configuration is read.
#ifndef X402_PROTOCOL_EXTENSION_SHAPE_HPP
#define X402_PROTOCOL_EXTENSION_SHAPE_HPP

#include <string>
#include <string_view>

#include "base/json_document.hpp"

namespace x402 {

// 1 to 64 letters, digits, `.`, `_` and `-`.
bool is_extension_name(std::string_view text);

// What is wrong with a declaration and what to write instead; empty: it is
// valid. A declaration of an unknown name only has to be an object.
std::string validate_declaration(std::string_view name, JsonValue declaration);

}  // namespace x402

#endif
