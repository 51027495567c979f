// SPDX-License-Identifier: Apache-2.0
#include "policy/fast_payload.hpp"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "scheme_reading.hpp"

namespace x402 {
namespace {

constexpr const char *kFast =
    R"({"type":"signAndSendTransaction","transactionCertificate":{"envelope":)"
    R"({"transaction":{"network_id":"fast:testnet","sender":SENDER,)"
    R"("nonce":"7","claim":{"TokenTransfer":{"amount":"3e8"}}},)"
    R"("signature":[1]},"signatures":[[[1],[2]]]}})";

std::string fast_payload(const std::string &sender)
{
    return changed(kFast, "SENDER", sender);
}

std::string fast_key(const std::string &payload)
{
    return key_of("exact", "fast-testnet", payload);
}

TEST(PaymentForms, FastKeysAreOfSenderAndNonce)
{
    std::string numbers = "[171";
    std::string hex = "\"0xab";
    for (int index = 1; index < 32; ++index) {
        numbers += "," + std::to_string(index);
        hex += index < 16 ? "0" : "1";
        hex += "0123456789ABCDEF"[index % 16];
    }
    const std::string good = fast_payload(numbers + "]");
    const std::string key = fast_key(good);
    ASSERT_NE(key, "");
    EXPECT_EQ(fast_key(fast_payload(hex + "\"")), key);
    EXPECT_EQ(fast_key(fast_payload("\"" + hex.substr(3) + "\"")), key);
    EXPECT_EQ(fast_key(changed(good, "\"7\"", "7")), key);
    EXPECT_EQ(fast_key(changed(good, "[[[1],[2]]]", "[[[3],[4]],5]")), key);
    EXPECT_EQ(fast_key(changed(good, "\"signature\":[1]", "\"signature\":[2]")),
              key);
    EXPECT_EQ(fast_key(changed(good, "3e8", "3e9")), key);
    EXPECT_EQ(fast_key(changed(good, "\"nonce\"", "\"unheard\":1,\"nonce\"")),
              key);
    // Newer transactions are wrapped in the name of their release.
    std::string wrapped =
        changed(good, "\"transaction\":{", "\"transaction\":{\"Release1\":{");
    EXPECT_EQ(fast_key(changed(wrapped, "\"3e8\"}}}", "\"3e8\"}}}}")), key);

    EXPECT_NE(fast_key(changed(good, "\"7\"", "\"8\"")), key);
    EXPECT_NE(fast_key(changed(good, "171", "172")), key);
    EXPECT_NE(key_of("exact", "fast-mainnet", good), key);
}

TEST(PaymentForms, FastRefusesWhatCouldHaveTwoKeys)
{
    const std::string good = fast_payload("\"" + std::string(64, 'a') + "\"");
    ASSERT_NE(fast_key(good), "");
    for (const char *pair :
         {"\"7\"|\"07\"", "\"7\"|7.5", "\"7\"|-7", "\"7\"|\"0x7\"",
          "\"aaaa|\"a", "\"claim\":{|\"claim\":{\"sender\":1,\"nonce\":2,",
          "signAndSendTransaction|other", "\"signatures\":[[[1],[2]]]|\"s\":1",
          "[[[1],[2]]]|[]", "{\"type\"|{\"more\":1,\"type\"",
          "\"signature\":[1]|\"signatur\":[1]"}) {
        std::string text(pair);
        std::size_t bar = text.find('|');
        EXPECT_EQ(
            fast_key(changed(good, text.substr(0, bar), text.substr(bar + 1))),
            "")
            << pair;
    }
}

TEST(PaymentForms, FastTransactionsOfUnknownFormAreDigestedWhole)
{
    const std::string good = fast_payload("\"aa\"");
    std::string opaque = changed(good, "\"sender\"", "\"from\"");
    std::string key = fast_key(opaque);
    ASSERT_NE(key, "");
    EXPECT_EQ(fast_key(changed(opaque, "\"aa\"", "\"AA\"")), key);
    EXPECT_EQ(fast_key(changed(opaque, "\"7\"", "7")), key);
    EXPECT_EQ(fast_key(changed(opaque, "[[[1],[2]]]", "[1]")), key);
    EXPECT_NE(fast_key(changed(opaque, "\"7\"", "8")), key);
}

}  // namespace
}  // namespace x402
