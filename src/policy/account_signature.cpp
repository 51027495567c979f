// SPDX-License-Identifier: Apache-2.0
#include "policy/account_signature.hpp"

#include <array>
#include <optional>

#include "base/address_codec.hpp"
#include "base/hex_codec.hpp"
#include "base/token_signature.hpp"
#include "policy/evm_signer.hpp"
#include "policy/evm_text_digest.hpp"

namespace x402 {

namespace {

Result<std::string> verify_evm(std::string_view address, std::string_view text,
                               std::string_view signature)
{
    auto named = parse_evm_address(address);
    // An address in mixed case with a wrong checksum is a mistake.
    if (!named || !evm_checksum_ok(address)) {
        return Problem{"the address is not an EVM address"};
    }
    std::optional<std::array<std::uint8_t, 65>> bytes =
        hex_decode<65>(signature);
    if (!bytes) {
        return Problem{is_hex_bytes(signature)
                           ? "the signature is not 65 bytes: contract wallets "
                             "are not supported"
                           : "the signature is not 0x and hex digits"};
    }
    auto signer = recover_evm_signer(
        evm_text_digest(text),
        {reinterpret_cast<const char *>(bytes->data()), bytes->size()});
    if (!signer) {
        return signer.problem();
    }
    if (signer.value() != *named) {
        return Problem{"the signature is not by this address"};
    }
    return "0x" + hex_encode(named->data(), named->size());
}

Result<std::string> verify_solana(std::string_view address,
                                  std::string_view text,
                                  std::string_view signature)
{
    std::optional<std::string> key = base58_decode(address);
    if (!key || key->size() != 32) {
        return Problem{"the address is not a Solana address"};
    }
    std::optional<std::string> bytes = base58_decode(signature);
    if (!bytes || bytes->size() != 64) {
        return Problem{"the signature is not 64 bytes in base58"};
    }
    if (!verify_ed25519(*key, text, *bytes)) {
        return Problem{"the signature is not by this address"};
    }
    return std::string(address);
}

}  // namespace

Result<std::string> verify_account(std::string_view chain,
                                   std::string_view address,
                                   std::string_view text,
                                   std::string_view signature)
{
    if (chain.substr(0, 7) == "eip155:") {
        return verify_evm(address, text, signature);
    }
    if (chain.substr(0, 7) == "solana:") {
        return verify_solana(address, text, signature);
    }
    return Problem{"accounts of this chain cannot sign in"};
}

}  // namespace x402
