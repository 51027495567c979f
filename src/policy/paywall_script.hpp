// SPDX-License-Identifier: Apache-2.0
// The script of `x402_paywall wallet`: a person pays from the page with a
// wallet of the browser. Used by policy/paywall_page.
#ifndef X402_POLICY_PAYWALL_SCRIPT_HPP
#define X402_POLICY_PAYWALL_SCRIPT_HPP

#include <string_view>

namespace x402 {

// JavaScript without "</script", and the style of what it adds to the page.
extern const std::string_view kWalletScript;
extern const std::string_view kWalletStyle;

}  // namespace x402

#endif
