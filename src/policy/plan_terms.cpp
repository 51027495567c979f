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

Problem objection_to(std::string_view key, const std::string &text,
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
    return objection_to("credits", credits,
                        "is no number of credits: write a whole number, "
                        "such as 1");
}

}  // namespace

std::optional<Problem> check_plan_terms(const PlanTerms &terms)
{
    if (!is_number(terms.plan, kMostPlanDigits)) {
        return objection_to("plan", terms.plan,
                            "is no plan: write its number, at most 78 digits");
    }
    if (!terms.is_open() && terms.scheme != kCryptoPlan
        && terms.scheme != kCardPlan) {
        return objection_to("scheme", terms.scheme,
                            "is not served here: write nvm, nvm:erc4337 or "
                            "nvm:card-delegation, or leave it out");
    }
    if (!terms.agent.empty() && !is_word(terms.agent)) {
        return objection_to("agent", terms.agent,
                            "is no agent: write one word of visible ASCII");
    }
    if (!terms.network.empty() && !is_word(terms.network)) {
        return objection_to("network", terms.network, "is not known");
    }
    if (terms.credits.empty() || has_variable(terms.credits)) {
        return std::nullopt;
    }
    return check_credits(terms.credits);
}

Result<PaymentRequirements> plan_requirements(const PlanTerms &terms,
                                              const PlanKind &kind)
{
    PaymentRequirements way;
    way.amount = terms.credits.empty() ? "1" : terms.credits;
    if (auto problem = check_credits(way.amount)) {
        return *problem;
    }
    way.scheme = terms.is_open() ? kind.scheme : terms.scheme;
    if (!terms.network.empty()) {
        way.network = caip2_network(terms.network).value_or(terms.network);
    } else if (way.scheme == kCardPlan) {
        way.network = kind.card_network.empty() ? "stripe" : kind.card_network;
    } else {
        way.network = terms.live ? "eip155:8453" : "eip155:84532";
    }
    way.plan = terms.plan;
    way.agent = terms.agent;
    way.max_timeout_seconds = terms.timeout_seconds;
    return way;
}

}  // namespace x402
