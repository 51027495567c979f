// SPDX-License-Identifier: Apache-2.0
#include "protocol/settlement_receipt.hpp"

#include <cstddef>

#include "base/json_text.hpp"

namespace x402 {

namespace {

enum class MemberType { text, object };

struct ReceiptMember {
    std::string_view name;
    MemberType type;
};

// x402 v2, SettleResponse: the members after `success`, in the schema's order.
constexpr ReceiptMember kMembers[] = {
    {"errorReason", MemberType::text},  {"errorMessage", MemberType::text},
    {"payer", MemberType::text},        {"transaction", MemberType::text},
    {"network", MemberType::text},      {"amount", MemberType::text},
    {"extensions", MemberType::object}, {"extra", MemberType::object},
};

// Clients read 16 KB of header in all; base64 makes this 8 KB. A payer that
// cannot read the response has paid for nothing.
constexpr std::size_t kMostReceiptBytes = 6 * 1024;

std::string open_receipt(bool success)
{
    std::string receipt;
    receipt.reserve(256);
    receipt.append(success ? "{\"success\":true" : "{\"success\":false");
    return receipt;
}

}  // namespace

std::string settlement_receipt_json(JsonValue settle_answer, bool success)
{
    std::string receipt = open_receipt(success);
    for (const ReceiptMember &member : kMembers) {
        JsonValue value = settle_answer[member.name];
        bool typed = member.type == MemberType::text ? value.is_string()
                                                     : value.is_object();
        if (!typed) {
            continue;
        }
        std::size_t before = receipt.size();
        append_json_key(receipt, member.name);
        value.write(receipt);
        if (receipt.size() >= kMostReceiptBytes) {
            receipt.resize(before);
        }
    }
    receipt.push_back('}');
    return receipt;
}

std::string settlement_receipt_json(bool success, std::string_view payer,
                                    std::string_view transaction,
                                    std::string_view network)
{
    std::string receipt = open_receipt(success);
    append_json_key(receipt, "payer");
    append_json_string(receipt, payer);
    append_json_key(receipt, "transaction");
    append_json_string(receipt, transaction);
    append_json_key(receipt, "network");
    append_json_string(receipt, network);
    receipt.push_back('}');
    return receipt;
}

}  // namespace x402
