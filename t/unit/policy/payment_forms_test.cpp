// SPDX-License-Identifier: Apache-2.0
// Claim keys of all forms: no signature and no spelling makes another payment,
// every nonce does.
#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "base/sha256_digest.hpp"
#include "policy/claim_key.hpp"
#include "scheme_reading.hpp"

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1800000000;

// --- Permit2

constexpr const char *kPermit2 =
    R"({"signature":"0x3a84","permit2Authorization":{)"
    R"("from":"0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9",)"
    R"("permitted":{"token":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
    R"("amount":"10000"},)"
    R"("spender":"0x402085c248EeA27D92E8b30b2C58ed07f9E20001",)"
    R"("nonce":"1234","deadline":"1800000300",)"
    R"("witness":{"to":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C",)"
    R"("validAfter":"0"}}})";

std::string upto_payload()
{
    return changed(kPermit2, R"("validAfter":"0")",
                   R"("validAfter":"0","facilitator":)"
                   R"("0x1111111111111111111111111111111111111111")");
}

TEST(PaymentForms, Permit2SaysWhatAnAuthorizationSays)
{
    for (bool upto : {false, true}) {
        auto parsed = read(upto ? "upto" : "exact", "base-sepolia",
                           upto ? upto_payload() : kPermit2);
        ASSERT_TRUE(parsed) << parsed.problem().text;
        EXPECT_EQ(parsed->form, PaymentForm::permit2);
        EXPECT_EQ(parsed->payer, "0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9");
        EXPECT_EQ(parsed->value, "10000");
        EXPECT_EQ(parsed->recipient,
                  "0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
        EXPECT_EQ(parsed->token, "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
        EXPECT_EQ(parsed->valid_after, 0);
        EXPECT_EQ(parsed->valid_before, 1800000300);
        EXPECT_EQ(parsed->upto, upto);
    }
}

TEST(PaymentForms, Permit2KeysAreOfChainOwnerAndNonce)
{
    const std::string key = key_of("exact", "base-sepolia", kPermit2);
    std::string parts = "permit2";
    parts += std::string("\0\0\0\0\0\x01\x4a\x34", 8);
    parts += "\x2c\x10\x6b\x83\x78\x31\x1a\xf2\x5d\xf8\xe1\x6b\xaf\x7c\xa3\x5a"
             "\xfa\x89\xe5\xb9";
    parts += std::string(30, '\0') + "\x04\xd2";
    Digest digest = sha256(parts);
    EXPECT_EQ(key, std::string(digest.begin(), digest.end()));

    // Permit2 counts one nonce for all that an owner permits.
    EXPECT_EQ(key_of("upto", "eip155:84532", upto_payload()), key);
    for (const char *from : {"0x3a84", "10000", "0x402085c248", "1800000300",
                             "0x209693", "0x036CbD", "2c106B8378"}) {
        std::string to = from;
        char &last = to.back();
        last = last == 'B' ? 'b' : last == '8' ? '8' : '1';
        EXPECT_EQ(key_of("exact", "eip155:084532", changed(kPermit2, from, to)),
                  key)
            << from;
    }
    EXPECT_NE(key_of("exact", "base", kPermit2), key);
    EXPECT_NE(key_of("exact", "base-sepolia",
                     changed(kPermit2, "\"1234\"", "\"1235\"")),
              key);
    EXPECT_NE(key_of("exact", "base-sepolia",
                     changed(kPermit2, "0x2c106B", "0x2c106C")),
              key);
}

TEST(PaymentForms, Permit2HasOneShape)
{
    for (const char *pair :
         {R"("signature":"0x3a84"|"signature":"3a84")",
          R"("signature":"0x3a84"|"signature":"0x3a84","a":1)",
          R"("signature":"0x3a84"|"signature":"0x3a84","authorization":{})",
          R"("nonce":"1234"|"nonce":"0x04d2")",
          R"("nonce":"1234"|"nonce":1234.5)",
          R"("nonce":"1234"|"nonce":"01234")",
          R"("nonce":"1234"|"nonce":"1234","extra":1)",
          R"("amount":"10000"|"amount":"10000","a":1)",
          R"("amount":"10000"|"amount":"1e4")",
          R"("validAfter":"0"|"validAfter":"0","extra":"0x")",
          R"("validAfter":"0"|"validafter":"0")",
          R"("spender":"0x4|"spender":"0)", R"("witness":{|"Witness":{)",
          R"("from":"0x2c|"from":"0X2c)"}) {
        std::string text(pair);
        std::size_t bar = text.find('|');
        std::string payload =
            changed(kPermit2, text.substr(0, bar), text.substr(bar + 1));
        EXPECT_EQ(key_of("exact", "base", payload), "") << pair;
    }
    EXPECT_EQ(key_of("exact", "base", upto_payload()), "");
    EXPECT_EQ(key_of("upto", "base", kPermit2), "");
}

// The official facilitator reads numbers in scheme exact, and none in upto.
TEST(PaymentForms, Permit2NumbersMakeNoOtherPayment)
{
    const std::string key = key_of("exact", "base", kPermit2);
    for (const char *pair :
         {R"("nonce":"1234"|"nonce":1234)", R"("nonce":"1234"|"nonce":1234.0)",
          R"("amount":"10000"|"amount":1e4)",
          R"("deadline":"1800000300"|"deadline":1800000300)",
          R"("validAfter":"0"|"validAfter":0)"}) {
        std::string text(pair);
        std::size_t bar = text.find('|');
        std::string from = text.substr(0, bar);
        std::string to = text.substr(bar + 1);
        EXPECT_EQ(key_of("exact", "base", changed(kPermit2, from, to)), key)
            << pair;
        EXPECT_EQ(key_of("upto", "base", changed(upto_payload(), from, to)), "")
            << pair;
    }
}

TEST(PaymentForms, Permit2IsObjectedToInWordsOfItsOwn)
{
    PaymentRequirements offered;
    offered.amount = "10000";
    offered.asset = "0x036cbd53842c5426634e7929541ec2318f3dcf7e";
    offered.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    auto word = [&offered](const char *scheme, const std::string &payload) {
        auto parsed = read(scheme, "base", payload);
        const char *found =
            parsed ? validate_payload(parsed.value(), offered, kNow) : "unread";
        return std::string(found ? found : "");
    };
    EXPECT_EQ(word("exact", kPermit2), "");
    EXPECT_EQ(word("exact", changed(kPermit2, "0x209693", "0x209694")),
              "invalid_permit2_recipient_mismatch");
    EXPECT_EQ(word("exact", changed(kPermit2, "0x036C", "0x036D")),
              "permit2_token_mismatch");
    EXPECT_EQ(word("exact", changed(kPermit2, "10000", "10001")),
              "permit2_amount_mismatch");
    EXPECT_EQ(word("upto", changed(upto_payload(), "10000", "10001")), "");
    EXPECT_EQ(word("upto", changed(upto_payload(), "10000", "9999")),
              "permit2_amount_mismatch");
    EXPECT_EQ(word("exact", changed(kPermit2, "\"0\"", "\"1800000003\"")),
              "permit2_not_yet_valid");
    EXPECT_EQ(word("exact", changed(kPermit2, "1800000300", "1800000000")),
              "permit2_deadline_expired");
    EXPECT_EQ(word("exact", changed(kPermit2, "1800000300", "1800000059")),
              "payment_validity_too_short");
    EXPECT_EQ(word("exact", changed(kPermit2, "1800000300", "1800000901")),
              "payment_validity_too_long");
}

TEST(PaymentForms, EveryPaymentOfTheOfficialClientIsRead)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    std::set<std::string> keys;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        SCOPED_TRACE(std::string(row["name"].string()));
        JsonValue sent = row["decoded"];
        JsonValue offered = row["paymentRequired"]["accepts"].at(0);
        auto parsed = read_scheme_payload(
            offered["scheme"].string(), offered["network"].string(),
            offered["asset"].string(), sent["payload"]);
        ASSERT_TRUE(parsed) << parsed.problem().text;
        EXPECT_EQ(parsed->payer, row["signer"].string());
        EXPECT_TRUE(keys.insert(std::string(parsed->claim_key.begin(),
                                            parsed->claim_key.end()))
                        .second);
        PaymentRequirements requirements;
        bool v1 = sent["x402Version"].integer() == 1;
        requirements.amount =
            offered[v1 ? "maxAmountRequired" : "amount"].string();
        requirements.asset = offered["asset"].string();
        requirements.pay_to = offered["payTo"].string();
        requirements.max_timeout_seconds =
            static_cast<std::uint32_t>(*offered["maxTimeoutSeconds"].integer());
        EXPECT_EQ(validate_payload(parsed.value(), requirements,
                                   *parsed->valid_before
                                       - requirements.max_timeout_seconds),
                  nullptr);
    }
    EXPECT_EQ(keys.size(), vectors.size());
    EXPECT_EQ(keys.size(), 9u);
}

// --- Solana

std::string solana_transaction(std::size_t signatures, std::string message)
{
    return static_cast<char>(signatures) + std::string(64 * signatures, '\x55')
           + std::move(message);
}

// Version 0 with one instruction and one table, or a legacy message.
std::string solana_message_of(bool versioned, char blockhash = 'h')
{
    std::string message = versioned ? "\x80" : "";
    message += std::string("\x02\0\x01", 3);
    message += '\x03' + std::string(3 * 32, 'k');
    message += std::string(32, blockhash);
    message += std::string("\x01\x02\x02\0\x01\x03zzz", 9);
    return message
           + (versioned ? '\x01' + std::string(32, 't') + "\x01\x05" + '\0'
                        : std::string());
}

std::string solana_payload(const std::string &transaction)
{
    return "{\"transaction\":\"" + base64_encode(transaction) + "\"}";
}

std::string solana_key(const std::string &transaction)
{
    return key_of("exact", "solana", solana_payload(transaction));
}

TEST(PaymentForms, SolanaKeysAreOfTheMessage)
{
    for (bool versioned : {false, true}) {
        std::string message = solana_message_of(versioned);
        std::string transaction = solana_transaction(2, message);
        std::string key = solana_key(transaction);
        ASSERT_NE(key, "");
        Digest digest = sha256(message);
        Digest expected = network_claim_key(
            "solana", "solana", std::string(digest.begin(), digest.end()));
        EXPECT_EQ(key, std::string(expected.begin(), expected.end()));
        transaction[5] ^= 1;  // a signature
        EXPECT_EQ(solana_key(transaction), key);
        EXPECT_EQ(
            solana_key(solana_transaction(2, solana_message_of(versioned, 'i')))
                == key,
            false);
        EXPECT_EQ(key_of("exact",
                         "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
                         solana_payload(transaction)),
                  key);
        EXPECT_NE(key_of("exact", "solana-devnet", solana_payload(transaction)),
                  key);
    }
}

TEST(PaymentForms, SolanaTransactionsAreWholeAndNothingElse)
{
    for (bool versioned : {false, true}) {
        std::string whole = solana_transaction(2, solana_message_of(versioned));
        EXPECT_EQ(solana_key(whole + '\0'), "");
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_EQ(solana_key(whole.substr(0, size)), "") << size;
        }
    }
    std::string message = solana_message_of(true);
    EXPECT_EQ(solana_key(solana_transaction(1, message)), "");
    EXPECT_EQ(solana_key(solana_transaction(3, message)), "");
    EXPECT_EQ(solana_key("\x82" + std::string(1, '\0')
                         + std::string(128, '\x55') + message),
              "");
    std::string payload = solana_payload(solana_transaction(2, message));
    EXPECT_EQ(key_of("exact", "solana", changed(payload, "{", "{\"a\":1,")),
              "");
    EXPECT_EQ(key_of("exact", "solana", R"({"transaction":"!"})"), "");
    EXPECT_EQ(key_of("exact", "solana", R"({"transaction":5})"), "");
}

// A payment that uses up a nonce account has no block by which it ends.
TEST(PaymentForms, SolanaTellsADurableNonce)
{
    const std::string advance("\x04\0\0\0", 4);
    auto is_endless = [](bool versioned, char program, const std::string &data,
                         const std::string &second_key) {
        std::string message = versioned ? "\x80" : "";
        message += std::string("\x01\0\x01", 3);
        message += '\x02' + std::string(32, 'k') + second_key;
        message += std::string(32, 'h') + '\x01' + program + '\x01' + '\0'
                   + static_cast<char>(data.size()) + data
                   + (versioned ? std::string(1, '\0') : "");
        auto parsed = read("exact", "solana",
                           solana_payload(solana_transaction(1, message)));
        EXPECT_TRUE(parsed);
        return parsed && parsed->endless;
    };
    const std::string system(32, '\0');
    for (bool versioned : {false, true}) {
        EXPECT_TRUE(is_endless(versioned, 1, advance, system));
        EXPECT_TRUE(is_endless(versioned, 1, advance + "x", system));
        EXPECT_FALSE(is_endless(versioned, 0, advance, system));
        EXPECT_FALSE(is_endless(versioned, 2, advance, system));
        EXPECT_FALSE(is_endless(versioned, 1, advance.substr(0, 3), system));
        EXPECT_FALSE(
            is_endless(versioned, 1, std::string("\5\0\0\0", 4), system));
        EXPECT_FALSE(is_endless(versioned, 1, advance, std::string(32, 's')));
    }
    EXPECT_FALSE(
        read("exact", "solana",
             solana_payload(solana_transaction(2, solana_message_of(true))))
            ->endless);
}

// --- transactions

std::string transaction_payload(std::string_view bytes)
{
    return "{\"transaction\":\"" + base64_encode(bytes) + "\"}";
}

TEST(PaymentForms, TransactionsAreTheirBytes)
{
    for (const char *network : {"stellar:pubnet", "hedera:mainnet"}) {
        std::string key = key_of("exact", network, transaction_payload("abcd"));
        ASSERT_NE(key, "");
        EXPECT_EQ(key_of("exact", network, R"({"transaction":"YWJjZA"})"), key);
        EXPECT_EQ(key_of("exact", network, R"({"transaction":"YWJjZB=="})"),
                  key)
            << "other bits behind the last byte";
        EXPECT_NE(key_of("exact", network, transaction_payload("abce")), key);
        for (const char *payload :
             {"{}", "[]", "null", "\"a\"", "[1]", R"({"transaction":""})",
              R"({"transaction":null})", R"({"transaction":["YWJjZA=="]})",
              R"({"transaction":"YWJjZA==","a":null})",
              R"({"transaction":"YWJj ZA=="})", R"({"Transaction":"YWJjZA=="})",
              R"({"transaction":"YWJjZA==","signature":"x"})"}) {
            EXPECT_EQ(key_of("exact", network, payload), "") << payload;
        }
    }
    auto parsed = read("exact", "hedera:mainnet", transaction_payload("abcd"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->form, PaymentForm::transaction);
    EXPECT_EQ(parsed->payer, "");
    EXPECT_EQ(parsed->payer_digest, parsed->claim_key);
    EXPECT_NE(key_of("exact", "hedera:mainnet", transaction_payload("abcd")),
              key_of("exact", "hedera:testnet", transaction_payload("abcd")));
}

TEST(PaymentForms, SuiSignaturesMakeNoOtherPayment)
{
    auto key = [](const char *payload) {
        return key_of("exact", "sui:mainnet", payload);
    };
    std::string first = key(R"({"signature":"YQ==","transaction":"YWJjZA=="})");
    ASSERT_NE(first, "");
    EXPECT_EQ(key(R"({"transaction":"YWJjZA","signature":"Yg=="})"), first);
    EXPECT_NE(key(R"({"signature":"YQ==","transaction":"YWJjZQ=="})"), first);
    for (const char *payload :
         {R"({"transaction":"YWJjZA=="})",
          R"({"signature":"","transaction":"YWJjZA=="})",
          R"({"signature":["YQ=="],"transaction":"YWJjZA=="})",
          R"({"signature":"YQ==","transaction":"YWJjZA==","gas":null})"}) {
        EXPECT_EQ(key(payload), "") << payload;
    }
}

// A transfer as the official client builds it, or with other types.
std::string aptos_bytes(bool sponsored, const std::string &types)
{
    const std::string address(32, 'a');
    std::string bytes = address + std::string(8, '\1');  // sequence number
    bytes += '\2' + address + '\x16' + "primary_fungible_store" + '\x08'
             + "transfer" + types + '\3' + '\x20' + address + '\x20' + address
             + '\x08' + std::string(8, '\5');
    bytes += std::string(8, '\x6') + std::string(8, '\x7')
             + std::string(8, '\x8') + '\1';
    return bytes + (sponsored ? '\1' + address : std::string(1, '\0'));
}

std::string aptos_text(const std::string &bytes, const std::string &behind)
{
    std::string text = "{\"transaction\":[";
    for (char byte : bytes) {
        text += std::to_string(static_cast<unsigned char>(byte)) + ",";
    }
    text.back() = ']';
    return text + behind + "}";
}

std::string aptos_key(const std::string &text)
{
    return key_of("exact", "aptos:1", transaction_payload(text));
}

TEST(PaymentForms, AptosAuthenticatorsMakeNoOtherPayment)
{
    constexpr const char *kOther = R"(,"senderAuthenticator":[0])";
    const std::string metadata = std::string("\1\7") + std::string(32, 'a')
                                 + "\x0e" + "fungible_asset" + "\x08"
                                 + "Metadata" + std::string(1, '\0');
    for (bool sponsored : {false, true}) {
        for (const std::string &types :
             {metadata, std::string("\2\6\6\1\x0a"), std::string("\0", 1)}) {
            std::string bytes = aptos_bytes(sponsored, types);
            std::string key =
                aptos_key(aptos_text(bytes, R"(,"senderAuthenticator":[1,2])"));
            ASSERT_NE(key, "");
            EXPECT_EQ(aptos_key(aptos_text(bytes, kOther)), key);
            EXPECT_EQ(aptos_key(" " + aptos_text(bytes, kOther)), key);
            EXPECT_EQ(aptos_key(aptos_text(bytes + '\0', kOther)), "");
            for (std::size_t size = 0; size < bytes.size(); ++size) {
                EXPECT_EQ(aptos_key(aptos_text(bytes.substr(0, size), kOther)),
                          "")
                    << size;
            }
            bytes[32] ^= 1;
            EXPECT_NE(aptos_key(aptos_text(bytes, kOther)), key);
        }
    }
    std::string bytes = aptos_bytes(false, metadata);
    for (const char *behind :
         {"", R"(,"senderAuthenticator":[])", R"(,"senderAuthenticator":"x")",
          R"(,"senderAuthenticator":[256])",
          R"(,"senderAuthenticator":[0],"a":1)",
          R"(,"senderAuthenticator":[-1])"}) {
        EXPECT_EQ(aptos_key(aptos_text(bytes, behind)), "") << behind;
    }
    EXPECT_EQ(aptos_key(bytes), "") << "without its JSON";
    for (const std::string &types :
         {std::string("\1\x0b"), std::string("\x81\0\1", 3),
          std::string("\1\6\6\6\6\6\6\6\6\6\1"), std::string("\x7f")}) {
        EXPECT_EQ(aptos_key(aptos_text(aptos_bytes(false, types), kOther)), "");
    }
    bytes = aptos_bytes(false, metadata);
    bytes[40] = '\0';  // a script
    EXPECT_EQ(aptos_key(aptos_text(bytes, kOther)), "");
    bytes = aptos_bytes(false, metadata);
    bytes.back() = '\2';
    EXPECT_EQ(aptos_key(aptos_text(bytes, kOther)), "");
}

// --- others

TEST(PaymentForms, OthersAreDigestedInCanonicalForm)
{
    std::string key = key_of("exact", "keeta:1", R"({"a":"x","b":{"c":1}})");
    ASSERT_NE(key, "");
    EXPECT_EQ(key_of("exact", "keeta:1", R"({"b":{"c":1.0},"a":"\u0078"})"),
              key);
    EXPECT_NE(key_of("exact", "keeta:2", R"({"a":"x","b":{"c":1}})"), key);
    EXPECT_NE(key_of("exact", "keeta:1", R"({"a":"y","b":{"c":1}})"), key);
    for (const char *payload : {"{}", "[]", "null", "\"a\"", "[1]"}) {
        EXPECT_EQ(key_of("exact", "keeta:1", payload), "") << payload;
    }
    auto parsed = read("exact", "keeta:1", R"({"transaction":"x"})");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->form, PaymentForm::opaque);
    EXPECT_EQ(parsed->payer, "");
    EXPECT_EQ(parsed->payer_digest, parsed->claim_key);
    EXPECT_EQ(parsed->valid_before, std::nullopt);
    PaymentRequirements offered;
    offered.amount = "5";
    offered.pay_to = "0.0.7";
    EXPECT_EQ(validate_payload(parsed.value(), offered, kNow), nullptr);
}

TEST(PaymentForms, SchemesWithoutAFormAreNobodys)
{
    const std::string no_match(kNoMatchingRequirements);
    for (const auto &[scheme, network] :
         std::vector<std::pair<const char *, const char *>>{
             {"upto", "solana"},
             {"batch-settlement", "base"},
             {"exact", "nowhere"},
             {"", "base"},
             {"exact", "eip155:x"}}) {
        auto parsed = read(scheme, network, kPermit2);
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.problem().text, no_match) << scheme << network;
    }
}

}  // namespace
}  // namespace x402
