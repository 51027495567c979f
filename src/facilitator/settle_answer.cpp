// SPDX-License-Identifier: Apache-2.0
#include "facilitator/settle_answer.hpp"

#include <algorithm>

#include "base/decimal_amount.hpp"
#include "base/json_document.hpp"
#include "base/text_excerpt.hpp"
#include "facilitator/facilitator_port.hpp"
#include "facilitator/settle_reasons.hpp"
#include "policy/evm_address.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "protocol/settlement_receipt.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxReasonBytes = 256;

bool same_payer(std::string_view named, std::string_view expected)
{
    if (named == expected) {
        return true;
    }
    auto left = parse_evm_address(named);
    return left && left == parse_evm_address(expected);
}

bool same_network(std::string_view named, std::string_view expected)
{
    return named == expected
           || canonical_network(named) == canonical_network(expected);
}

// A value that is not a string has an empty text, which is not an amount.
bool is_amount_asked(std::string_view amount, const SettleExpectation &expected)
{
    if (!expected.at_most) {
        return !amount.empty() && amount == expected.amount;
    }
    auto named = atomic_amount_bytes(amount);
    auto asked = atomic_amount_bytes(expected.amount);
    return named && asked && *named <= *asked;
}

// Some facilitators write an empty text for a member they leave out.
bool is_given(JsonValue value)
{
    return value.exists() && !value.is_null()
           && !(value.is_string() && value.string().empty());
}

// nullptr: the answer reports success of exactly this request; otherwise what
// is wrong with it.
const char *validate_success(JsonValue root, const SettleExpectation &expected)
{
    if (!root["transaction"].is_string()) {
        return "success without a transaction member";
    }
    JsonValue network = root["network"];
    if (!network.is_string()
        || !same_network(network.string(), expected.network)) {
        return "success on another network";
    }
    // Not every form of payment names its payer before it is settled.
    JsonValue payer = root["payer"];
    if (is_given(payer) && !expected.payer.empty()
        && (!payer.is_string()
            || !same_payer(payer.string(), expected.payer))) {
        return "success for another payer";
    }
    JsonValue amount = root["amount"];
    if (is_given(amount) && !is_amount_asked(amount.string(), expected)) {
        return "success with another amount";
    }
    return nullptr;
}

SettleVerdict read_refusal(JsonValue root, const SettleExpectation &expected)
{
    std::string_view reason = root["errorReason"].string();
    if (!root["transaction"].string().empty()) {
        if (reason == "settlement_pending") {
            return SettleVerdict::pending;
        }
        std::string network = canonical_network(expected.network);
        return is_mined_revert(reason, root["errorMessage"].string(),
                               network_family(network))
                   ? SettleVerdict::refused
                   : SettleVerdict::unknown;
    }
    if (is_nonce_used_reason(reason)) {
        return SettleVerdict::nonce_used;
    }
    return is_pre_broadcast_reason(reason) ? SettleVerdict::refused
                                           : SettleVerdict::unknown;
}

SettleVerdict read_status_alone(int status)
{
    if (status == 429) {
        return SettleVerdict::rate_limited;
    }
    if (status == 401 || status == 403 || status == 404
        || (status >= 300 && status < 400)) {
        return SettleVerdict::operator_fault;
    }
    return SettleVerdict::unknown;
}

// The answer, for the log.
std::string shown(const FacilitatorReply &reply)
{
    return "status " + std::to_string(reply.status) + ", body \""
           + log_excerpt(reply.body) + "\"";
}

SettleAnswer read_body(const FacilitatorReply &reply, JsonValue root,
                       const SettleExpectation &expected)
{
    SettleAnswer answer;
    std::string_view reason = root["errorReason"].string();
    answer.reason = std::string(reason);
    answer.reason.resize(std::min(answer.reason.size(), kMaxReasonBytes));
    answer.transaction = std::string(root["transaction"].string());

    if (root["success"].is_true()) {
        const char *error = validate_success(root, expected);
        if (reply.status < 200 || reply.status >= 300) {
            error = "success with an error status";
        }
        if (error == nullptr) {
            answer.verdict = SettleVerdict::paid;
            answer.receipt = settlement_receipt_json(root, true);
        } else {
            answer.detail = std::string(error) + ", " + shown(reply);
        }
        return answer;
    }

    answer.detail = shown(reply);
    // A transaction of a wrong type may hide one that was sent.
    JsonValue transaction = root["transaction"];
    if (is_given(transaction) && !transaction.is_string()) {
        return answer;
    }
    answer.verdict = read_refusal(root, expected);
    if (answer.verdict == SettleVerdict::refused
        || answer.verdict == SettleVerdict::nonce_used) {
        answer.receipt = settlement_receipt_json(root, false);
    }
    return answer;
}

}  // namespace

SettleAnswer read_settle_answer(const FacilitatorReply &reply,
                                const SettleExpectation &expected)
{
    SettleAnswer answer;
    answer.detail = reply.detail;

    if (reply.transport != Transport::answered) {
        bool not_sent = reply.transport == Transport::not_sent
                        || reply.transport == Transport::no_connection;
        answer.verdict =
            not_sent ? SettleVerdict::not_sent : SettleVerdict::unknown;
        return answer;
    }

    bool body_counts = (reply.status >= 200 && reply.status < 300)
                       || (reply.status >= 400 && reply.status < 500);
    JsonLimits limits;
    limits.bytes = kMaxReplyBytes;
    auto document = JsonDocument::parse(reply.body, limits);
    JsonValue root = document ? document->root() : JsonValue();

    if (body_counts && root["success"].is_boolean()) {
        return read_body(reply, root, expected);
    }

    answer.verdict = read_status_alone(reply.status);
    answer.detail = shown(reply);
    return answer;
}

}  // namespace x402
