// SPDX-License-Identifier: Apache-2.0
// Which account signed a text with its wallet: EVM accounts by EIP-191, Solana
// accounts by Ed25519.
#ifndef X402_POLICY_ACCOUNT_SIGNATURE_HPP
#define X402_POLICY_ACCOUNT_SIGNATURE_HPP

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

// The account in one spelling: an EVM address in lower case, others as they
// are. Problem, in a few words for a client: `chain` (CAIP-2) is of another
// family; address or signature (0x and hex, or base58) cannot be read; the
// signature is not by this account.
Result<std::string> verify_account(std::string_view chain,
                                   std::string_view address,
                                   std::string_view text,
                                   std::string_view signature);

}  // namespace x402

#endif
