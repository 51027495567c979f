// SPDX-License-Identifier: Apache-2.0
// Receivers and assets in the form of each family of networks.
#ifndef X402_POLICY_NETWORK_ADDRESS_HPP
#define X402_POLICY_NETWORK_ADDRESS_HPP

#include <string>
#include <string_view>

namespace x402 {

// The part of a CAIP-2 id before its colon.
std::string_view network_family(std::string_view caip2);

// What is wrong with an address or an asset of that network, and what to write:
// a phrase that follows the quoted text; empty: it is valid. Addresses and
// assets of unknown families only have to be printable. An address that says
// that it is of a test network is not valid on the main one, and the reverse.
std::string address_fault(std::string_view caip2, std::string_view address);
std::string asset_fault(std::string_view caip2, std::string_view asset);

// The spelling that is sent: TON wants the raw form, all others go out as they
// are written. Precondition: a fault function returned an empty phrase.
std::string wire_address(std::string_view caip2, std::string_view address);

// True for addresses without an owner: money sent there is lost. Precondition:
// address_fault() returned an empty phrase.
bool is_unowned_address(std::string_view caip2, std::string_view address);

// Whether text that is not a valid address has the form of a private key, a
// seed or a mnemonic. Messages must not repeat it.
bool may_be_private_key(std::string_view text);

}  // namespace x402

#endif
