// SPDX-License-Identifier: Apache-2.0
#include "policy/ledger_address.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "policy/network_title.hpp"

namespace x402 {
namespace {

using Fault = std::string (*)(std::string_view text);

constexpr std::string_view kBase58 =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

// The address is valid, and with any one character from `first` on replaced by
// any other of the alphabet it is not.
void expect_no_slip(Fault fault, const std::string &address, std::size_t first,
                    std::string_view alphabet)
{
    EXPECT_EQ(fault(address), "") << address;
    for (std::size_t place = first; place < address.size(); ++place) {
        for (char letter : alphabet) {
            std::string changed = address;
            changed[place] = letter;
            if (changed != address) {
                EXPECT_NE(fault(changed), "") << changed;
            }
        }
        std::string shorter = address;
        EXPECT_NE(fault(shorter.erase(place, 1)), "") << shorter;
    }
    EXPECT_NE(fault(address + "a"), "");
    EXPECT_NE(fault(" " + address), "");
}

void expect_phrase(const std::string &fault, const char *phrase)
{
    EXPECT_NE(fault.find(phrase), std::string::npos) << fault;
}

TEST(LedgerAddress, KnowsXrpl)
{
    EXPECT_EQ(xrpl_fault("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"), "");
    EXPECT_EQ(xrpl_fault("rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B"), "");
    for (const char *bad :
         {"", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi",
          "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyT0", "rHb9", "0x1234"}) {
        EXPECT_NE(xrpl_fault(bad), "") << bad;
    }
    EXPECT_TRUE(is_unowned_address("xrpl:0", "rrrrrrrrrrrrrrrrrrrrrhoLvTp"));
}

TEST(LedgerAddress, KnowsNear)
{
    for (const std::string &good :
         {std::string("merchant.near"), std::string("a-b_c.d1.near"),
          std::string(64, 'a'), std::string("ab")}) {
        EXPECT_EQ(near_fault(good), "") << good;
    }
    for (const std::string &bad :
         {std::string(), std::string("a"), std::string("A.near"),
          std::string(".near"), std::string("a..near"), std::string("a."),
          std::string(65, 'a'), std::string("a b"), std::string("a-.b")}) {
        EXPECT_NE(near_fault(bad), "") << bad;
    }
}

TEST(LedgerAddress, KnowsConcordium)
{
    EXPECT_EQ(
        concordium_fault("2wkH4kHMn2WPndf8CxmsoFkX93ouZMJUwTBFSZpDCeNeGWa7dj"),
        "");
    for (const char *bad :
         {"", "2wkH4kHMn2WPndf8CxmsoFkX93ouZMJUwTBFSZpDCeNeGWa7d2",
          "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"}) {
        EXPECT_NE(concordium_fault(bad), "") << bad;
    }
}

// Of the scheme's text, and the token that it names.
TEST(LedgerAddress, KnowsTron)
{
    for (const char *good : {"TGCAjMXComunWZEXCT1LPBdcYbDVuyexBv",
                             "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
                             "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf"}) {
        expect_no_slip(tron_fault, good, 0, kBase58);
    }
    expect_phrase(tron_fault("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T"),
                  "does not match its checksum");
    for (const char *bad : {"", "T", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6",
                            "0x1234", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj0t",
                            "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"}) {
        expect_phrase(tron_fault(bad), "34 characters in base58");
    }
    EXPECT_TRUE(is_unowned_address("tron:728126428",
                                   "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"));
}

constexpr const char *kCardano =
    "addr1v874jw0m2cq7tdq7aenxmws5cznaz5w5ekdsu9nfrn36nfqy5qq07";
constexpr const char *kCardanoTest =
    "addr_test1vr74jw0m2cq7tdq7aenxmws5cznaz5w5ekdsu9nfrn36nfqlu5uqm";

// Of the official package's vectors: with a stake, with a pointer, and of a
// script; and CIP-19's.
TEST(LedgerAddress, KnowsCardano)
{
    expect_no_slip(cardano_fault, kCardano, 0, kBech32);
    expect_no_slip(cardano_fault, kCardanoTest, 0, kBech32);
    expect_no_slip(cardano_fault,
                   "addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vl"
                   "lmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgse35a3x",
                   5, kBech32);
    for (const char *good :
         {"addr_test1gp7573my7h0fyj9cd2fwrws5v6ep0e6urpx007pz0pjnma5sszqgqqqrqy"
          "xzl6wd",
          "addr_test1wzs4e6wc95hkwezlccjw9mdvq0r0rsgx6zk34avptga3ftgn37w4g",
          "addr1wxs4e6wc95hkwezlccjw9mdvq0r0rsgx6zk34avptga3ftgge2j6d"}) {
        EXPECT_EQ(cardano_fault(good), "") << good;
    }
    expect_phrase(cardano_fault("stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8"
                                "048z8y5gh6ffgw"),
                  "write the payment address");
    for (const char *bad :
         {"", "addr", "Addr1v", "ADDR1V874JW0M2CQ7TDQ7AENXMWS5CZNAZ5W5EKDSU9NF",
          "0x1234", "DdzFFzCqrhsrcTVhLygT24QwTnNqQqQ8mZrq5jykUzMveU26sxaH"}) {
        expect_phrase(cardano_fault(bad), "write addr1, or addr_test1");
    }
}

TEST(LedgerAddress, KnowsTheNetworkOfACardanoAddress)
{
    EXPECT_EQ(address_fault("cardano:mainnet", kCardano), "");
    EXPECT_EQ(address_fault("cardano:preprod", kCardanoTest), "");
    EXPECT_EQ(address_fault("cardano:preview", kCardanoTest), "");
    expect_phrase(address_fault("cardano:mainnet", kCardanoTest),
                  "is an address of a test network");
    expect_phrase(address_fault("cardano:preview", kCardano),
                  "is an address of the main network");
    EXPECT_EQ(address_fault("cardano:other", kCardanoTest), "");
}

TEST(LedgerAddress, KnowsCardanoAssets)
{
    const std::string policy(56, 'c');
    for (const std::string &good :
         {std::string("lovelace"), policy + ".", policy + ".0014df105553444d",
          policy + "." + std::string(64, '0')}) {
        EXPECT_EQ(cardano_asset_fault(good), "") << good;
    }
    for (const std::string &bad :
         {std::string(), std::string("ADA"), policy, policy + ".0",
          policy + ".0G", policy + ".AB", "C" + policy.substr(1) + ".",
          policy + "0.", policy + "." + std::string(66, '0')}) {
        expect_phrase(cardano_asset_fault(bad), "the policy, a point");
    }
}

// As Circle publishes its tokens.
constexpr const char *kStarknet =
    "0x033068F6539f8e6e6b131e6B2B814e6c34A5224bC66947c47DaB9dFeE93b35fb";

TEST(LedgerAddress, KnowsStarknet)
{
    expect_no_slip(
        [](std::string_view text) {
            // One digit less, or one more, is another number in this form.
            return text.size() != 66 ? "length" : starknet_fault(text);
        },
        kStarknet, 0, "0123456789abcdefABCDEF");
    for (const char *good :
         {"0x0512feAc6339Ff7889822cb5aA2a86C848e9D392bB0E3E237C008674feeD8343",
          "0x512feAc6339Ff7889822cb5aA2a86C848e9D392bB0E3E237C008674feeD8343",
          "0x0512feac6339ff7889822cb5aa2a86c848e9d392bb0e3e237c008674feed8343",
          "0x0512FEAC6339FF7889822CB5AA2A86C848E9D392BB0E3E237C008674FEED8343",
          "0x0800000000000011000000000000000000000000000000000000000000000000",
          "0x1"}) {
        EXPECT_EQ(starknet_fault(good), "") << good;
    }
    for (const char *bad :
         {"0x0", "0x00",
          "0x0800000000000011000000000000000000000000000000000000000000000001",
          "0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
          "f"}) {
        expect_phrase(starknet_fault(bad), "zero or too large");
    }
    for (const std::string &bad :
         {std::string(), std::string("0x"), std::string("0X1"),
          std::string("1234"), std::string("0xg"),
          "0x" + std::string(65, '0')}) {
        expect_phrase(starknet_fault(bad), "up to 64 hexadecimal digits");
    }
}

TEST(LedgerAddress, KnowsCasper)
{
    const std::string hash =
        "7a9f9948cb7b258d18f3c5e85780372971b5b40096e724c9e596c284a01445fa";
    EXPECT_EQ(casper_fault("00" + hash), "");
    EXPECT_EQ(casper_asset_fault(hash), "");
    EXPECT_TRUE(is_unowned_address("casper:casper", std::string(66, '0')));
    expect_phrase(casper_fault("01" + hash), "money sent to a key is lost");
    expect_phrase(
        casper_fault("020376e4f8766e4f33bcc6e20b331b5163f363dc0106063b052ad38af"
                     "e08637bd867"),
        "is a public key");
    for (const std::string &bad :
         {std::string(), hash, "03" + hash, "account-hash-" + hash,
          "00" + hash.substr(1), "00" + hash + "0", "0x00" + hash,
          "00" + hash.substr(1) + "g"}) {
        expect_phrase(casper_fault(bad), "write 00 and the 64");
    }
    for (const std::string &bad : {std::string(), "hash-" + hash, "0x" + hash,
                                   hash.substr(1), "g" + hash.substr(1)}) {
        expect_phrase(casper_asset_fault(bad), "contract package hash");
    }
}

// Of the scheme's text: an account and a token.
TEST(LedgerAddress, KnowsKeeta)
{
    const std::string account =
        "keeta_aabravistgwbrkpl4euafuiualiwcemgvv2hnu7ci66i76naj4vm6tmeahmzria";
    const std::string token =
        "keeta_amnkge74xitii5dsobstldatv3irmyimujfjotftx7plaaaseam4bntb7wnna";
    expect_no_slip(keeta_fault, account, 0, kBase32);
    expect_no_slip(keeta_asset_fault, token, 0, kBase32);
    EXPECT_EQ(keeta_fault("keeta_aabntcpix5wvjtklib7u2aon2tn2jeejs5io4lsv7cmarc"
                          "q7dz53sahhsuapica"),
              "");
    expect_phrase(keeta_fault(token), "is the address of a token");
    expect_phrase(keeta_asset_fault(account), "is the address of an account");
    std::string wrong = account;
    wrong[20] = wrong[20] == 'a' ? 'b' : 'a';
    expect_phrase(keeta_fault(wrong), "does not match its checksum");
    wrong[20] = 'A';
    for (const std::string &bad :
         {std::string(), std::string("keeta_"), wrong, account.substr(6),
          account.substr(0, 40), "keeta_" + std::string(61, '1')}) {
        expect_phrase(keeta_fault(bad), "write keeta_ and the 61 or 63");
    }
}

TEST(LedgerAddress, HasItsNetworks)
{
    EXPECT_EQ(is_testnet("xrpl:0"), false);
    EXPECT_EQ(is_testnet("xrpl:1"), true);
    EXPECT_EQ(is_testnet("near:testnet"), true);
    EXPECT_EQ(is_testnet("ccd:9dd9ca4d19e9393877d2c44b70f89acb"), false);
    EXPECT_EQ(network_title("near:mainnet"), "NEAR");
    EXPECT_NE(address_fault("near:mainnet", "Merchant.near"), "");
    EXPECT_EQ(asset_fault("xrpl:0", "XRP"), "");
    EXPECT_EQ(is_testnet("tron:728126428"), false);
    EXPECT_EQ(is_testnet("cardano:preview"), true);
    EXPECT_EQ(is_testnet("starknet:SN_SEPOLIA"), true);
    EXPECT_EQ(is_testnet("casper:casper"), false);
    EXPECT_EQ(is_testnet("keeta:1413829460"), true);
    EXPECT_EQ(network_title("tron:3448148188"), "TRON Nile");
    EXPECT_EQ(network_title("starknet:SN_MAIN"), "Starknet");
}

}  // namespace
}  // namespace x402
