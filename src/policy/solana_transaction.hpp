// The bytes of a Solana transaction: signatures, then the message they sign.
#ifndef X402_POLICY_SOLANA_TRANSACTION_HPP
#define X402_POLICY_SOLANA_TRANSACTION_HPP

#include <optional>
#include <string_view>

namespace x402 {

// The message of a transaction, legacy or version 0: what all signers sign.
// Money: it has to be there to the last byte and nothing behind it, and all
// counts in their shortest form, so that one message has one spelling. nullopt:
// no such transaction. Lifetime of the result: `transaction`.
std::optional<std::string_view> solana_message(std::string_view transaction);

}  // namespace x402

#endif
