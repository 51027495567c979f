// The offer as people see it: a page of ours, and the values that a page of the
// operator's may name. Called for browsers that brought no payment.
#ifndef X402_POLICY_PAYWALL_PAGE_HPP
#define X402_POLICY_PAYWALL_PAGE_HPP

#include <optional>
#include <string>
#include <string_view>

#include "protocol/payment_offer.hpp"
#include "protocol/payment_required.hpp"

namespace x402 {

// x402, browsers: `Accept` has "text/html" and `User-Agent` has "Mozilla", in
// these letters.
bool is_browser(std::string_view accept, std::string_view user_agent);

// "0.01 USDC"; "10000 units of <asset>" where decimals are not known.
std::string readable_price(const PaymentRequirements &option);

// The value of a variable ("x402_price", "x402_pay_to", ...) while nothing is
// paid yet: that of the first payment option. nullopt: no such, it is nginx's.
std::optional<std::string> offered_value(const PaymentOffer &offer,
                                         std::string_view variable);

// A whole document in UTF-8: no script, nothing from elsewhere. `reason` says
// why this offer is made; empty: because nobody has paid.
std::string paywall_page(const PaymentOffer &offer,
                         const ResourceInfo &resource, std::string_view reason);

}  // namespace x402

#endif
