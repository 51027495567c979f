#include "policy/accept_terms.hpp"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/decimal_amount.hpp"
#include "policy/accept_extra.hpp"
#include "policy/asset_table.hpp"
#include "policy/evm_address.hpp"
#include "policy/network_table.hpp"
#include "policy/price_text.hpp"

namespace x402 {

namespace {

// 10^77 is the largest power of ten that 256 bits can hold.
constexpr unsigned kMaxDecimals = 77;

// The token of one offer. Lifetime of the address: the terms, or for ever.
struct Token {
    std::string_view address;
    const Asset *known = nullptr;
};

std::string described(const Asset &asset)
{
    std::string text(asset.symbol);
    text.append(" on ");
    text.append(asset.network);
    return text;
}

std::optional<Problem> find_variable(const AcceptTerms &terms)
{
    const std::pair<std::string_view, const std::string *> texts[] = {
        {"network", &terms.network}, {"pay_to", &terms.pay_to},
        {"price", &terms.price},     {"amount", &terms.amount},
        {"asset", &terms.asset},     {"decimals", &terms.decimals},
        {"scheme", &terms.scheme},   {"extra", &terms.extra},
    };
    for (const auto &[key, text] : texts) {
        if (has_variable(*text)) {
            return objection(key, *text,
                             "has a variable in it, which is not "
                             "served yet: write a constant");
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
        return objection("network", terms.network,
                         "is not known: write a CAIP-2 id like eip155:8453, "
                         "or one of "
                             + known_network_names());
    }
    if (id->compare(0, 7, "eip155:") != 0) {
        return objection("network", terms.network,
                         "is of the family " + id->substr(0, id->find(':'))
                             + ", which is not served yet: write an eip155 "
                               "network like base");
    }
    if (!eip155_chain_id(*id)) {
        return objection("network", terms.network,
                         "has no chain id behind eip155: write a plain "
                         "decimal number, like eip155:8453");
    }
    return std::move(*id);
}

// What is wrong with the form of an address, if anything.
std::optional<Problem> check_address(std::string_view key,
                                     std::string_view text)
{
    if (!parse_evm_address(text)) {
        return objection(key, text,
                         "is no EVM address: write 0x and 40 "
                         "hexadecimal digits");
    }
    if (!evm_checksum_ok(text)) {
        return objection(key, text,
                         "does not fit its own checksum (EIP-55), "
                         "so a character is wrong: copy the "
                         "address again");
    }
    return std::nullopt;
}

std::optional<Problem> check_pay_to(const AcceptTerms &terms,
                                    const Token &token)
{
    if (terms.pay_to.empty()) {
        return Problem{"the receiving address is missing: write "
                       "pay_to=0x... or \"x402_pay_to 0x...\""};
    }
    std::optional<Problem> problem = check_address("pay_to", terms.pay_to);
    if (problem) {
        return problem;
    }
    // Money: what is sent to these two cannot be got back.
    std::optional<EvmAddress> pay_to = parse_evm_address(terms.pay_to);
    if (pay_to == EvmAddress{}) {
        return objection("pay_to", terms.pay_to, "is nobody's: write your own");
    }
    if (pay_to == parse_evm_address(token.address)) {
        return objection("pay_to", terms.pay_to,
                         "is the address of the token: write your own");
    }
    return std::nullopt;
}

Result<Token> token_by_symbol(std::string_view key, std::string_view written,
                              std::string_view network, std::string_view symbol)
{
    const Asset *known = find_asset_by_symbol(network, symbol);
    if (known == nullptr) {
        std::string advice = "names no token that is known on ";
        advice.append(network);
        advice.append(": write its address as asset=0x..., with decimals=");
        return objection(key, written, advice);
    }
    return Token{known->address, known};
}

// The token a price or amount is in: the written one, the one a price names,
// or what a dollar means on that network.
Result<Token> resolve_token(const AcceptTerms &terms, std::string_view network,
                            std::string_view symbol)
{
    if (!terms.asset.empty() && !symbol.empty()) {
        return objection("price", terms.price,
                         "names a token, and asset= is written as well: leave "
                         "out one of them");
    }
    if (!symbol.empty()) {
        return token_by_symbol("price", terms.price, network, symbol);
    }
    if (terms.asset.empty()) {
        const Asset *known = default_asset(network);
        if (known == nullptr) {
            return objection("network", terms.network,
                             "has no token that dollars stand for: write "
                             "asset=0x..., decimals= and "
                             "'extra={\"name\":\"...\",\"version\":\"...\"}'");
        }
        return Token{known->address, known};
    }
    if (terms.asset.compare(0, 2, "0x") != 0) {
        return token_by_symbol("asset", terms.asset, network, terms.asset);
    }
    std::optional<Problem> problem = check_address("asset", terms.asset);
    if (problem) {
        return *problem;
    }
    return Token{terms.asset, find_asset_by_address(network, terms.asset)};
}

std::optional<unsigned> parse_decimals(std::string_view text)
{
    const char *last = text.data() + text.size();
    unsigned decimals = 0;
    auto [end, error] = std::from_chars(text.data(), last, decimals);
    if (error != std::errc() || end != last || decimals > kMaxDecimals) {
        return std::nullopt;
    }
    return decimals;
}

// Nothing in the value when the decimals are neither written nor known.
Result<std::optional<unsigned>> resolve_decimals(const AcceptTerms &terms,
                                                 const Token &token)
{
    std::optional<unsigned> known;
    if (token.known != nullptr) {
        known = token.known->decimals;
    }
    if (terms.decimals.empty()) {
        return known;
    }
    std::optional<unsigned> written = parse_decimals(terms.decimals);
    if (!written) {
        return objection("decimals", terms.decimals,
                         "is no number of decimals: write a number from 0 to "
                             + std::to_string(kMaxDecimals));
    }
    if (known && written != known) {
        return objection("decimals", terms.decimals,
                         "is wrong, " + described(*token.known) + " has "
                             + std::to_string(*known)
                             + ": leave decimals= out");
    }
    return written;
}

Result<std::string> resolve_amount(const AcceptTerms &terms, const Token &token,
                                   std::string_view number)
{
    Result<std::optional<unsigned>> decimals = resolve_decimals(terms, token);
    if (!decimals) {
        return decimals.problem();
    }
    if (!terms.amount.empty()) {
        if (!is_atomic_amount(terms.amount)) {
            return objection("amount", terms.amount,
                             "is no whole number of the asset's smallest unit: "
                             "write digits only, without leading zeros");
        }
        return terms.amount;
    }
    if (!decimals.value()) {
        return objection("asset", terms.asset,
                         "is not known, so its decimals are needed for a "
                         "price: write decimals=, or amount= instead");
    }
    Result<std::string> amount = to_atomic_amount(number, *decimals.value());
    if (!amount) {
        return Problem{"price " + amount.problem().text};
    }
    return amount;
}

// Faults that show without knowing network or token.
std::optional<Problem> check_words(const AcceptTerms &terms)
{
    std::optional<Problem> variable = find_variable(terms);
    if (variable) {
        return variable;
    }
    if (!terms.scheme.empty() && terms.scheme != "exact") {
        return objection("scheme", terms.scheme,
                         "is not served yet: write exact, or leave it out");
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
        return objection("amount", terms.amount,
                         "counts the smallest units of an asset that is not "
                         "named: write asset= as well, or price= instead");
    }
    if (terms.timeout_seconds == 0) {
        return Problem{
            "a timeout of 0 leaves no time to pay: write 60s or more"};
    }
    return std::nullopt;
}

}  // namespace

Result<PaymentRequirements> build_requirements(const AcceptTerms &terms)
{
    std::optional<Problem> problem = check_words(terms);
    if (problem) {
        return *problem;
    }
    Result<std::string> network = resolve_network(terms);
    if (!network) {
        return network.problem();
    }
    PriceText price;
    if (!terms.price.empty()) {
        Result<PriceText> parsed = parse_price_text(terms.price);
        if (!parsed) {
            return parsed.problem();
        }
        price = parsed.value();
    }
    Result<Token> token = resolve_token(terms, network.value(), price.symbol);
    if (!token) {
        return token.problem();
    }
    const Asset *known = token->known;
    if (known != nullptr && known->method != TransferMethod::eip3009) {
        return Problem{described(*known)
                       + " can only be paid by permit2, "
                         "which is not served yet: write "
                         "another asset or network"};
    }
    problem = check_pay_to(terms, token.value());
    if (problem) {
        return *problem;
    }
    Result<std::string> amount =
        resolve_amount(terms, token.value(), price.number);
    if (!amount) {
        return amount.problem();
    }
    Result<JsonDocument> extra =
        resolve_extra(terms.extra, token->address, token->known);
    if (!extra) {
        return extra.problem();
    }

    PaymentRequirements requirements;
    requirements.scheme = "exact";
    requirements.network = std::move(network.value());
    requirements.amount = std::move(amount.value());
    requirements.asset = token->address;
    requirements.pay_to = terms.pay_to;
    requirements.max_timeout_seconds = terms.timeout_seconds;
    requirements.extra = std::move(extra.value());
    requirements.decimals = resolve_decimals(terms, token.value()).value();
    return requirements;
}

}  // namespace x402
