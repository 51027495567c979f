// SPDX-License-Identifier: Apache-2.0
// A price as operators write it: `$0.01`, `0.01`, `0.01 USDT`.
#ifndef X402_POLICY_PRICE_TEXT_HPP
#define X402_POLICY_PRICE_TEXT_HPP

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

struct PriceText {
    std::string_view number;  // decimal digits as written
    std::string_view symbol;  // ticker without the space; empty for dollars
};

// Views point into `text`. `$` may lead, with spaces after it; the ticker is a
// letter and then letters, digits or dots; `USD` means dollars (empty symbol),
// and another ticker the token, with `$` in front or without.
Result<PriceText> parse_price_text(std::string_view text);

// True if a `$` in the text starts an nginx variable: a letter, '_' or '{'
// follows it. `$1` is one dollar here, never a capture.
bool has_variable(std::string_view text);

}  // namespace x402

#endif
