// The words of one x402_accept, and the requirement they make.
#ifndef X402_POLICY_ACCEPT_TERMS_HPP
#define X402_POLICY_ACCEPT_TERMS_HPP

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// Everything as written; empty means not written. x402_price, x402_network and
// x402_pay_to have been filled in where the accept is silent.
struct AcceptTerms {
    std::string network;
    std::string pay_to;
    std::string price;
    std::string amount;    // atomic units; needs `asset`
    std::string asset;     // address, or a known ticker
    std::string decimals;  // of an asset that is not in our table
    std::string scheme;    // empty means exact
    std::string extra;     // JSON object, laid over what is known of the asset
    std::uint32_t timeout_seconds = 300;
};

// All that a constant can tell is checked here: unknown network without asset,
// address form and checksum, lost digits, zero unless plain `0` is written,
// price and amount together, EIP-712 name and version missing for an unknown
// asset. What this release does not serve is a Problem that says so: schemes
// other than `exact`, network families other than eip155, permit2 assets,
// variables (texts with `$name`), and an `extra` that promises another
// assetTransferMethod or paymentFlow. Refused besides: a timeout of 0, and a
// pay_to from which money could not be got back (the zero address, the token).
// Addresses go out as written.
Result<PaymentRequirements> build_requirements(const AcceptTerms &terms);

}  // namespace x402

#endif
