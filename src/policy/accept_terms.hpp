// SPDX-License-Identifier: Apache-2.0
// The terms of one x402_accept, and the requirement that is built from them.
#ifndef X402_POLICY_ACCEPT_TERMS_HPP
#define X402_POLICY_ACCEPT_TERMS_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// Everything as written; empty means not written. The caller has filled in
// x402_price, x402_network and x402_pay_to if the accept does not contain them.
struct AcceptTerms {
    std::string network;
    std::string pay_to;
    std::string price;
    std::string amount;    // atomic units; needs `asset`
    std::string asset;     // address, or a known ticker
    std::string decimals;  // of an asset that is not in the table
    std::string scheme;    // empty means exact
    std::string extra;     // JSON object, merged over the asset's own
    std::uint32_t timeout_seconds = 300;
    bool upfront = false;  // settled before the content (x402_settle before)

    std::string scheme_or_default() const
    {
        return scheme.empty() ? "exact" : scheme;
    }
    bool operator==(const AcceptTerms &other) const;
};

// Checks everything that a constant can tell: unknown network without asset,
// form and checksum of addresses, lost digits, zero unless plain `0` is
// written, price and amount together, EIP-712 name and version missing for an
// unknown asset. A Problem also reports what is not supported: schemes other
// than `exact` and, on eip155, `upto`; an `extra` that promises another
// assetTransferMethod or paymentFlow. Also refused: a timeout of 0, a pay_to
// from which money cannot be recovered (an address without an owner, the
// token), and texts with variables (`$name`). Ids and addresses are sent as
// written; the caller sets v1_network.
Result<PaymentRequirements> build_requirements(const AcceptTerms &terms);

// The same for terms with variables in price, amount or pay_to: checks what
// does not depend on them. At run time build_requirements() checks their
// values. nullopt: the terms are valid.
std::optional<Problem> check_constant_part(const AcceptTerms &terms);

}  // namespace x402

#endif
