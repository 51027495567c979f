// SPDX-License-Identifier: Apache-2.0
#include "policy/accept_terms.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "policy/accept_extra.hpp"
#include "policy/accept_token.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "policy/price_text.hpp"

namespace x402 {

namespace {

struct Word {
    std::string_view key;
    std::string AcceptTerms::*text;
};

constexpr Word kConstantWords[] = {
    {"network", &AcceptTerms::network},   {"asset", &AcceptTerms::asset},
    {"decimals", &AcceptTerms::decimals}, {"scheme", &AcceptTerms::scheme},
    {"extra", &AcceptTerms::extra},
};

constexpr Word kVariableWords[] = {
    {"pay_to", &AcceptTerms::pay_to},
    {"price", &AcceptTerms::price},
    {"amount", &AcceptTerms::amount},
};

template <std::size_t N>
std::optional<Problem> find_variable(const AcceptTerms &terms,
                                     const Word (&words)[N],
                                     std::string_view advice)
{
    for (const auto &[key, text] : words) {
        if (has_variable(terms.*text)) {
            return parameter_error(key, terms.*text, advice);
        }
    }
    return std::nullopt;
}

Result<std::string> resolve_network(const AcceptTerms &terms)
{
    if (terms.network.empty()) {
        return Problem{"the network is missing: write \"x402_network base\" "
                       "or network=base"};
    }
    std::optional<std::string> id = caip2_network(terms.network);
    if (!id) {
        return parameter_error(
            "network", terms.network,
            "is not known: write a CAIP-2 id like eip155:8453, "
            "or one of "
                + known_network_names() + near_network_question(terms.network));
    }
    if (network_family(*id) == "eip155" && !eip155_chain_id(*id)) {
        return parameter_error("network", terms.network,
                               "has no chain id after eip155: write a plain "
                               "decimal number, like eip155:8453");
    }
    return std::move(*id);
}

std::optional<Problem> check_scheme(const AcceptTerms &terms,
                                    std::string_view network)
{
    if (terms.scheme_or_default() == "exact") {
        return std::nullopt;
    }
    if (terms.scheme != "upto") {
        return parameter_error(
            "scheme", terms.scheme,
            "is not supported: write exact or upto, or leave it out");
    }
    if (network_family(network) != "eip155") {
        return parameter_error(
            "scheme", terms.scheme,
            "is supported on eip155 networks only: write exact, or "
            "a network like base");
    }
    if (terms.upfront) {
        return parameter_error(
            "scheme", terms.scheme,
            "charges what the content has cost, so it is settled "
            "after it: leave out \"x402_settle before\"");
    }
    return std::nullopt;
}

// Errors that do not depend on network or token.
std::optional<Problem> check_words(const AcceptTerms &terms)
{
    std::optional<Problem> variable = find_variable(
        terms, kConstantWords,
        "has a variable in it, which only price, amount and pay_to may have: "
        "write a constant");
    if (variable) {
        return variable;
    }
    if (terms.price.empty() && terms.amount.empty()) {
        return Problem{"the price is missing: write \"x402_price 0.01\" or "
                       "price=0.01"};
    }
    if (!terms.price.empty() && !terms.amount.empty()) {
        return Problem{"price and amount are both written: leave out one of "
                       "them"};
    }
    if (!terms.amount.empty() && terms.asset.empty()) {
        return parameter_error(
            "amount", terms.amount,
            "counts the smallest units of an asset that is not "
            "named: write asset= as well, or price= instead");
    }
    if (terms.timeout_seconds == 0) {
        return Problem{
            "a timeout of 0 leaves no time to pay: write 60s or more"};
    }
    return std::nullopt;
}

// The members that the facilitator must supply (x402 v2, the schemes' `extra`)
// because the operator has not written them.
bool needs_supported(std::string_view network, JsonValue extra)
{
    std::string_view family = network_family(network);
    if (family == "solana" || family == "hedera" || family == "starknet") {
        return !extra["feePayer"].exists();
    }
    return family == "stellar" && !extra["areFeesSponsored"].exists();
}

Result<JsonDocument> extra_of(const AcceptTerms &terms,
                              std::string_view network, const Token &token)
{
    return resolve_extra(terms.extra,
                         {terms.scheme_or_default(), network, token.address,
                          token.known, terms.upfront});
}

// Scheme, network and price of the terms, checked.
struct Frame {
    std::string network;
    PriceText price;
};

Result<Frame> check_frame(const AcceptTerms &terms)
{
    std::optional<Problem> problem = check_words(terms);
    if (problem) {
        return *problem;
    }
    Result<std::string> network = resolve_network(terms);
    if (!network) {
        return network.problem();
    }
    problem = check_scheme(terms, network.value());
    if (problem) {
        return *problem;
    }
    Frame frame;
    frame.network = std::move(network.value());
    if (!terms.price.empty() && !has_variable(terms.price)) {
        Result<PriceText> parsed = parse_price_text(terms.price);
        if (!parsed) {
            return parsed.problem();
        }
        frame.price = parsed.value();
    }
    return frame;
}

}  // namespace

bool AcceptTerms::operator==(const AcceptTerms &other) const
{
    auto words = [](const AcceptTerms &terms) {
        return std::tie(terms.price, terms.amount, terms.pay_to, terms.network,
                        terms.asset, terms.decimals, terms.scheme, terms.extra,
                        terms.timeout_seconds, terms.upfront);
    };
    return words(*this) == words(other);
}

Result<PaymentRequirements> build_requirements(const AcceptTerms &terms)
{
    std::optional<Problem> problem = find_variable(
        terms, kVariableWords, "has a variable in it: write a constant");
    if (problem) {
        return *problem;
    }
    Result<Frame> frame = check_frame(terms);
    if (!frame) {
        return frame.problem();
    }
    Result<Token> token =
        resolve_token(terms, frame->network, frame->price.symbol);
    if (!token) {
        return token.problem();
    }
    problem = check_pay_to(terms, frame->network, token.value());
    if (problem) {
        return *problem;
    }
    Result<std::string> amount =
        resolve_amount(terms, token.value(), frame->price.number);
    if (!amount) {
        return amount.problem();
    }
    Result<JsonDocument> extra = extra_of(terms, frame->network, token.value());
    if (!extra) {
        return extra.problem();
    }
    PaymentRequirements requirements;
    requirements.pay_to = wire_address(frame->network, terms.pay_to);
    requirements.scheme = terms.scheme_or_default();
    requirements.needs_supported =
        needs_supported(frame->network, extra->root());
    requirements.network = std::move(frame->network);
    requirements.amount = std::move(amount.value());
    requirements.asset = token->address;
    requirements.max_timeout_seconds = terms.timeout_seconds;
    requirements.extra = std::move(extra.value());
    requirements.decimals = resolve_decimals(terms, token.value()).value();
    return requirements;
}

std::optional<Problem> check_constant_part(const AcceptTerms &terms)
{
    Result<Frame> frame = check_frame(terms);
    if (!frame) {
        return frame.problem();
    }
    // A price from variables may name the token.
    bool open_price = has_variable(terms.price);
    if (open_price && terms.asset.empty()) {
        return std::nullopt;
    }
    Result<Token> token =
        resolve_token(terms, frame->network, frame->price.symbol);
    if (!token) {
        return token.problem();
    }
    if (!has_variable(terms.pay_to)) {
        std::optional<Problem> problem =
            check_pay_to(terms, frame->network, token.value());
        if (problem) {
            return problem;
        }
    }
    // A variable may change the number, but not the currency.
    AcceptTerms sample = terms;
    sample.price = open_price ? "1" : terms.price;
    sample.amount = has_variable(terms.amount) ? "1" : terms.amount;
    Result<std::string> amount = resolve_amount(
        sample, token.value(), open_price ? "1" : frame->price.number);
    if (!amount) {
        return amount.problem();
    }
    Result<JsonDocument> extra = extra_of(terms, frame->network, token.value());
    return extra ? std::nullopt : std::optional<Problem>(extra.problem());
}

}  // namespace x402
