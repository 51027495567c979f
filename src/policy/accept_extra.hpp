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
Problem objection(std::string_view key, std::string_view value,
                  std::string_view advice);

// `written` is the operator's JSON object, empty for none. Problem: no object,
// members that promise what is not served, no EIP-712 domain for an asset that
// is not in the table (known_asset is nullptr).
Result<JsonDocument> resolve_extra(const std::string &written,
                                   std::string_view address,
                                   const Asset *known_asset);

}  // namespace x402

#endif
