// SPDX-License-Identifier: Apache-2.0
#include "facilitator/settle_reasons.hpp"

#include <string>
#include <vector>

#include "vectors.hpp"

namespace x402 {
namespace {

// Of one kind in t/vectors/facilitator-words.json: what the facilitators of the
// official packages say. t/e2e/words.test.mjs finds a word that is missing
// there.
std::vector<std::string> words_of(std::string_view kind)
{
    static const JsonDocument vectors = read_vectors("facilitator-words.json");
    std::vector<std::string> words;
    JsonValue groups = vectors.root()[kind];
    for (std::size_t i = 0; i < groups.size(); ++i) {
        JsonValue said = groups.at(i)["words"];
        for (std::size_t j = 0; j < said.size(); ++j) {
            words.emplace_back(said.at(j).string());
        }
    }
    EXPECT_FALSE(words.empty()) << kind;
    return words;
}

bool is_mined(std::string_view reason, std::string_view family = "eip155",
              std::string_view message = {})
{
    return is_mined_revert(reason, message, family);
}

TEST(SettleReasons, ProveThatNothingWasSent)
{
    for (const std::string &word : words_of("refusal")) {
        EXPECT_TRUE(is_pre_broadcast_reason(word)) << word;
        EXPECT_TRUE(is_pre_broadcast_reason(word + ": why")) << word;
        EXPECT_FALSE(is_nonce_used_reason(word)) << word;
        EXPECT_FALSE(is_mined(word)) << word;
    }
    for (const char *reason :
         {"invalid_signature", "unsupported_network", "expired",
          "insufficient_balance", "unsupported_x402_version",
          "permit2_a_word_of_tomorrow", "eip2612_a_word_of_tomorrow",
          "invalid_exact_evm_payload_a_word_of_tomorrow",
          "invalid_exact_keeta_payload", "invalid_upto_evm_payload_x"}) {
        EXPECT_TRUE(is_pre_broadcast_reason(reason)) << reason;
    }
}

TEST(SettleReasons, OfWhatMayFollowATransactionProveNothing)
{
    for (const std::string &word : words_of("unknown")) {
        for (const std::string &reason : {word, word + ": why"}) {
            EXPECT_FALSE(is_pre_broadcast_reason(reason)) << reason;
            EXPECT_FALSE(is_nonce_used_reason(reason)) << reason;
            EXPECT_FALSE(is_mined(reason)) << reason;
            EXPECT_FALSE(is_mined(reason, "solana")) << reason;
        }
    }
}

// Not in the list: money may have moved.
TEST(SettleReasons, OfAnyOtherWordProveNothing)
{
    for (const char *reason :
         {"",
          " ",
          "unexpected_settle_error",
          "unexpected_error",
          "transaction_failed",
          "transaction_failed: insufficient_funds",
          "invalid_exact_evm_transaction_failed: permit2_invalid_amount",
          "invalid_exact_evm_payloads",
          "invalid_exact_evm_transaction_payload",
          "invalid_upto_svm_payload_expired",
          "invalid_batch_settlement_evm_payload_type",
          "Permit2_amount_mismatch",
          "xpermit2_amount_mismatch",
          "insufficient_funds:no blank",
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

TEST(SettleReasons, KnowAUsedNonce)
{
    for (const std::string &word : words_of("nonce_used")) {
        EXPECT_TRUE(is_nonce_used_reason(word)) << word;
        EXPECT_TRUE(is_pre_broadcast_reason(word)) << word;
    }
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

TEST(SettleReasons, KnowARevertedTransaction)
{
    for (const std::string &word : words_of("failed_on_chain")) {
        EXPECT_TRUE(is_mined(word)) << word;
        EXPECT_TRUE(is_mined(word, "eip155", "reverted")) << word;
        EXPECT_FALSE(is_pre_broadcast_reason(word)) << word;
        EXPECT_FALSE(is_mined(word + ": why")) << word;
    }
    for (const char *reason :
         {"", "transaction_failed ", "settlement_pending",
          "invalid_exact_evm_signature", "settle_transaction_failed"}) {
        EXPECT_FALSE(is_mined(reason)) << reason;
    }
}

// Money: a facilitator that could not note a pending transaction down answers
// as if it had failed; Python's does so for one on Solana that it lost sight
// of.
TEST(SettleReasons, OfAPendingTransactionAreNoRevert)
{
    constexpr const char *kPending =
        "settlement_pending, but failed to persist for retry: no disk";
    for (const std::string &word : words_of("failed_on_chain")) {
        for (const char *family : {"eip155", "solana"}) {
            EXPECT_FALSE(is_mined(word, family, kPending)) << word;
        }
    }
    EXPECT_FALSE(is_mined("transaction_failed", "solana"));
    EXPECT_FALSE(is_mined("invalid_transaction_state", "algorand"));
    EXPECT_TRUE(is_mined("invalid_exact_svm_transaction_failed", "solana"));
}

TEST(SettleReasons, LastWhenThePaymentItselfIsWrong)
{
    for (const char *reason :
         {"invalid_exact_evm_payload_signature", "invalid_exact_evm_signature",
          "invalid_exact_evm_payload_recipient_mismatch",
          "invalid_exact_evm_payload_authorization_value",
          "invalid_exact_evm_network_mismatch", "invalid_signature",
          "invalid_permit2_signature", "permit2_amount_mismatch",
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
