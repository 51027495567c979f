// SPDX-License-Identifier: Apache-2.0
// Addresses of TON. They have two forms: the raw one, which x402 has on the
// wire, and the friendly one of wallets, which has a checksum.
#ifndef X402_POLICY_TON_ADDRESS_HPP
#define X402_POLICY_TON_ADDRESS_HPP

#include <string>
#include <string_view>

#include "policy/ledger_address.hpp"

namespace x402 {

// A phrase that follows the quoted text and says what is wrong or what to
// write; empty: it is valid, in either form.
std::string ton_fault(std::string_view text);

// The raw form, in lower case. Precondition of both: a valid address.
std::string raw_ton_address(std::string_view text);

// Test money where a friendly address is marked so; other addresses do not say
// which network they are of.
AddressMoney ton_money(std::string_view text);

}  // namespace x402

#endif
