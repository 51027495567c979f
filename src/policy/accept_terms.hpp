// The words of one x402_accept, and the requirement they make.
#ifndef X402_POLICY_ACCEPT_TERMS_HPP
#define X402_POLICY_ACCEPT_TERMS_HPP

#include <cstdint>
#include <optional>
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
    bool upfront = false;  // settled before the content (x402_settle before)
};

// All that a constant can tell is checked here: unknown network without asset,
// form and checksum of addresses, lost digits, zero unless plain `0` is
// written, price and amount together, EIP-712 name and version missing for an
// unknown asset. What is not served is a Problem that says so: schemes other
// than `exact` and, on eip155, `upto`; an `extra` that promises another
// assetTransferMethod or paymentFlow than is served. Refused besides: a timeout
// of 0, a pay_to from which money could not be got back (nobody's address, the
// token), and texts with variables (`$name`). Ids and addresses go out as
// written; v1_network is left to the caller.
Result<PaymentRequirements> build_requirements(const AcceptTerms &terms);

// The same for terms whose price, amount or pay_to have variables: whatever
// does not depend on them. At run time their values go through
// build_requirements(). nullopt: nothing is wrong.
std::optional<Problem> check_constant_part(const AcceptTerms &terms);

}  // namespace x402

#endif
