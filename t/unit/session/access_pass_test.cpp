// SPDX-License-Identifier: Apache-2.0
#include "session/access_pass.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"

namespace x402 {
namespace {

const std::string kKey(32, 'k');
const std::string kOldKey(32, 'o');
constexpr std::int64_t kNow = 1800000000;

AccessPass sample()
{
    AccessPass pass;
    pass.id = pass_id_of(sha256("payment"));
    pass.issued = kNow;
    pass.seconds = 3600;
    pass.counted = true;
    pass.bought.resource = sha256("scope");
    pass.bought.terms = sha256("terms");
    pass.bought.asked[31] = 7;
    pass.payer = "0x444badc2a847f305b006fe78f4d7045ecf37f325";
    return pass;
}

PassFault read(const std::string &text, AccessPass &out,
               std::int64_t now = kNow + 1,
               const std::vector<std::string_view> &keys = {kKey})
{
    PassKeys all;
    for (std::string_view key : keys) {
        all.push_back(std::make_shared<SecretText>(key));
    }
    ShownPass shown = read_pass(text, all, now);
    EXPECT_EQ(shown.pass == nullptr, shown.fault != PassFault::none);
    if (shown.pass) {
        out = *shown.pass;
    }
    return shown.fault;
}

PassFault read(const std::string &text, std::int64_t now = kNow + 1,
               const std::vector<std::string_view> &keys = {kKey})
{
    AccessPass out;
    return read(text, out, now, keys);
}

TEST(AccessPass, ComesBackAsItWasWritten)
{
    AccessPass pass;
    ASSERT_EQ(read(write_pass(sample(), kKey), pass), PassFault::none);
    EXPECT_EQ(pass.id, sample().id);
    EXPECT_EQ(pass.issued, kNow);
    EXPECT_EQ(pass.seconds, 3600u);
    EXPECT_TRUE(pass.counted);
    EXPECT_EQ(pass.bought.resource, sample().bought.resource);
    EXPECT_EQ(pass.bought.terms, sample().bought.terms);
    EXPECT_EQ(pass.bought.asked, sample().bought.asked);
    EXPECT_EQ(pass.payer, sample().payer);
}

TEST(AccessPass, AChangedByteIsAForgery)
{
    const std::string bytes = *base64_decode(write_pass(sample(), kKey));
    for (std::size_t i = 0; i < bytes.size(); i++) {
        std::string other = bytes;
        other[i] = static_cast<char>(other[i] ^ 1);
        EXPECT_EQ(read(base64_encode(other)), PassFault::forged) << i;
    }
}

TEST(AccessPass, ATextOfAnotherLengthIsNone)
{
    const std::string bytes = *base64_decode(write_pass(sample(), kKey));
    for (std::size_t size = 0; size < bytes.size(); size++) {
        EXPECT_NE(read(base64_encode(bytes.substr(0, size))), PassFault::none)
            << size;
    }
    EXPECT_EQ(read(base64_encode(bytes + "x")), PassFault::forged);
    EXPECT_EQ(read(std::string(100000, 'A')), PassFault::malformed);
    EXPECT_EQ(read("not base64!"), PassFault::malformed);
    EXPECT_EQ(read(""), PassFault::malformed);
}

TEST(AccessPass, KeysRotate)
{
    const std::string text = write_pass(sample(), kOldKey);
    EXPECT_EQ(read(text), PassFault::forged);
    EXPECT_EQ(read(text, kNow, {kKey, kOldKey}), PassFault::none);
    EXPECT_EQ(read(text, kNow, {}), PassFault::forged);
}

// What was found good is remembered, with its key.
TEST(AccessPass, OnceGoodIsNotGoodForEver)
{
    const std::string text = write_pass(sample(), kKey);
    std::string changed = *base64_decode(text);
    changed.back() = static_cast<char>(changed.back() ^ 1);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(read(text), PassFault::none);
        EXPECT_EQ(read(base64_encode(changed)), PassFault::forged);
        EXPECT_EQ(read(text, kNow, {kOldKey}), PassFault::forged);
        EXPECT_EQ(read(text, kNow, {}), PassFault::forged);
        EXPECT_EQ(read(text, kNow + 3600), PassFault::expired);
        EXPECT_EQ(read(text, kNow, {kOldKey, kKey}), PassFault::none);
    }
    // More keys, and more passes, than there is room for.
    for (int i = 0; i < 1000; i++) {
        AccessPass pass = sample();
        pass.payer = std::to_string(i);
        std::string key = kKey + std::to_string(i % 50);
        AccessPass out;
        ASSERT_EQ(read(write_pass(pass, key), out, kNow, {key}),
                  PassFault::none);
        EXPECT_EQ(out.payer, pass.payer);
        EXPECT_EQ(read(write_pass(pass, key), kNow, {kKey}), PassFault::forged);
    }
    EXPECT_EQ(read(text), PassFault::none);
}

TEST(AccessPass, HasAnEndAndABeginning)
{
    const std::string text = write_pass(sample(), kKey);
    EXPECT_EQ(read(text, kNow + 3599), PassFault::none);
    EXPECT_EQ(read(text, kNow + 3600), PassFault::expired);
    // Clocks differ by a little.
    EXPECT_EQ(read(text, kNow - 60), PassFault::none);
    EXPECT_EQ(read(text, kNow - 61), PassFault::not_yet);
}

TEST(AccessPass, ALongPayerIsLeftOut)
{
    AccessPass pass = sample();
    pass.payer.assign(kLongestPassPayer, 'p');
    AccessPass out;
    ASSERT_EQ(read(write_pass(pass, kKey), out), PassFault::none);
    EXPECT_EQ(out.payer, pass.payer);
    pass.payer += 'p';
    ASSERT_EQ(read(write_pass(pass, kKey), out), PassFault::none);
    EXPECT_EQ(out.payer, "");
}

TEST(AccessPass, OnePaymentHasOneId)
{
    EXPECT_EQ(pass_id_of(sha256("a")), pass_id_of(sha256("a")));
    EXPECT_NE(pass_id_of(sha256("a")), pass_id_of(sha256("b")));
}

TEST(AccessPass, EachFaultHasAWord)
{
    std::vector<std::string> words;
    for (int fault = 0; fault <= static_cast<int>(PassFault::used_up);
         fault++) {
        const RefusalWord *refusal =
            pass_refusal(static_cast<PassFault>(fault));
        EXPECT_EQ(refusal == nullptr, fault == 0);
        const std::string word = refusal ? refusal->word : "";
        for (const std::string &other : words) {
            EXPECT_NE(word, other);
        }
        words.push_back(word);
    }
}

}  // namespace
}  // namespace x402
