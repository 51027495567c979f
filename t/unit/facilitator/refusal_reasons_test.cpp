#include "facilitator/refusal_reasons.hpp"

#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(RefusalReasons, ProveThatNothingWasSent)
{
    for (const char *reason :
         {"insufficient_funds",
          "invalid_signature",
          "invalid_scheme",
          "invalid_network",
          "invalid_payload",
          "invalid_x402_version",
          "invalid_payment_requirements",
          "unsupported_scheme",
          "unsupported_network",
          "unsupported_x402_version",
          "invalid_exact_evm_signature",
          "invalid_exact_evm_payload_signature",
          "invalid_exact_evm_insufficient_balance",
          "invalid_exact_evm_recipient_mismatch",
          "invalid_exact_evm_payload_recipient_mismatch",
          "invalid_exact_evm_payload_authorization_valid_before",
          "invalid_exact_evm_payload_authorization_valid_after",
          "invalid_exact_evm_payload_authorization_value",
          "invalid_exact_evm_payload_authorization_value_mismatch",
          "invalid_exact_evm_transaction_simulation_failed",
          "invalid_exact_evm_nonce_already_used",
          "permit2_invalid_nonce"}) {
        EXPECT_TRUE(is_pre_broadcast_reason(reason)) << reason;
    }
}

// Not in the list: money may have moved.
TEST(RefusalReasons, OfAnyOtherWordProveNothing)
{
    for (const char *reason :
         {"",
          " ",
          "unexpected_settle_error",
          "unexpected_error",
          "unexpected_verify_error",
          "transaction_failed",
          "invalid_exact_evm_transaction_failed",
          "settlement_pending",
          "duplicate_settlement",
          "invalid_transaction_state",
          "settle_exact_svm_transaction_confirmation_timed_out",
          "INVALID_SIGNATURE",
          "invalid_signature ",
          " invalid_signature",
          "invalid_signatur",
          "invalid_signature_",
          "unsupported",
          "is_unsupported_scheme",
          "rate_limited",
          "timeout"}) {
        EXPECT_FALSE(is_pre_broadcast_reason(reason)) << reason;
    }
}

TEST(RefusalReasons, KnowAUsedNonce)
{
    for (const char *reason :
         {"invalid_exact_evm_nonce_already_used", "permit2_invalid_nonce",
          "x_nonce_already_used", "_nonce_already_used"}) {
        EXPECT_TRUE(is_nonce_used_reason(reason)) << reason;
        EXPECT_TRUE(is_pre_broadcast_reason(reason)) << reason;
    }
    for (const char *reason :
         {"", "nonce_already_used", "invalid_exact_evm_nonce_already_used_not",
          "duplicate_settlement", "invalid_exact_evm_signature",
          "invalid_exact_evm_NONCE_ALREADY_USED"}) {
        EXPECT_FALSE(is_nonce_used_reason(reason)) << reason;
    }
}

TEST(RefusalReasons, KnowARevertedTransaction)
{
    for (const char *reason :
         {"transaction_failed", "invalid_exact_evm_transaction_failed"}) {
        EXPECT_TRUE(is_mined_revert_reason(reason)) << reason;
        EXPECT_FALSE(is_pre_broadcast_reason(reason)) << reason;
    }
    for (const char *reason :
         {"", "transaction_failed ", "settlement_pending",
          "invalid_exact_evm_signature", "invalid_exact_svm_transaction_failed",
          "invalid_transaction_state"}) {
        EXPECT_FALSE(is_mined_revert_reason(reason)) << reason;
    }
}

TEST(RefusalReasons, LastWhenThePaymentItselfIsWrong)
{
    for (const char *reason :
         {"invalid_exact_evm_payload_signature", "invalid_exact_evm_signature",
          "invalid_exact_evm_payload_recipient_mismatch",
          "invalid_exact_evm_payload_authorization_value",
          "invalid_exact_evm_network_mismatch", "invalid_signature",
          "invalid_payload"}) {
        EXPECT_TRUE(is_lasting_reason(reason)) << reason;
        EXPECT_TRUE(is_pre_broadcast_reason(reason)) << reason;
    }
    for (const char *reason :
         {"", "insufficient_funds", "expired",
          "invalid_exact_evm_insufficient_balance",
          "invalid_exact_evm_payload_authorization_valid_after",
          "invalid_exact_evm_payload_authorization_valid_before",
          "invalid_exact_evm_nonce_already_used", "permit2_invalid_nonce",
          "permit2_allowance_required", "unsupported_scheme",
          "invalid_exact_evm_payload_undeployed_smart_wallet",
          "invalid_exact_evm_transaction_simulation_failed",
          "unexpected_verify_error", "invalid_signature: really"}) {
        EXPECT_FALSE(is_lasting_reason(reason)) << reason;
    }
}

}  // namespace
}  // namespace x402
