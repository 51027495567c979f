// SPDX-License-Identifier: Apache-2.0
// The offer for people: the module's page, and the values of variables in an
// operator's page. Called for browsers without a payment.
#ifndef X402_POLICY_PAYWALL_PAGE_HPP
#define X402_POLICY_PAYWALL_PAGE_HPP

#include <optional>
#include <string>
#include <string_view>

#include "protocol/payment_offer.hpp"
#include "protocol/payment_required.hpp"

namespace x402 {

// x402, browsers: `Accept` contains "text/html" and `User-Agent` contains
// "Mozilla", in these letters.
bool is_browser(std::string_view accept, std::string_view user_agent);

// "0.01 USDC"; "10000 units of <asset>" if the decimals are not known.
std::string readable_price(const PaymentRequirements &option);

// The value of a variable ("x402_price", "x402_pay_to", ...) before a payment:
// that of the first payment option. nullopt: nginx evaluates it.
std::optional<std::string> offered_value(const PaymentOffer &offer,
                                         std::string_view variable);

// A whole document in UTF-8, which loads nothing. `reason` says why the offer
// is made; empty: because the request is not paid. `wallet`: with the script by
// which a person pays (policy/paywall_script); else there is none.
std::string paywall_page(const PaymentOffer &offer,
                         const ResourceInfo &resource, std::string_view reason,
                         bool wallet = false);

}  // namespace x402

#endif
