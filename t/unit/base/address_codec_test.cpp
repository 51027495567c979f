// SPDX-License-Identifier: Apache-2.0
#include "base/address_codec.hpp"

#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(AddressCodec, ReadsBase58)
{
    EXPECT_EQ(base58_decode("2NEpo7TZRRrLZSi2U"), "Hello World!");
    EXPECT_EQ(base58_decode("1112"), std::string("\0\0\0\x01", 4));
    EXPECT_EQ(base58_decode("11111111111111111111111111111111"),
              std::string(32, '\0'));
    for (const char *text : {"", "0", "O", "I", "l", "2NEpo 7T", "+"}) {
        EXPECT_EQ(base58_decode(text), std::nullopt) << text;
    }
    EXPECT_TRUE(base58_decode(std::string(128, 'z')));
    EXPECT_FALSE(base58_decode(std::string(129, 'z')));
}

TEST(AddressCodec, ReadsBase32)
{
    EXPECT_EQ(base32_decode("MZXW6YTB"), "fooba");
    EXPECT_EQ(base32_decode("MZXW6YQ"), "foob");
    EXPECT_EQ(base32_decode(""), "");
    for (const char *text : {"M", "MZX", "MZXW6Y", "mzxw6ytb", "MZXW6YR",
                             "MY======", "MZXW6YT1"}) {
        EXPECT_EQ(base32_decode(text), std::nullopt) << text;
    }
}

TEST(AddressCodec, SumsXmodem)
{
    EXPECT_EQ(crc16_xmodem("123456789"), 0x31c3);
    EXPECT_EQ(crc16_xmodem(""), 0);
}

TEST(AddressCodec, ChecksBech32m)
{
    // BIP 350 and a Fast address of the bytes 0 to 31.
    // (whose empty data no address has).
    EXPECT_FALSE(bech32m_ok("a1lqfn3a", "a"));
    EXPECT_TRUE(
        bech32m_ok("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "abcdef"));
    const std::string fast =
        "fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh";
    EXPECT_TRUE(bech32m_ok(fast, "fast"));
    EXPECT_FALSE(bech32m_ok(fast, "set"));
    EXPECT_FALSE(bech32m_ok("fast1", "fast"));
    EXPECT_FALSE(bech32m_ok("F" + fast.substr(1), "fast"));
    for (std::size_t place = 5; place < fast.size(); ++place) {
        std::string changed = fast;
        changed[place] = changed[place] == 'q' ? 'p' : 'q';
        EXPECT_FALSE(bech32m_ok(changed, "fast")) << changed;
    }
}

TEST(AddressCodec, ReadsBech32)
{
    // BIP 173: a witness program behind its version, which is less than a byte.
    EXPECT_FALSE(
        bech32_decode("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc"));
    EXPECT_FALSE(bech32_decode("a12uel5l", "a"));
    // CIP 19: a kind and a network before the hash of a key.
    auto bytes = bech32_decode(
        "addr1v874jw0m2cq7tdq7aenxmws5cznaz5w5ekdsu9nfrn36nfqy5qq07", "addr");
    ASSERT_TRUE(bytes);
    ASSERT_EQ(bytes->size(), 29u);
    EXPECT_EQ(bytes->substr(0, 3), "\x61\xfd\x59");
    EXPECT_FALSE(bech32_decode(
        "addr1v874jw0m2cq7tdq7aenxmws5cznaz5w5ekdsu9nfrn36nfqy5qq07", "add"));
    // The checksum of BIP 350.
    EXPECT_FALSE(bech32_decode(
        "fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh",
        "fast"));
}

}  // namespace
}  // namespace x402
