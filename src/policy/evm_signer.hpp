// SPDX-License-Identifier: Apache-2.0
// Who signed a digest with an EVM key: the address, recovered from the
// signature (ECDSA on secp256k1, as ecrecover does it).
//
// Only accounts that sign themselves are recovered. The signature of a contract
// wallet (ERC-1271, ERC-6492) has another form, which only its chain can check:
// it is refused by its length. By libsecp256k1 (evm_signer.cpp), or not at all
// (evm_signer_absent.cpp, X402_SECP256K1=no).
#ifndef X402_POLICY_EVM_SIGNER_HPP
#define X402_POLICY_EVM_SIGNER_HPP

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "policy/evm_address.hpp"

namespace x402 {

using EvmDigest = std::array<std::uint8_t, 32>;

// False in a build without libsecp256k1: every signature is then refused, and a
// directive that needs this says kEvmSignerAbsent at `nginx -t`.
bool has_evm_signer();

inline constexpr const char *kEvmSignerAbsent =
    "signatures of EVM accounts need libsecp256k1, and this module was built "
    "without it: install "
    "libsecp256k1-dev and build it again without X402_SECP256K1=no";

// The signer of the 32 bytes `digest`. `signature`: 65 bytes, r and s
// big-endian, then v as 0, 1, 27 or 28. Problem, in words for a client: another
// length or v; r or s out of range; s in the upper half of the curve's order
// (EIP-2; every signature has a twin there, and one spelling is enough); no key
// has made this signature.
Result<EvmAddress> recover_evm_signer(const EvmDigest &digest,
                                      std::string_view signature);

}  // namespace x402

#endif
