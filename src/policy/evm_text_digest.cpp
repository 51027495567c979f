// SPDX-License-Identifier: Apache-2.0
#include "policy/evm_text_digest.hpp"

#include <string>

#include "base/keccak256_digest.hpp"

namespace x402 {

EvmDigest evm_text_digest(std::string_view text)
{
    std::string message = "\x19"
                          "Ethereum Signed Message:\n";
    message += std::to_string(text.size());
    message += text;
    return keccak256(message);
}

}  // namespace x402
