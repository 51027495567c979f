// SPDX-License-Identifier: Apache-2.0
#include "facilitator/credit_answers.hpp"

#include <algorithm>

#include "base/json_document.hpp"
#include "base/text_excerpt.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxReasonBytes = 256;
// The limit of a receipt in a response header, before base64.
constexpr std::size_t kMaxReceiptBytes = 4096;
constexpr std::size_t kLongestId = 256;

JsonDocument read(const std::string &body)
{
    JsonLimits limits;
    limits.bytes = kMaxReplyBytes;
    auto document = JsonDocument::parse(body, limits);
    return document ? std::move(document.value()) : JsonDocument();
}

bool succeeded(const FacilitatorReply &reply)
{
    return reply.transport == Transport::answered && reply.status >= 200
           && reply.status < 300;
}

std::string shortened(std::string text)
{
    if (text.size() > kMaxReasonBytes) {
        std::size_t end = kMaxReasonBytes;
        // Not in the middle of a character.
        while (end > 0 && (text[end] & 0xc0) == 0x80) {
            end--;
        }
        text.resize(end);
    }
    return text;
}

// "<message> — <hint> (HTTP 400)"; empty: there was no explanation.
std::string explanation(JsonValue root, int status)
{
    std::string text(root["message"].string());
    if (text.empty()) {
        return text;
    }
    std::string_view hint = root["hint"].string();
    if (!hint.empty()) {
        text += " \xe2\x80\x94 " + std::string(hint);
    }
    return shortened(text) + " (HTTP " + std::to_string(status) + ")";
}

bool is_word(std::string_view text)
{
    for (char byte : text) {
        if (byte <= 0x20 || byte >= 0x7f) {
            return false;
        }
    }
    return !text.empty() && text.size() <= kLongestId;
}

}  // namespace

VerifyAnswer read_token_verify_answer(const FacilitatorReply &reply)
{
    VerifyAnswer answer = read_verify_answer(reply);
    if (answer.verdict == VerifyVerdict::valid) {
        return answer;
    }
    if (answer.verdict == VerifyVerdict::invalid && !answer.reason.empty()) {
        return answer;
    }
    if (reply.transport == Transport::answered) {
        JsonDocument document = read(reply.body);
        answer.reason = explanation(document.root(), reply.status);
        // Only the operator can correct a rejected key; every other refusal
        // with an explanation may concern the token.
        bool refusal = reply.status >= 400 && reply.status < 500
                       && reply.status != 401 && reply.status != 429;
        if (!answer.reason.empty() && refusal) {
            answer.verdict = VerifyVerdict::invalid;
        }
    }
    if (answer.reason.empty()) {
        answer.reason = answer.verdict == VerifyVerdict::invalid
                            ? "The payment token is not valid"
                            : "The payment could not be verified";
    }
    return answer;
}

std::string agent_request_of(const std::string &verify_body)
{
    JsonDocument document = read(verify_body);
    std::string_view id = document.root()["agentRequestId"].string();
    return is_word(id) ? std::string(id) : std::string();
}

SettleAnswer read_token_settle_answer(const FacilitatorReply &reply,
                                      const SettleExpectation &expected)
{
    JsonDocument document;
    if (succeeded(reply)) {
        document = read(reply.body);
    }
    JsonValue root = document.root();
    if (!root["success"].is_boolean()) {
        SettleAnswer answer = read_settle_answer(reply, expected);
        answer.receipt.clear();
        if (answer.verdict == SettleVerdict::pending) {
            answer.verdict = SettleVerdict::unknown;  // never tried again
        }
        return answer;
    }
    SettleAnswer answer;
    answer.verdict = root["success"].is_true() ? SettleVerdict::paid
                                               : SettleVerdict::refused;
    answer.reason = shortened(std::string(root["errorReason"].string()));
    answer.transaction = std::string(root["transaction"].string());
    answer.detail = "status " + std::to_string(reply.status) + ", body \""
                    + log_excerpt(reply.body) + "\"";
    root.write(answer.receipt);
    if (answer.receipt.size() > kMaxReceiptBytes) {
        answer.receipt = root["success"].is_true() ? "{\"success\":true}"
                                                   : "{\"success\":false}";
    }
    return answer;
}

std::optional<PlanKind> read_plan_answer(const FacilitatorReply &reply)
{
    if (!succeeded(reply)) {
        return std::nullopt;
    }
    JsonDocument document = read(reply.body);
    JsonValue is_crypto = document.root()["registry"]["price"]["isCrypto"];
    if (!is_crypto.is_boolean()) {
        return std::nullopt;
    }
    PlanKind kind;
    if (!is_crypto.is_true()) {
        kind.scheme = std::string(kCardPlan);
        std::string_view provider =
            document.root()["metadata"]["plan"]["fiatPaymentProvider"].string();
        if (is_word(provider)) {
            kind.card_network = std::string(provider);
        }
    }
    return kind;
}

}  // namespace x402
