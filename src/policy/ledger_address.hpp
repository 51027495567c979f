// SPDX-License-Identifier: Apache-2.0
// Addresses of XRPL, NEAR and Concordium, whose formats are published with
// their schemes. Each returns a phrase that follows the quoted text, and says
// what to write; empty: it is valid.
#ifndef X402_POLICY_LEDGER_ADDRESS_HPP
#define X402_POLICY_LEDGER_ADDRESS_HPP

#include <string>
#include <string_view>

namespace x402 {

// A classic address: base58 in the alphabet of XRPL, with a checksum.
std::string xrpl_fault(std::string_view text);
// An account id: 2 to 64 of a-z, 0-9 and single separators `-`, `_` and `.`.
std::string near_fault(std::string_view text);
// base58 with version 1, 32 bytes and a checksum.
std::string concordium_fault(std::string_view text);

}  // namespace x402

#endif
