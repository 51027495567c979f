// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_terms.hpp"

#include "policy/network_table.hpp"
#include "policy/price_text.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMostPlanDigits = 78;
constexpr std::size_t kMostCreditDigits = 18;
constexpr std::size_t kLongestAgent = 256;

bool is_number(std::string_view text, std::size_t most_digits)
{
    return !text.empty() && text.size() <= most_digits
           && text.find_first_not_of("0123456789") == std::string_view::npos
           && (text.size() == 1 || text.front() != '0');
}

bool is_word(std::string_view text)
{
    for (char byte : text) {
        if (byte <= 0x20 || byte >= 0x7f) {
            return false;
        }
    }
    return !text.empty() && text.size() <= kLongestAgent;
}

Problem parameter_error(std::string_view key, const std::string &text,
                        std::string_view advice)
{
    return Problem{std::string(key) + " \"" + text + "\" "
                   + std::string(advice)};
}

std::optional<Problem> check_credits(const std::string &credits)
{
    if (is_number(credits, kMostCreditDigits)) {
        return std::nullopt;
    }
    return parameter_error("credits", credits,
                           "is not a number of credits: write a whole number, "
                           "such as 1");
}

}  // namespace

std::optional<Problem> check_plan_terms(const PlanTerms &terms)
{
    if (!is_number(terms.plan, kMostPlanDigits)) {
        return parameter_error(
            "plan", terms.plan,
            "is not a plan: write its number, at most 78 digits");
    }
    if (!terms.is_open() && terms.scheme != kCryptoPlan
        && terms.scheme != kCardPlan) {
        return parameter_error(
            "scheme", terms.scheme,
            "is not supported here: write nvm, nvm:erc4337 or "
            "nvm:card-delegation, or leave it out");
    }
    if (!terms.agent.empty() && !is_word(terms.agent)) {
        return parameter_error(
            "agent", terms.agent,
            "is not an agent: write one word of visible ASCII");
    }
    if (!terms.network.empty() && !is_word(terms.network)) {
        return parameter_error("network", terms.network, "is not known");
    }
    if (terms.credits.empty() || has_variable(terms.credits)) {
        return std::nullopt;
    }
    return check_credits(terms.credits);
}

Result<PaymentRequirements> plan_requirements(const PlanTerms &terms,
                                              const PlanKind &kind)
{
    PaymentRequirements option;
    option.amount = terms.credits.empty() ? "1" : terms.credits;
    if (auto problem = check_credits(option.amount)) {
        return *problem;
    }
    option.scheme = terms.is_open() ? kind.scheme : terms.scheme;
    if (!terms.network.empty()) {
        option.network = caip2_network(terms.network).value_or(terms.network);
    } else if (option.scheme == kCardPlan) {
        option.network =
            kind.card_network.empty() ? "stripe" : kind.card_network;
    } else {
        option.network = terms.live ? "eip155:8453" : "eip155:84532";
    }
    option.plan = terms.plan;
    option.agent = terms.agent;
    option.max_timeout_seconds = terms.timeout_seconds;
    return option;
}

}  // namespace x402
