#include "policy/scheme_payload.hpp"

#include <algorithm>

#include "policy/claim_key.hpp"
#include "policy/evm_address.hpp"
#include "policy/exact_evm_payload.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

// How much longer than offered a signature may be valid: claims are kept that
// long, so this bounds the zone. Clients' clocks are off by minutes.
constexpr std::int64_t kClockAllowanceSeconds = 600;

// What verify, content and settle need at least, where the offer allows it.
constexpr std::int64_t kLeastRemainingSeconds = 60;

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
    return sha256({reinterpret_cast<const char *>(payer.data()), payer.size()});
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
    SchemePayload said;
    said.form = PaymentForm::eip3009;
    said.claim_key = *key;
    said.payer = authorization->from_text;
    said.payer_digest = evm_payer_digest(authorization->from);
    said.value = authorization->value;
    said.recipient = payload["authorization"]["to"].string();
    said.valid_after = authorization->valid_after;
    said.valid_before = authorization->valid_before;
    return said;
}

// The words are those a facilitator would have answered with, so that clients
// need to know one set only.
struct ReasonWords {
    const char *recipient;
    const char *value;
    const char *valid_after;
    const char *valid_before;
};

constexpr ReasonWords kEip3009Words = {
    "invalid_exact_evm_recipient_mismatch",
    "invalid_exact_evm_payload_authorization_value_mismatch",
    "invalid_exact_evm_payload_authorization_valid_after",
    "invalid_exact_evm_payload_authorization_valid_before",
};

}  // namespace

Result<SchemePayload> read_scheme_payload(std::string_view scheme,
                                          std::string_view network,
                                          std::string_view asset,
                                          JsonValue payload)
{
    if (scheme != "exact" || !eip155_chain_id(canonical_network(network))) {
        return no_match();
    }
    return read_eip3009(network, asset, payload);
}

const char *payload_objection(const SchemePayload &payload,
                              const PaymentRequirements &requirements,
                              std::int64_t now)
{
    const ReasonWords &words = kEip3009Words;
    if (!payload.recipient.empty()
        && parse_evm_address(payload.recipient)
               != parse_evm_address(requirements.pay_to)) {
        return words.recipient;
    }
    if (!payload.value.empty() && payload.value != requirements.amount) {
        return words.value;
    }
    if (payload.valid_after && *payload.valid_after > now) {
        return words.valid_after;
    }
    std::int64_t offered = requirements.max_timeout_seconds;
    std::int64_t earliest = now + std::min(offered / 2, kLeastRemainingSeconds);
    std::int64_t latest = now + offered + kClockAllowanceSeconds;
    if (payload.valid_before
        && (*payload.valid_before < earliest
            || *payload.valid_before > latest)) {
        return words.valid_before;
    }
    return nullptr;
}

}  // namespace x402
