// SPDX-License-Identifier: Apache-2.0
#include "policy/accept_token.hpp"

#include <charconv>
#include <system_error>
#include <utility>

#include "base/decimal_amount.hpp"
#include "policy/accept_extra.hpp"
#include "policy/evm_address.hpp"
#include "policy/ledger_address.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

// 10^77 is the largest power of ten that 256 bits can hold.
constexpr unsigned kMaxDecimals = 77;

std::string described(const Asset &asset)
{
    std::string text(asset.symbol);
    text.append(" on ");
    text.append(asset.network);
    return text;
}

Result<Token> token_by_symbol(std::string_view key, std::string_view written,
                              std::string_view network, std::string_view symbol)
{
    const Asset *known =
        find_asset_by_symbol(canonical_network(network), symbol);
    if (known == nullptr) {
        std::string advice = "names no token that is known on ";
        advice.append(network);
        advice.append(": write its address as asset=, with decimals=");
        return parameter_error(key, written, advice);
    }
    return Token{std::string(known->address), known};
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

}  // namespace

std::optional<Problem> check_pay_to(const AcceptTerms &terms,
                                    std::string_view network,
                                    const Token &token)
{
    if (terms.pay_to.empty()) {
        return Problem{"the receiving address is missing: write "
                       "pay_to=0x... or \"x402_pay_to 0x...\""};
    }
    std::string fault = address_fault(network, terms.pay_to);
    if (!fault.empty() && may_be_private_key(terms.pay_to)) {
        std::string text = "pay_to has the form of a private key, which is not "
                           "repeated here: write the address, and use another "
                           "wallet if this file was seen by others";
        text.append(fault == kMistyped ? "; as an address it " + fault : "");
        return Problem{std::move(text)};
    }
    if (!fault.empty()) {
        return parameter_error("pay_to", terms.pay_to, fault);
    }
    // Money: money sent to these two cannot be recovered.
    if (is_unowned_address(network, terms.pay_to)) {
        return parameter_error("pay_to", terms.pay_to,
                               "does not belong to anyone: write your own");
    }
    std::optional<EvmAddress> pay_to = parse_evm_address(terms.pay_to);
    if (wire_address(network, terms.pay_to) == token.address
        || (pay_to && pay_to == parse_evm_address(token.address))) {
        return parameter_error("pay_to", terms.pay_to,
                               "is the address of the token: write your own");
    }
    return std::nullopt;
}

Result<Token> resolve_token(const AcceptTerms &terms, std::string_view network,
                            std::string_view symbol)
{
    if (!terms.asset.empty() && !symbol.empty()) {
        return parameter_error(
            "price", terms.price,
            "names a token, and asset= is written as well: leave "
            "out one of them");
    }
    if (!symbol.empty()) {
        return token_by_symbol("price", terms.price, network, symbol);
    }
    if (terms.asset.empty()) {
        const Asset *known = default_asset(canonical_network(network));
        if (known == nullptr) {
            return parameter_error(
                "network", terms.network,
                "has no token that dollars stand for: write asset= "
                "and decimals=, and on eip155 networks "
                "'extra={\"name\":\"...\",\"version\":\"...\"}'");
        }
        return Token{std::string(known->address), known};
    }
    const Asset *known =
        find_asset_by_symbol(canonical_network(network), terms.asset);
    if (known != nullptr) {
        return Token{std::string(known->address), known};
    }
    std::string fault = asset_fault(network, terms.asset);
    bool word = terms.asset.compare(0, 2, "0x") != 0;
    if (!fault.empty() && word && network_family(network) == "eip155") {
        return token_by_symbol("asset", terms.asset, network, terms.asset);
    }
    if (!fault.empty()) {
        return parameter_error("asset", terms.asset, fault);
    }
    std::string address = wire_address(network, terms.asset);
    const Asset *listed =
        find_asset_by_address(canonical_network(network), address);
    return Token{std::move(address), listed};
}

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
        return parameter_error(
            "decimals", terms.decimals,
            "is not a number of decimals: write a number from 0 to "
                + std::to_string(kMaxDecimals));
    }
    if (known && written != known) {
        return parameter_error("decimals", terms.decimals,
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
            return parameter_error(
                "amount", terms.amount,
                "is not a whole number of the asset's smallest unit: "
                "write digits only, without leading zeros");
        }
        return terms.amount;
    }
    if (!decimals.value()) {
        return parameter_error("asset", terms.asset,
                               "is not known, so its decimals are needed for a "
                               "price: write decimals=, or amount= instead");
    }
    Result<std::string> amount = to_atomic_amount(number, *decimals.value());
    if (!amount) {
        return Problem{"price " + amount.problem().text};
    }
    return amount;
}

}  // namespace x402
