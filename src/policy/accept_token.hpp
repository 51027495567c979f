// SPDX-License-Identifier: Apache-2.0
// Token, receiver and amount of one x402_accept. Part of building requirements
// (accept_terms.hpp).
#ifndef X402_POLICY_ACCEPT_TOKEN_HPP
#define X402_POLICY_ACCEPT_TOKEN_HPP

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "policy/accept_terms.hpp"
#include "policy/asset_table.hpp"

namespace x402 {

// The token of one offer, as it is sent.
struct Token {
    std::string address;
    const Asset *known = nullptr;
};

// The token of a price or amount: the written one, the one that a price names
// (`symbol`), or the dollar token of that network (CAIP-2).
Result<Token> resolve_token(const AcceptTerms &terms, std::string_view network,
                            std::string_view symbol);

// An empty value if the decimals are neither written nor known.
Result<std::optional<unsigned>> resolve_decimals(const AcceptTerms &terms,
                                                 const Token &token);

// Atomic units: terms.amount, or `number` (of the price) in the token.
Result<std::string> resolve_amount(const AcceptTerms &terms, const Token &token,
                                   std::string_view number);

// nullopt: terms.pay_to may be paid on that network in that token.
std::optional<Problem> check_pay_to(const AcceptTerms &terms,
                                    std::string_view network,
                                    const Token &token);

}  // namespace x402

#endif
