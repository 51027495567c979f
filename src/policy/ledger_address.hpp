// SPDX-License-Identifier: Apache-2.0
// Addresses of networks whose formats are published with their schemes. Each
// function returns a phrase that follows the quoted text, and says what is
// wrong or what to write; empty: it is valid.
#ifndef X402_POLICY_LEDGER_ADDRESS_HPP
#define X402_POLICY_LEDGER_ADDRESS_HPP

#include <string>
#include <string_view>

namespace x402 {

// The phrase where the form is right and the checksum is not.
constexpr std::string_view kMistyped =
    "does not match its checksum, so a character is wrong: copy the address "
    "again";

// Which money an address says that it is for.
enum class AddressMoney { unsaid, real, test };

// A classic address: base58 in the alphabet of XRPL, with a checksum.
std::string xrpl_fault(std::string_view text);
// An account id: 2 to 64 of a-z, 0-9 and single separators `-`, `_` and `.`.
std::string near_fault(std::string_view text);
// base58 with version 1, 32 bytes and a checksum.
std::string concordium_fault(std::string_view text);

// Of an account or a token: base58 with version 0x41, 20 bytes and a checksum.
std::string tron_fault(std::string_view text);

// CIP-19, in bech32: a payment address, with a part for stakes or without.
std::string cardano_fault(std::string_view text);
// The policy and the name of a native token in lower-case hex, with a point
// between; or lovelace.
std::string cardano_asset_fault(std::string_view text);
// Precondition: a valid address.
AddressMoney cardano_money(std::string_view text);

// A number below the prime of the field, and not zero, in hex. In letters of
// both cases it has a checksum, as Circle publishes its tokens.
std::string starknet_fault(std::string_view text);

// An account hash after 00. What begins with 01 is refused: a contract package
// or a public key, and money sent to a key is lost.
std::string casper_fault(std::string_view text);
// The hash of a contract package.
std::string casper_asset_fault(std::string_view text);

// The kind of account, its key and a checksum, in base32 after keeta_.
std::string keeta_fault(std::string_view text);
std::string keeta_asset_fault(std::string_view text);

}  // namespace x402

#endif
