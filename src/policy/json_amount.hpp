// SPDX-License-Identifier: Apache-2.0
// Amounts and times as payments write them.
#ifndef X402_POLICY_JSON_AMOUNT_HPP
#define X402_POLICY_JSON_AMOUNT_HPP

#include <optional>
#include <string>

#include "base/json_document.hpp"

namespace x402 {

// The atomic amount (decimal_amount.hpp) that a member states: a text of that
// form, or a JSON number that is an integer and that a double holds exactly, in
// any spelling of it (10000, 1e4, 10000.0). The official parser reads numbers
// as doubles; one that it would round is nullopt, like everything else.
std::optional<std::string> json_amount(JsonValue value);

}  // namespace x402

#endif
