// SPDX-License-Identifier: Apache-2.0
// What stands for evm_signer.cpp in a build without libsecp256k1
// (X402_SECP256K1=no).
#include "policy/evm_signer.hpp"

namespace x402 {

bool has_evm_signer()
{
    return false;
}

Result<EvmAddress> recover_evm_signer(const EvmDigest &, std::string_view)
{
    return Problem{
        "signatures of EVM accounts are not supported by this build"};
}

}  // namespace x402
