// SPDX-License-Identifier: Apache-2.0
// Whether a text begins with another one: std::string_view has no word for it
// in C++17.
#ifndef X402_BASE_TEXT_PREFIX_HPP
#define X402_BASE_TEXT_PREFIX_HPP

#include <string_view>

namespace x402 {

inline bool starts_with(std::string_view text, std::string_view front)
{
    return text.substr(0, front.size()) == front;
}

}  // namespace x402

#endif
