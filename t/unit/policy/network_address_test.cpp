// SPDX-License-Identifier: Apache-2.0
#include "policy/network_address.hpp"

#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

struct Example {
    const char *network;
    const char *good;
    const char *bad;
    const char *advice;
};

constexpr Example kAddresses[] = {
    {"eip155:1", "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
     "0x209693Bc6afc0C5328bA36FaF03C514EF312287c", "match its checksum"},
    {"solana:x", "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4",
     "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg", "32 bytes in base58"},
    {"solana:x", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
     "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "is not a Solana address"},
    {"algorand:x", "RESOURCESERVERADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALTSRPAE",
     "RESOURCESERVERADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALTSRPAF",
     "58 characters"},
    {"algorand:x", "FACILITATORADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALQCXBZE",
     "FACILITATORADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABLQCXBZE",
     "match its checksum"},
    {"stellar:pubnet",
     "GAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7JZX",
     "GAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7JZW",
     "with a valid checksum"},
    {"stellar:pubnet",
     "CCW67TSZV3SSS2HXMBQ5JFGCKJNXKZM7UQUWUZPUTHXSTZLEO7SJMI75",
     "ACW67TSZV3SSS2HXMBQ5JFGCKJNXKZM7UQUWUZPUTHXSTZLEO7SJMI75",
     "is not a Stellar address"},
    {"aptos:1", "0x1", "0x", "up to 64 hexadecimal digits"},
    {"hedera:mainnet", "0.0.1234", "0.0", "like 0.0.1234"},
    {"hedera:mainnet", "0.0.5", "0.0.5.", "like 0.0.1234"},
    {"hedera:mainnet", "1.2.3", "1..3", "like 0.0.1234"},
    {"sui:mainnet",
     "0x0000000000000000000000000000000000000000000000000000000000000005",
     "0x5", "0x and 64 hexadecimal digits"},
    {"fast:testnet",
     "fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh",
     "fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqq",
     "is not a Fast address"},
    {"cosmos:x", "anything", "any thing", "write printable ASCII"},
    {"cosmos:x", "a", "", "write printable ASCII"},
};

constexpr Example kAssets[] = {
    {"eip155:1", "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "USDC",
     "is not an EVM address"},
    {"algorand:x", "31566704", "031566704", "the number of the ASA"},
    {"algorand:x", "1", "", "the number of the ASA"},
    {"stellar:x", "CCW67TSZV3SSS2HXMBQ5JFGCKJNXKZM7UQUWUZPUTHXSTZLEO7SJMI75",
     "GAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7JZX",
     "its contract"},
    {"sui:mainnet", "0x2::sui::SUI", "sui", "::module::TYPE"},
    {"aptos:1", "0x1::aptos_coin::AptosCoin", "0x1 ::a", "::module::TYPE"},
    {"hedera:x", "0.0.0", "HBAR", "is not a Hedera id"},
    {"fast:x",
     "0xd73a0679a2be46981e2a8aedecd951c8b6690e7d5f8502b34ed3ff4cc2163b46",
     "0xd7", "is not a Fast token"},
};

TEST(NetworkAddress, EachFamilyHasItsForm)
{
    for (const Example &row : kAddresses) {
        EXPECT_EQ(address_fault(row.network, row.good), "") << row.good;
        EXPECT_NE(address_fault(row.network, row.bad).find(row.advice),
                  std::string::npos)
            << row.bad << ": " << address_fault(row.network, row.bad);
        EXPECT_FALSE(is_unowned_address(row.network, row.good)) << row.good;
    }
    for (const Example &row : kAssets) {
        EXPECT_EQ(asset_fault(row.network, row.good), "") << row.good;
        EXPECT_NE(asset_fault(row.network, row.bad).find(row.advice),
                  std::string::npos)
            << row.bad << ": " << asset_fault(row.network, row.bad);
    }
}

TEST(NetworkAddress, NobodyHasTheKeyOfSome)
{
    const Example kNobodys[] = {
        {"eip155:1", "0x0000000000000000000000000000000000000000", "", ""},
        {"solana:x", "11111111111111111111111111111111", "", ""},
        {"algorand:x",
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAY5HFKQ", "", ""},
        {"aptos:1", "0x0", "", ""},
        {"aptos:1", "0x000", "", ""},
        {"hedera:mainnet", "0.0.0", "", ""},
    };
    for (const Example &row : kNobodys) {
        EXPECT_EQ(address_fault(row.network, row.good), "") << row.good;
        EXPECT_TRUE(is_unowned_address(row.network, row.good)) << row.good;
    }
}

TEST(NetworkAddress, PrivateKeysAreKnownByTheirForm)
{
    const std::string digits(64, 'a');
    const std::string_view secrets[] = {
        digits,
        "ed25519:3D4YudUahN1nawWogh8pAKSj92sUNMdbZGjn7kERKzYoTy8tnFQuwoGUC51D",
        "sEdTM1uX8pu2do5XvTnutH6HsouMaM2",
        "SAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSBF5K",
        "suiprivkey1qzwant3kaegmjy4qxex93s0jzvemekkjmyv3r2sjwgnv2y479pgsy",
        "test test test test test test test test test test test junk",
        "2Ana1pUpv2ZbMVkwF5FXapYeBEjdxDatLn7nvJkhgTSXbs59SyZSx866bXirPgj8QQVB"
        "57uxHJBG1YFvkRbFj4T",
        "addr_sk1zyv7gk",
        "root_xsk1hqzfzrgskgnpwskxxrv5khs7",
    };
    for (std::string_view secret : secrets) {
        EXPECT_TRUE(may_be_private_key(secret)) << secret;
    }
    EXPECT_TRUE(may_be_private_key("0x" + digits));
    for (const Example &row : kAddresses) {
        EXPECT_FALSE(may_be_private_key(row.bad)) << row.bad;
    }
    for (std::string_view word : {"", "shop.eth", "my address", "s", "0x"}) {
        EXPECT_FALSE(may_be_private_key(word)) << word;
    }
}

}  // namespace
}  // namespace x402
