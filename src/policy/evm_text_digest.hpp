// SPDX-License-Identifier: Apache-2.0
// The digest that an EVM wallet signs for a text (EIP-191, version 0x45,
// personal_sign).
#ifndef X402_POLICY_EVM_TEXT_DIGEST_HPP
#define X402_POLICY_EVM_TEXT_DIGEST_HPP

#include <string_view>

#include "policy/evm_signer.hpp"

namespace x402 {

EvmDigest evm_text_digest(std::string_view text);

}  // namespace x402

#endif
