// SPDX-License-Identifier: Apache-2.0
// The terms of one x402_accept for credits of a plan (dialect nevermined), and
// the requirement that is built from them.
#ifndef X402_POLICY_PLAN_TERMS_HPP
#define X402_POLICY_PLAN_TERMS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// As written; empty means not written.
struct PlanTerms {
    std::string plan;     // its number, up to 78 digits
    std::string credits;  // the price of a request; empty: 1
    std::string agent;
    // "nvm" or empty: as the plan says; otherwise one of the two that follow.
    std::string scheme;
    std::string network;
    bool live = false;  // real money: decides the network of crypto plans
    std::uint32_t timeout_seconds = 300;

    // Scheme and network are known only after the plan was looked up.
    bool is_open() const { return scheme.empty() || scheme == "nvm"; }
};

constexpr std::string_view kCryptoPlan = "nvm:erc4337";
constexpr std::string_view kCardPlan = "nvm:card-delegation";

// The content of the plan's own page.
struct PlanKind {
    std::string scheme = std::string(kCryptoPlan);
    std::string card_network;  // of a card plan; empty: not said
};

// Checks what can be checked without a call; credits with variables are left
// out. nullopt: the terms are valid.
std::optional<Problem> check_plan_terms(const PlanTerms &terms);

// For terms that check_plan_terms() accepted. `kind` is for open ones. Problem:
// `credits` is not an integer.
Result<PaymentRequirements> plan_requirements(const PlanTerms &terms,
                                              const PlanKind &kind = {});

}  // namespace x402

#endif
