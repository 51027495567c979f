// SPDX-License-Identifier: Apache-2.0
#include "policy/scheme_payload.hpp"

#include <algorithm>
#include <utility>

#include "base/base64_codec.hpp"
#include "base/canonical_json.hpp"
#include "base/decimal_amount.hpp"
#include "base/digest_memo.hpp"
#include "policy/algorand_transaction.hpp"
#include "policy/aptos_transaction.hpp"
#include "policy/claim_key.hpp"
#include "policy/evm_address.hpp"
#include "policy/exact_evm_payload.hpp"
#include "policy/fast_payload.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "policy/permit2_payload.hpp"
#include "policy/solana_transaction.hpp"

namespace x402 {

namespace {

// How much longer than offered a signature may be valid. Claims are kept that
// long, so this limits the zone. Clocks of clients can be wrong by minutes.
constexpr std::int64_t kClockAllowanceSeconds = 600;

// The minimum time for verify, content and settle, if the offer allows it.
constexpr std::int64_t kLeastRemainingSeconds = 60;

// The clock of a client may be ahead, and the facilitator is called later.
constexpr std::int64_t kClockToleranceSeconds = 2;

Problem no_match()
{
    return Problem{std::string(kNoMatchingRequirements)};
}

Problem invalid_payload()
{
    return Problem{std::string(kInvalidPayload)};
}

Digest evm_payer_digest(const EvmAddress &payer)
{
    return remembered_sha256(
        {reinterpret_cast<const char *>(payer.data()), payer.size()});
}

Result<SchemePayload> read_eip3009(std::string_view network,
                                   std::string_view asset, JsonValue payload)
{
    auto authorization = parse_eip3009_payload(payload);
    if (!authorization) {
        return invalid_payload();
    }
    auto key = eip3009_claim_key(network, asset, *authorization);
    if (!key) {
        return no_match();
    }
    SchemePayload parsed;
    parsed.form = PaymentForm::eip3009;
    parsed.claim_key = *key;
    parsed.payer = authorization->from_text;
    parsed.payer_digest = evm_payer_digest(authorization->from);
    parsed.value = std::move(authorization->value);
    parsed.recipient = payload["authorization"]["to"].string();
    parsed.valid_after = authorization->valid_after;
    parsed.valid_before = authorization->valid_before;
    return parsed;
}

Result<SchemePayload> read_permit2(std::string_view network, bool upto,
                                   JsonValue payload)
{
    auto authorization = parse_permit2_payload(payload, upto);
    if (!authorization) {
        return invalid_payload();
    }
    auto key = permit2_claim_key(network, *authorization);
    if (!key) {
        return no_match();
    }
    SchemePayload parsed;
    parsed.form = PaymentForm::permit2;
    parsed.upto = upto;
    parsed.claim_key = *key;
    parsed.payer = authorization->from_text;
    parsed.payer_digest = evm_payer_digest(authorization->from);
    parsed.value = std::move(authorization->amount);
    parsed.recipient = authorization->to_text;
    parsed.token = authorization->token_text;
    parsed.valid_after = authorization->valid_after;
    parsed.valid_before = authorization->deadline;
    return parsed;
}

// A form that only identifies the payment.
SchemePayload silent(PaymentForm form, std::string_view word,
                     std::string_view network, std::string_view identity)
{
    SchemePayload parsed;
    parsed.form = form;
    parsed.claim_key = network_claim_key(word, network, identity);
    parsed.payer_digest = parsed.claim_key;
    return parsed;
}

std::string bytes_of(const Digest &digest)
{
    return std::string(digest.begin(), digest.end());
}

Result<SchemePayload> read_solana(std::string_view network, JsonValue payload)
{
    auto transaction = base64_decode(payload["transaction"].string());
    auto message = transaction ? solana_message(*transaction) : std::nullopt;
    if (!message || payload.size() != 1) {
        return invalid_payload();
    }
    SchemePayload parsed = silent(PaymentForm::solana, "solana", network,
                                  bytes_of(sha256(*message)));
    parsed.endless = has_durable_nonce(*message);
    return parsed;
}

Result<SchemePayload> read_algorand(std::string_view network, JsonValue payload)
{
    constexpr std::size_t kLargestGroup = 16;

    JsonValue group = payload["paymentGroup"];
    auto place = payload["paymentIndex"].integer();
    if (payload.size() != 2 || !group.is_array() || group.size() == 0
        || group.size() > kLargestGroup || !place || *place < 0
        || static_cast<std::size_t>(*place) >= group.size()) {
        return invalid_payload();
    }
    std::optional<std::string> key;
    for (std::size_t index = 0; index < group.size(); ++index) {
        auto bytes = base64_decode(group.at(index).string());
        if (!bytes || !is_msgpack_map(*bytes)) {
            return invalid_payload();
        }
        if (index == static_cast<std::size_t>(*place)) {
            key = algorand_transaction_key(*bytes);
        }
    }
    if (!key) {
        return invalid_payload();
    }
    return silent(PaymentForm::algorand, "algorand", network, *key);
}

Result<SchemePayload> read_fast(std::string_view network, JsonValue payload)
{
    auto identity = fast_identity(payload);
    if (!identity) {
        return invalid_payload();
    }
    return silent(PaymentForm::fast, "fast", network, *identity);
}

// x402, scheme exact on Aptos, Hedera, Stellar and Sui: the bytes of one
// transaction, and on Sui the payer's signature beside it.
Result<SchemePayload> read_transaction(std::string_view network,
                                       std::string_view family,
                                       JsonValue payload)
{
    bool sui = family == "sui";
    auto bytes = base64_decode(payload["transaction"].string());
    if (bytes && family == "aptos") {
        bytes = aptos_transaction(*bytes);
    }
    if (!bytes || bytes->empty() || payload.size() != (sui ? 2 : 1)
        || (sui && payload["signature"].string().empty())) {
        return invalid_payload();
    }
    return silent(PaymentForm::transaction, family, network,
                  bytes_of(sha256(*bytes)));
}

bool is_transaction_family(std::string_view family)
{
    return family == "aptos" || family == "hedera" || family == "stellar"
           || family == "sui";
}

Result<SchemePayload> read_opaque(std::string_view network, JsonValue payload)
{
    if (!payload.is_object() || payload.size() == 0) {
        return invalid_payload();
    }
    return silent(PaymentForm::opaque, "json", network,
                  bytes_of(sha256(canonical_json(payload))));
}

// The reasons are those of facilitators, so that clients need to know one set
// only.
struct ReasonWords {
    const char *recipient;
    const char *token;
    const char *value;
    const char *valid_after;
    const char *valid_before;
};

constexpr ReasonWords kEip3009Words = {
    "invalid_exact_evm_recipient_mismatch",
    "invalid_exact_evm_payload_token_mismatch",
    "invalid_exact_evm_payload_authorization_value_mismatch",
    "invalid_exact_evm_payload_authorization_valid_after",
    "invalid_exact_evm_payload_authorization_valid_before",
};

constexpr ReasonWords kPermit2Words = {
    "invalid_permit2_recipient_mismatch",
    "permit2_token_mismatch",
    "permit2_amount_mismatch",
    "permit2_not_yet_valid",
    "permit2_deadline_expired",
};

// Facilitators accept these payments: the reasons are the module's own.
constexpr const char *kTooShort = "payment_validity_too_short";
constexpr const char *kTooLong = "payment_validity_too_long";
constexpr const char *kEndless = "payment_validity_endless";

bool differs(std::string_view parsed, std::string_view offered)
{
    return !parsed.empty() && parsed != offered
           && parse_evm_address(parsed) != parse_evm_address(offered);
}

bool wrong_value(const SchemePayload &payload, const std::string &amount)
{
    if (payload.value.empty()) {
        return false;
    }
    return payload.upto ? compare_atomic_amounts(payload.value, amount) < 0
                        : payload.value != amount;
}

}  // namespace

Result<SchemePayload> read_scheme_payload(std::string_view scheme,
                                          std::string_view network,
                                          std::string_view asset,
                                          JsonValue payload)
{
    std::string id = canonical_network(network);
    std::string_view family = network_family(id);
    bool upto = scheme == "upto";
    bool evm = family == "eip155";
    bool known =
        evm ? eip155_chain_id(id).has_value() : caip2_network(id).has_value();
    if ((scheme != "exact" && !upto) || !known || (upto && !evm)) {
        return no_match();
    }
    if (evm) {
        bool permit2 = upto || payload["permit2Authorization"].exists();
        return permit2 ? read_permit2(id, upto, payload)
                       : read_eip3009(id, asset, payload);
    }
    if (family == "solana") {
        return read_solana(id, payload);
    }
    if (family == "algorand") {
        return read_algorand(id, payload);
    }
    if (is_transaction_family(family)) {
        return read_transaction(id, family, payload);
    }
    return family == "fast" ? read_fast(id, payload) : read_opaque(id, payload);
}

const char *validate_payload(const SchemePayload &payload,
                             const PaymentRequirements &requirements,
                             std::int64_t now, const ValidityLimits &limits)
{
    bool permit2 = payload.form == PaymentForm::permit2;
    const ReasonWords &words = permit2 ? kPermit2Words : kEip3009Words;
    if (differs(payload.recipient, requirements.pay_to)) {
        return words.recipient;
    }
    if (differs(payload.token, requirements.asset)) {
        return words.token;
    }
    if (wrong_value(payload, requirements.amount)) {
        return words.value;
    }
    if (payload.valid_after
        && *payload.valid_after > now + kClockToleranceSeconds) {
        return words.valid_after;
    }
    if (payload.endless && limits.must_end) {
        return kEndless;
    }
    if (!payload.valid_before) {
        return nullptr;
    }
    if (*payload.valid_before <= now) {
        return words.valid_before;
    }
    std::int64_t offered = requirements.max_timeout_seconds;
    std::int64_t least =
        limits.least.value_or(std::min(offered / 2, kLeastRemainingSeconds));
    std::int64_t most = limits.most.value_or(std::max(offered, limits.usual)
                                             + kClockAllowanceSeconds);
    if (*payload.valid_before < now + least) {
        return kTooShort;
    }
    return *payload.valid_before > now + most ? kTooLong : nullptr;
}

bool claims_outlive_payments(std::string_view caip2)
{
    std::string_view family = network_family(caip2);
    return family == "eip155" || family == "solana" || family == "algorand"
           || family == "fast";
}

}  // namespace x402
