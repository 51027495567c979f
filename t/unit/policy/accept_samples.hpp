// SPDX-License-Identifier: Apache-2.0
// Terms of x402_accept that are complete, and what is made of terms.
#ifndef X402_UNIT_ACCEPT_SAMPLES_HPP
#define X402_UNIT_ACCEPT_SAMPLES_HPP

#include <string>

#include "policy/accept_terms.hpp"

namespace x402 {

constexpr const char *kPayTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
constexpr const char *kUnknownAsset =
    "0x1234567890123456789012345678901234567890";

inline AcceptTerms sample_terms()
{
    AcceptTerms terms;
    terms.network = "base-sepolia";
    terms.pay_to = kPayTo;
    terms.price = "$0.01";
    return terms;
}

inline std::string json_of(const AcceptTerms &terms)
{
    Result<PaymentRequirements> requirements = build_requirements(terms);
    return requirements ? requirements->json() : requirements.problem().text;
}

inline std::string problem_of(const AcceptTerms &terms)
{
    Result<PaymentRequirements> requirements = build_requirements(terms);
    return requirements ? "built " + requirements->json()
                        : requirements.problem().text;
}

}  // namespace x402

#endif
