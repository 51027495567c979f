#include "facilitator/refusal_reasons.hpp"

namespace x402 {

namespace {

// Reasons of scheme exact on EVM, of today's facilitators and of older ones,
// and the scheme-neutral ones of the specification.
constexpr std::string_view kPreBroadcast[] = {
    "asset_not_deployed_contract",
    "eip6492_factory_not_allowed",
    "expired",
    "insufficient_balance",
    "insufficient_funds",
    "invalid_exact_evm_authorization_value",
    "invalid_exact_evm_eip3009_not_supported",
    "invalid_exact_evm_failed_to_parse_signature",
    "invalid_exact_evm_insufficient_balance",
    "invalid_exact_evm_missing_eip712_domain",
    "invalid_exact_evm_network_mismatch",
    "invalid_exact_evm_nonce_already_used",
    "invalid_exact_evm_payload_authorization_valid_after",
    "invalid_exact_evm_payload_authorization_valid_before",
    "invalid_exact_evm_payload_authorization_value",
    "invalid_exact_evm_payload_authorization_value_mismatch",
    "invalid_exact_evm_payload_recipient_mismatch",
    "invalid_exact_evm_payload_signature",
    "invalid_exact_evm_payload_undeployed_smart_wallet",
    "invalid_exact_evm_recipient_mismatch",
    "invalid_exact_evm_scheme",
    "invalid_exact_evm_signature",
    "invalid_exact_evm_token_name_mismatch",
    "invalid_exact_evm_token_version_mismatch",
    "invalid_exact_evm_transaction_simulation_failed",
    "invalid_network",
    "invalid_payload",
    "invalid_payment",
    "invalid_payment_requirements",
    "invalid_scheme",
    "invalid_signature",
    "invalid_x402_version",
    "permit2_invalid_nonce",
};

constexpr std::string_view kMinedRevert[] = {
    "transaction_failed",
    "invalid_exact_evm_transaction_failed",
};

// A signature that a contract judges may become good with that contract; the
// minute for which these are believed is short enough for it.
constexpr std::string_view kLasting[] = {
    "invalid_exact_evm_authorization_value",
    "invalid_exact_evm_failed_to_parse_signature",
    "invalid_exact_evm_network_mismatch",
    "invalid_exact_evm_payload_authorization_value",
    "invalid_exact_evm_payload_authorization_value_mismatch",
    "invalid_exact_evm_payload_recipient_mismatch",
    "invalid_exact_evm_payload_signature",
    "invalid_exact_evm_recipient_mismatch",
    "invalid_exact_evm_scheme",
    "invalid_exact_evm_signature",
    "invalid_exact_evm_token_name_mismatch",
    "invalid_exact_evm_token_version_mismatch",
    "invalid_payload",
    "invalid_scheme",
    "invalid_signature",
    "invalid_x402_version",
};

template <std::size_t N>
bool is_listed(const std::string_view (&list)[N], std::string_view reason)
{
    for (std::string_view entry : list) {
        if (entry == reason) {
            return true;
        }
    }
    return false;
}

bool ends_with(std::string_view text, std::string_view tail)
{
    return text.size() >= tail.size()
           && text.substr(text.size() - tail.size()) == tail;
}

}  // namespace

bool is_pre_broadcast_reason(std::string_view reason)
{
    constexpr std::string_view kUnsupported = "unsupported_";
    return reason.substr(0, kUnsupported.size()) == kUnsupported
           || is_listed(kPreBroadcast, reason) || is_nonce_used_reason(reason);
}

bool is_nonce_used_reason(std::string_view reason)
{
    return reason == "permit2_invalid_nonce"
           || ends_with(reason, "_nonce_already_used");
}

bool is_mined_revert_reason(std::string_view reason)
{
    return is_listed(kMinedRevert, reason);
}

bool is_lasting_reason(std::string_view reason)
{
    return is_listed(kLasting, reason);
}

}  // namespace x402
