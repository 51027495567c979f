// The receipt a client gets in PAYMENT-RESPONSE (x402 v2, SettleResponse),
// before base64.
#ifndef X402_PROTOCOL_SETTLEMENT_RECEIPT_HPP
#define X402_PROTOCOL_SETTLEMENT_RECEIPT_HPP

#include <string>
#include <string_view>

#include "base/json_document.hpp"

namespace x402 {

// The facilitator's settle answer reduced to the members of the schema, in its
// order: success, errorReason, errorMessage, payer, transaction, network,
// amount, extensions, extra. Nulls are dropped, empty strings kept; dropped as
// well are members of a wrong type, and those with which the receipt would be
// longer than 6 KB, more than clients take in a header. `success` is written as
// the JSON true or false given.
std::string settlement_receipt_json(JsonValue settle_answer, bool success);

// A receipt of ours, for a settlement whose answer never arrived:
// success, payer, transaction, network.
std::string settlement_receipt_json(bool success, std::string_view payer,
                                    std::string_view transaction,
                                    std::string_view network);

}  // namespace x402

#endif
