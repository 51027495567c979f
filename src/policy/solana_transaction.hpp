// SPDX-License-Identifier: Apache-2.0
// The bytes of a Solana transaction: signatures, then the message they sign.
#ifndef X402_POLICY_SOLANA_TRANSACTION_HPP
#define X402_POLICY_SOLANA_TRANSACTION_HPP

#include <optional>
#include <string_view>

namespace x402 {

// The message of a transaction, legacy or version 0, which all signers sign.
// Money: the message must be complete, with nothing after it, and all counts
// must be in their shortest form, so that one message has one spelling.
// nullopt: not such a transaction. Lifetime of the result: `transaction`.
std::optional<std::string_view> solana_message(std::string_view transaction);

// Whether a message that solana_message() returned stays valid until the payer
// changes a nonce account, and not for some 150 blocks only: its first
// instruction is AdvanceNonceAccount of the system program.
bool has_durable_nonce(std::string_view message);

}  // namespace x402

#endif
