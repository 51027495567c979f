// SPDX-License-Identifier: Apache-2.0
#include "policy/evm_signer.hpp"

#include <algorithm>
#include <cstddef>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "base/keccak256_digest.hpp"

namespace x402 {

namespace {

// Enough to verify; it is part of the library, so that nothing can fail.
const secp256k1_context *curve()
{
    return secp256k1_context_static;
}

// 0 or 1; -1 for what no EVM wallet writes. 2 and 3 exist on the curve, for r
// above its order, and are refused by ecrecover too.
int recovery_id(unsigned char v)
{
    if (v == 27 || v == 28) {
        return v - 27;
    }
    return v <= 1 ? v : -1;
}

EvmAddress address_of(const secp256k1_pubkey &key)
{
    // 0x04, x and y.
    unsigned char point[65];
    std::size_t size = sizeof(point);
    secp256k1_ec_pubkey_serialize(curve(), point, &size, &key,
                                  SECP256K1_EC_UNCOMPRESSED);
    const auto digest = keccak256(std::string_view(
        reinterpret_cast<const char *>(point) + 1, sizeof(point) - 1));
    EvmAddress address;
    std::copy(digest.begin() + 12, digest.end(), address.begin());
    return address;
}

}  // namespace

bool has_evm_signer()
{
    return true;
}

Result<EvmAddress> recover_evm_signer(const EvmDigest &digest,
                                      std::string_view signature)
{
    if (signature.size() != 65) {
        return Problem{"the signature is not 65 bytes: contract wallets are "
                       "not supported"};
    }
    const auto *bytes =
        reinterpret_cast<const unsigned char *>(signature.data());
    const int id = recovery_id(bytes[64]);
    if (id < 0) {
        return Problem{"the last byte of the signature is not 0, 1, 27 or 28"};
    }
    secp256k1_ecdsa_recoverable_signature recoverable;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(
            curve(), &recoverable, bytes, id)
        != 1) {
        return Problem{"r or s of the signature is out of range"};
    }
    secp256k1_ecdsa_signature plain;
    secp256k1_ecdsa_recoverable_signature_convert(curve(), &plain,
                                                  &recoverable);
    if (secp256k1_ecdsa_signature_normalize(curve(), nullptr, &plain) != 0) {
        return Problem{"s of the signature is in the upper half (EIP-2)"};
    }
    secp256k1_pubkey key;
    if (secp256k1_ecdsa_recover(curve(), &key, &recoverable, digest.data())
        != 1) {
        return Problem{"no key has made this signature"};
    }
    return address_of(key);
}

}  // namespace x402
