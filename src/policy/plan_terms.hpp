// The words of one x402_accept that asks for credits of a plan (dialect
// nevermined), and the requirement they make.
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
    std::string credits;  // what a request costs; empty: 1
    std::string agent;
    // "nvm", or nothing: as the plan says; else one of the two that follow.
    std::string scheme;
    std::string network;
    bool live = false;  // real money: decides the network of crypto plans
    std::uint32_t timeout_seconds = 300;

    // Scheme and network are known only when the plan has been looked up.
    bool is_open() const { return scheme.empty() || scheme == "nvm"; }
};

constexpr std::string_view kCryptoPlan = "nvm:erc4337";
constexpr std::string_view kCardPlan = "nvm:card-delegation";

// What the plan's own page says.
struct PlanKind {
    std::string scheme = std::string(kCryptoPlan);
    std::string card_network;  // of a card plan; empty: not said
};

// What can be told without asking anybody; credits with variables are left
// out. nullopt: nothing is wrong.
std::optional<Problem> check_plan_terms(const PlanTerms &terms);

// Of terms that check_plan_terms() found nothing wrong with. `kind` is for open
// ones. Problem: `credits` is no whole number.
Result<PaymentRequirements> plan_requirements(const PlanTerms &terms,
                                              const PlanKind &kind = {});

}  // namespace x402

#endif
