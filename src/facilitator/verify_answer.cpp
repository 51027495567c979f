// SPDX-License-Identifier: Apache-2.0
#include "facilitator/verify_answer.hpp"

#include <algorithm>

#include "base/json_document.hpp"
#include "base/text_excerpt.hpp"

namespace x402 {

namespace {

// The limit for the payer of a refused payment; an address is much shorter.
constexpr std::size_t kLongestPayer = 128;

// Longer reasons are cut: the text goes into a response header.
constexpr std::size_t kMaxReasonBytes = 256;

JsonLimits reply_limits()
{
    JsonLimits limits;
    limits.bytes = kMaxReplyBytes;
    return limits;
}

bool is_text_or_nothing(JsonValue value)
{
    return !value.exists() || value.is_null() || value.is_string();
}

std::string invalid_reason(JsonValue answer, bool success_status)
{
    std::string reason(answer["invalidReason"].string());
    std::string_view message = answer["invalidMessage"].string();
    if (!success_status && !message.empty()) {
        reason = (reason.empty() ? "unknown reason" : reason) + ": "
                 + std::string(message);
    }
    reason.resize(std::min(reason.size(), kMaxReasonBytes));
    return reason;
}

VerifyAnswer read_status_alone(const FacilitatorReply &reply)
{
    VerifyAnswer answer;
    answer.detail = "status " + std::to_string(reply.status) + ", body \""
                    + log_excerpt(reply.body) + "\"";
    if (reply.status == 429) {
        answer.verdict = VerifyVerdict::rate_limited;
    } else if (reply.status == 401 || reply.status == 403 || reply.status == 404
               || (reply.status >= 300 && reply.status < 400)) {
        answer.verdict = VerifyVerdict::operator_fault;
    }
    return answer;
}

}  // namespace

VerifyAnswer read_verify_answer(const FacilitatorReply &reply)
{
    VerifyAnswer answer;
    answer.detail = reply.detail;

    if (reply.transport != Transport::answered) {
        bool late = reply.transport == Transport::timed_out
                    || reply.transport == Transport::no_connection;
        answer.verdict =
            late ? VerifyVerdict::timed_out : VerifyVerdict::broken;
        return answer;
    }

    bool success_status = reply.status >= 200 && reply.status < 300;
    bool client_status = reply.status >= 400 && reply.status < 500;
    if (!success_status && !client_status) {
        return read_status_alone(reply);
    }

    auto document = JsonDocument::parse(reply.body, reply_limits());
    JsonValue root = document ? document->root() : JsonValue();
    JsonValue is_valid = root["isValid"];
    if (!is_valid.is_boolean()) {
        return read_status_alone(reply);
    }

    if (!is_valid.is_true()) {
        answer.verdict = VerifyVerdict::invalid;
        answer.reason = invalid_reason(root, success_status);
        if (root["payer"].string().size() <= kLongestPayer) {
            answer.payer = std::string(root["payer"].string());
        }
        return answer;
    }
    // "valid" with an error status, or with a payer that is not a string, is
    // not accepted as valid.
    if (!success_status || !is_text_or_nothing(root["payer"])) {
        return read_status_alone(reply);
    }
    answer.verdict = VerifyVerdict::valid;
    answer.payer = std::string(root["payer"].string());
    return answer;
}

}  // namespace x402
