// `extra` of a requirement: what is known of the asset, the operator's own
// members laid over it. Part of building requirements (accept_terms.hpp).
#ifndef X402_POLICY_ACCEPT_EXTRA_HPP
#define X402_POLICY_ACCEPT_EXTRA_HPP

#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "base/result.hpp"
#include "policy/asset_table.hpp"

namespace x402 {

// `<key> "<value>" <advice>`; a long value is cut, since nginx cuts the line
// and the advice stands at its end.
Problem parameter_error(std::string_view key, std::string_view value,
                        std::string_view advice);

// What an `extra` is made for. Lifetime: borrowed for the call.
struct ExtraContext {
    std::string_view scheme;   // exact or upto
    std::string_view network;  // CAIP-2
    std::string_view address;  // of the asset
    const Asset *asset;        // nullptr: not in the table
    bool upfront;              // settled before the content
};

// `written` is the operator's JSON object, empty for none. Problem: no object,
// an assetTransferMethod or paymentFlow that is not served or does not fit, no
// EIP-712 domain for an EIP-3009 asset that is not in the table.
Result<JsonDocument> resolve_extra(const std::string &written,
                                   const ExtraContext &context);

}  // namespace x402

#endif
