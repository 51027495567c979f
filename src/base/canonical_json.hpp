// SPDX-License-Identifier: Apache-2.0
// One text for all spellings of a JSON value, as input of digests.
#ifndef X402_BASE_CANONICAL_JSON_HPP
#define X402_BASE_CANONICAL_JSON_HPP

#include <string>

#include "base/json_document.hpp"

namespace x402 {

// `loose` is for payments whose readers accept several spellings of one value:
// strings without letter case, integers in quotes as numbers.
enum class Spelling { exact, loose };

// Compact; members sorted by the bytes of their names; integral numbers in
// digits only (2.0 is 2), others in the fewest digits; strings as
// json_text.hpp writes them.
std::string canonical_json(JsonValue value,
                           Spelling spelling = Spelling::exact);

}  // namespace x402

#endif
