// SPDX-License-Identifier: Apache-2.0
// The receipt that a client gets in PAYMENT-RESPONSE (x402 v2, SettleResponse),
// before base64.
#ifndef X402_PROTOCOL_SETTLEMENT_RECEIPT_HPP
#define X402_PROTOCOL_SETTLEMENT_RECEIPT_HPP

#include <string>
#include <string_view>

#include "base/json_document.hpp"

namespace x402 {

// The facilitator's settle answer, reduced to the members of the schema in its
// order: success, errorReason, errorMessage, payer, transaction, network,
// amount, extensions, extra. Nulls are dropped, empty strings kept. Members of
// a wrong type are dropped, too, and members that would make the receipt longer
// than 6 KB, more than clients accept in a header. `success` is written as the
// JSON true or false given.
std::string settlement_receipt_json(JsonValue settle_answer, bool success);

// The module's own receipt, for a settlement whose answer never arrived:
// success, payer, transaction, network.
std::string settlement_receipt_json(bool success, std::string_view payer,
                                    std::string_view transaction,
                                    std::string_view network);

}  // namespace x402

#endif
