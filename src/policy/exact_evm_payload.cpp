#include "policy/exact_evm_payload.hpp"

#include <algorithm>
#include <cstddef>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxSignatureText = 16 * 1024;

// How much longer than offered a signature may be valid: claims are kept that
// long, so this bounds the zone. Clients' clocks are off by minutes.
constexpr std::int64_t kClockAllowanceSeconds = 600;

// What verify, content and settle need at least, where the offer allows it.
constexpr std::int64_t kLeastRemainingSeconds = 60;

// The member's text if it is an atomic amount, else an empty text.
std::string_view amount_member(JsonValue object, std::string_view key)
{
    std::string_view text = object[key].string();
    return is_atomic_amount(text) ? text : std::string_view();
}

}  // namespace

std::optional<Eip3009Authorization> parse_eip3009_payload(JsonValue payload)
{
    JsonValue terms = payload["authorization"];
    std::string_view signature = payload["signature"].string();
    if (payload.size() != 2 || !terms.is_object() || terms.size() != 6
        || signature.size() > kMaxSignatureText || !is_hex_bytes(signature)) {
        return std::nullopt;
    }

    std::string_view from_text = terms["from"].string();
    std::optional<EvmAddress> from = parse_evm_address(from_text);
    std::optional<EvmAddress> to = parse_evm_address(terms["to"].string());
    std::string_view value = amount_member(terms, "value");
    std::string_view valid_after = amount_member(terms, "validAfter");
    std::string_view valid_before = amount_member(terms, "validBefore");
    auto nonce = hex_decode<32>(terms["nonce"].string());
    if (!from || !to || value.empty() || valid_after.empty()
        || valid_before.empty() || !nonce) {
        return std::nullopt;
    }

    Eip3009Authorization authorization;
    authorization.from = *from;
    authorization.to = *to;
    authorization.from_text = from_text;
    authorization.value = value;
    authorization.valid_after = saturated_seconds(valid_after);
    authorization.valid_before = saturated_seconds(valid_before);
    authorization.nonce = *nonce;
    return authorization;
}

// The words are those a facilitator would have answered with (x402 v2, exact
// scheme on EVM), so that clients need to know one set only.
const char *eip3009_objection(const Eip3009Authorization &authorization,
                              const PaymentRequirements &requirements,
                              std::int64_t now)
{
    if (parse_evm_address(requirements.pay_to) != authorization.to) {
        return "invalid_exact_evm_recipient_mismatch";
    }
    if (authorization.value != requirements.amount) {
        return "invalid_exact_evm_payload_authorization_value_mismatch";
    }
    if (authorization.valid_after > now) {
        return "invalid_exact_evm_payload_authorization_valid_after";
    }
    std::int64_t offered = requirements.max_timeout_seconds;
    std::int64_t earliest = now + std::min(offered / 2, kLeastRemainingSeconds);
    std::int64_t latest = now + offered + kClockAllowanceSeconds;
    if (authorization.valid_before < earliest
        || authorization.valid_before > latest) {
        return "invalid_exact_evm_payload_authorization_valid_before";
    }
    return nullptr;
}

}  // namespace x402
