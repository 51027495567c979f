// SPDX-License-Identifier: Apache-2.0
// Who signed a payment of an EVM account, as far as this machine can tell: the
// EIP-712 digests of schemes `exact` (EIP-3009, Permit2) and `upto` (Permit2).
#ifndef X402_POLICY_EVM_PAYMENT_SIGNATURE_HPP
#define X402_POLICY_EVM_PAYMENT_SIGNATURE_HPP

#include <optional>

#include "base/json_document.hpp"
#include "policy/evm_signer.hpp"
#include "policy/scheme_payload.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// What the payer of `payload` signs to pay as `requirements` say. The shape of
// the payload was checked (read_scheme_payload()). `extra` of the requirement
// has the EIP-712 name and version of an EIP-3009 token. nullopt: another form,
// a network that is not eip155, a token without a domain, or a Permit2 payment
// whose spender is not the contract of x402 for its scheme.
std::optional<EvmDigest>
payment_digest(JsonValue payload, const SchemePayload &scheme,
               const PaymentRequirements &requirements);

// Whether the account that pays signed exactly this payment. False also says
// "not known here": a contract wallet's signature is checked by its contract,
// and libsecp256k1 may be missing. It is a reason to ask the facilitator, not
// to refuse.
bool is_signed_by_payer(JsonValue payload, const SchemePayload &scheme,
                        const PaymentRequirements &requirements);

}  // namespace x402

#endif
