// SPDX-License-Identifier: Apache-2.0
#include "facilitator/settle_reasons.hpp"

#include "base/text_prefix.hpp"

#include <algorithm>
#include <iterator>

namespace x402 {

namespace {

// Sorted by bytes for a binary search. t/vectors/facilitator-words.json lists
// the facilitators that use each reason, and why it is a proof.
constexpr std::string_view kPreBroadcast[] = {
    "Amount mismatch",
    "Asset mismatch",
    "Close-to transactions are not allowed",
    "Facilitator signer cannot be the payment sender",
    "Failed to sign fee payer transaction",
    "Fee payer transaction fee exceeds maximum",
    "Fee payer transaction has invalid parameters",
    "Invalid payload format",
    "Invalid transaction encoding",
    "Key registration transactions are not allowed",
    "Payment amount does not match requirements",
    "Payment asset does not match requirements",
    "Payment index out of bounds",
    "Payment receiver does not match payTo address",
    "Payment transaction is not an asset transfer",
    "Payment transaction is not signed",
    "Payment transaction signature does not match sender",
    "Receiver mismatch",
    "Rekey transactions are not allowed",
    "Transaction genesis hash does not match expected network",
    "Transaction group exceeds maximum size",
    "Transaction simulation failed",
    "Transactions have inconsistent group IDs",
    "Unsigned transaction from non-facilitator address",
    "asset_not_deployed_contract",
    "eip6492_factory_not_allowed",
    "erc20_approval_asset_mismatch",
    "erc20_approval_from_mismatch",
    "erc20_approval_spender_not_permit2",
    "erc20_approval_tx_invalid_calldata",
    "erc20_approval_tx_invalid_signature",
    "erc20_approval_tx_parse_failed",
    "erc20_approval_tx_signer_mismatch",
    "erc20_approval_tx_wrong_selector",
    "erc20_approval_tx_wrong_spender",
    "erc20_approval_tx_wrong_target",
    "expired",
    "fee_payer_not_managed_by_facilitator",
    "insufficient_balance",
    "insufficient_funds",
    "invalid_erc20_approval_extension_format",
    "invalid_exact_avm_amount_mismatch",
    "invalid_exact_avm_asset_mismatch",
    "invalid_exact_avm_facilitator_transferring",
    "invalid_exact_avm_fee_too_high",
    "invalid_exact_avm_group_size_exceeded",
    "invalid_exact_avm_invalid_fee_payer",
    "invalid_exact_avm_invalid_group_id",
    "invalid_exact_avm_invalid_signature",
    "invalid_exact_avm_invalid_transaction",
    "invalid_exact_avm_invalid_version",
    "invalid_exact_avm_network_mismatch",
    "invalid_exact_avm_not_asset_transfer",
    "invalid_exact_avm_payment_index",
    "invalid_exact_avm_payment_not_signed",
    "invalid_exact_avm_receiver_mismatch",
    "invalid_exact_avm_scheme",
    "invalid_exact_avm_settlement_failed",
    "invalid_exact_avm_simulation_failed",
    "invalid_exact_avm_unsigned_non_facilitator",
    "invalid_exact_evm_authorization_value",
    "invalid_exact_evm_eip3009_not_supported",
    "invalid_exact_evm_extra_field",
    "invalid_exact_evm_failed_to_check_deployment",
    "invalid_exact_evm_failed_to_check_nonce",
    "invalid_exact_evm_failed_to_get_asset_info",
    "invalid_exact_evm_failed_to_get_balance",
    "invalid_exact_evm_failed_to_get_network_config",
    "invalid_exact_evm_failed_to_parse_signature",
    "invalid_exact_evm_failed_to_verify_signature",
    "invalid_exact_evm_insufficient_balance",
    "invalid_exact_evm_insufficient_funds",
    "invalid_exact_evm_missing_eip712_domain",
    "invalid_exact_evm_network_mismatch",
    "invalid_exact_evm_recipient_mismatch",
    "invalid_exact_evm_required_amount",
    "invalid_exact_evm_scheme",
    "invalid_exact_evm_signature",
    "invalid_exact_evm_signature_format",
    "invalid_exact_evm_token_name_mismatch",
    "invalid_exact_evm_token_version_mismatch",
    "invalid_exact_evm_transaction_simulation_failed",
    "invalid_exact_evm_unsupported_scheme",
    "invalid_exact_evm_verification_failed",
    "invalid_exact_solana_extra_field",
    "invalid_exact_solana_fee_payer_mismatch",
    "invalid_exact_solana_fee_payer_not_managed_by_facilitator",
    "invalid_exact_solana_invalid_fee_payer",
    "invalid_exact_solana_network_mismatch",
    "invalid_exact_solana_transaction_signing_failed",
    "invalid_exact_solana_transaction_simulation_failed",
    "invalid_exact_solana_unsupported_scheme",
    "invalid_exact_solana_verification_failed",
    "invalid_exact_stellar_signature_expiration_too_far",
    "invalid_exact_svm_fee_payer_mismatch",
    "invalid_exact_svm_fee_payer_not_managed_by_facilitator",
    "invalid_exact_svm_network_mismatch",
    "invalid_exact_svm_transaction_simulation_failed",
    "invalid_exact_svm_unsupported_scheme",
    "invalid_exact_svm_verification_failed",
    "invalid_network",
    "invalid_payload",
    "invalid_payment",
    "invalid_payment_requirements",
    "invalid_scheme",
    "invalid_signature",
    "invalid_upto_evm_failed_to_get_network_config",
    "invalid_upto_evm_network_mismatch",
    "invalid_upto_evm_required_amount",
    "invalid_upto_evm_scheme",
    "invalid_upto_evm_signature_format",
    "invalid_upto_evm_verification_failed",
    "invalid_v1_payload",
    "invalid_v1_requirements",
    "invalid_v2_payload",
    "invalid_v2_requirements",
    "invalid_version",
    "invalid_x402_version",
    "missing_eip712_domain",
    "network_mismatch",
    "no_facilitator_for_network",
    "payment_expired",
    "settle_exact_stellar_fee_bump_signing_failed",
    "settle_exact_stellar_signer_selection_failed",
    "settle_exact_stellar_transaction_signing_failed",
    "smart_wallet_deployment_failed",
    "transaction_simulation_failed",
    "unexpected_verify_error",
    "upto_amount_exceeds_permitted",
    "upto_facilitator_mismatch",
    "upto_unauthorized_facilitator",
    "verification_failed",
};

// Families of which every word comes before a transaction. What is said of the
// payload of a scheme is a family, too: is_about_payload().
constexpr std::string_view kPreBroadcastFamilies[] = {
    "Transaction at index ", "eip2612_",
    "invalid_eip2612_",      "invalid_exact_svm_smart_wallet_",
    "invalid_permit2_",      "permit2_",
    "unsupported_",
};

// On any network, or (kMinedRevertOfEvm) on EVM alone: Python's facilitator
// says transaction_failed of a Solana transaction that it only lost sight of.
constexpr std::string_view kMinedRevert[] = {
    "invalid_exact_evm_transaction_failed",
    "invalid_exact_evm_transaction_state",
    "invalid_exact_svm_transaction_failed",
    "invalid_upto_evm_transaction_failed",
};
constexpr std::string_view kMinedRevertOfEvm[] = {
    "invalid_transaction_state",
    "transaction_failed",
};

// A signature that a contract checks may become valid with that contract; the
// minute for which these are cached is short enough for that.
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
    "invalid_permit2_recipient_mismatch",
    "invalid_permit2_signature",
    "invalid_permit2_spender",
    "invalid_scheme",
    "invalid_signature",
    "invalid_x402_version",
    "permit2_amount_mismatch",
    "permit2_token_mismatch",
};

template <std::size_t N>
bool is_listed(const std::string_view (&list)[N], std::string_view reason)
{
    return std::binary_search(std::begin(list), std::end(list), reason);
}

bool ends_with(std::string_view text, std::string_view tail)
{
    return text.size() >= tail.size()
           && text.substr(text.size() - tail.size()) == tail;
}

bool is_of_family(std::string_view reason)
{
    for (std::string_view family : kPreBroadcastFamilies) {
        if (starts_with(reason, family)) {
            return true;
        }
    }
    return false;
}

// "invalid_exact_<chains>_payload" and whatever follows "_" after it; of
// scheme upto on EVM likewise. Upto on Solana says such words of a channel that
// has been paid into.
bool is_about_payload(std::string_view reason)
{
    constexpr std::string_view kExact = "invalid_exact_";
    constexpr std::string_view kUpto = "invalid_upto_evm";
    constexpr std::string_view kPayload = "_payload";

    std::string_view rest;
    if (starts_with(reason, kExact)) {
        rest = reason.substr(kExact.size());
        rest.remove_prefix(std::min(rest.find('_'), rest.size()));
    } else if (starts_with(reason, kUpto)) {
        rest = reason.substr(kUpto.size());
    }
    return starts_with(rest, kPayload)
           && (rest.size() == kPayload.size() || rest[kPayload.size()] == '_');
}

// The word of a reason that goes on with what was found: "word: detail".
std::string_view word_of(std::string_view reason)
{
    return reason.substr(0, reason.find(": "));
}

}  // namespace

bool is_pre_broadcast_reason(std::string_view reason)
{
    std::string_view word = word_of(reason);
    return is_listed(kPreBroadcast, word) || is_of_family(word)
           || is_about_payload(word) || is_nonce_used_reason(reason);
}

bool is_nonce_used_reason(std::string_view reason)
{
    return reason == "permit2_invalid_nonce"
           || ends_with(reason, "_nonce_already_used");
}

bool is_mined_revert(std::string_view reason, std::string_view message,
                     std::string_view family)
{
    // Facilitators that cannot remember a pending transaction answer with the
    // word for a failed one, and begin the message with the truth.
    constexpr std::string_view kPending = "settlement_pending";
    return !starts_with(message, kPending)
           && (is_listed(kMinedRevert, reason)
               || (family == "eip155" && is_listed(kMinedRevertOfEvm, reason)));
}

bool is_lasting_reason(std::string_view reason)
{
    return is_listed(kLasting, reason);
}

}  // namespace x402
