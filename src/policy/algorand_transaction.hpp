// SPDX-License-Identifier: Apache-2.0
// The bytes of an Algorand transaction (msgpack), as far as they identify the
// transaction.
#ifndef X402_POLICY_ALGORAND_TRANSACTION_HPP
#define X402_POLICY_ALGORAND_TRANSACTION_HPP

#include <optional>
#include <string>
#include <string_view>

namespace x402 {

// The group id of the signed payment or asset transfer in `bytes`, otherwise
// its own id (SHA-512/256 over "TX" and the transaction); 32 bytes either way.
// Money: the transaction must be in its one canonical spelling: members that
// transfers have, sorted, each of its one type in the shortest form, none that
// is zero. Otherwise one payment could have two ids. nullopt: another spelling,
// or not such a transaction.
std::optional<std::string> algorand_transaction_key(std::string_view bytes);

// One msgpack map and nothing after it, as each member of a group must be.
bool is_msgpack_map(std::string_view bytes);

}  // namespace x402

#endif
