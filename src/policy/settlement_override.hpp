// SPDX-License-Identifier: Apache-2.0
// The final amount of the scheme `upto`: the upstream's header
// Settlement-Overrides.
#ifndef X402_POLICY_SETTLEMENT_OVERRIDE_HPP
#define X402_POLICY_SETTLEMENT_OVERRIDE_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// The atomic units to settle, from the last header's value; `count` is the
// number of such headers. None: the requirement's amount, which is the maximum.
// The value is JSON, {"amount": text}: "1000" atomic units, "33.33%" of the
// maximum (at most two digits after the point), "$0.05" in the asset's
// decimals, the last two rounded down. "0" is a valid amount. Problem (for the
// log): anything else, several headers, dollars if the decimals are not known,
// more than the maximum.
Result<std::string> settlement_amount(std::string_view value, std::size_t count,
                                      const PaymentRequirements &requirements);

}  // namespace x402

#endif
