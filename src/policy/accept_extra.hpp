// SPDX-License-Identifier: Apache-2.0
// `extra` of a requirement: what is known of the asset, with the operator's
// members merged over it. Part of building requirements (accept_terms.hpp).
#ifndef X402_POLICY_ACCEPT_EXTRA_HPP
#define X402_POLICY_ACCEPT_EXTRA_HPP

#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "base/result.hpp"
#include "policy/asset_table.hpp"

namespace x402 {

// `<key> "<value>" <advice>`; a long value is cut, because nginx cuts the line
// and the advice is at its end.
Problem parameter_error(std::string_view key, std::string_view value,
                        std::string_view advice);

// The context of an `extra`. Lifetime: borrowed for the call.
struct ExtraContext {
    std::string_view scheme;   // exact or upto
    std::string_view network;  // CAIP-2
    std::string_view address;  // of the asset
    const Asset *asset;        // nullptr: not in the table
    bool upfront;              // settled before the content
};

// `written` is the operator's JSON object; empty: none. Problem: not an object,
// an assetTransferMethod or paymentFlow that is not supported or does not fit,
// no EIP-712 domain for an EIP-3009 asset that is not in the table.
Result<JsonDocument> resolve_extra(const std::string &written,
                                   const ExtraContext &context);

}  // namespace x402

#endif
