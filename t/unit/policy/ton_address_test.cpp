// SPDX-License-Identifier: Apache-2.0
#include "policy/ton_address.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "policy/network_title.hpp"

namespace x402 {
namespace {

// The token of the scheme's text, as the official documentation and as a wallet
// would write it.
constexpr const char *kRaw =
    "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe";
constexpr const char *kContract =
    "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs";
constexpr const char *kWallet =
    "UQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_p0p";
constexpr const char *kForTests =
    "kQDNUDJC0iQvJoZp0ml-YteL1NtTXKphU03CTI5v4VtBhGYs";

void expect_phrase(const std::string &fault, const char *phrase)
{
    EXPECT_NE(fault.find(phrase), std::string::npos) << fault;
}

TEST(TonAddress, HasARawAndAFriendlyForm)
{
    for (const char *good : {kRaw, kContract, kWallet}) {
        EXPECT_EQ(ton_fault(good), "") << good;
        EXPECT_EQ(raw_ton_address(good), kRaw) << good;
    }
    EXPECT_EQ(
        raw_ton_address(kForTests),
        "0:cd503242d2242f268669d2697e62d78bd4db535caa61534dc24c8e6fe15b418"
        "4");
    // The elector, a contract of the masterchain.
    EXPECT_EQ(ton_fault("Ef8zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM0vF"),
              "");
    EXPECT_EQ(
        raw_ton_address("Ef8zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM0vF"),
        "-1:" + std::string(64, '3'));
    EXPECT_EQ(raw_ton_address("-1:" + std::string(64, 'A')),
              "-1:" + std::string(64, 'a'));
}

TEST(TonAddress, ReadsTheOtherAlphabet)
{
    std::string standard = kContract;
    standard[standard.find('_')] = '/';
    EXPECT_EQ(ton_fault(standard), "");
    EXPECT_EQ(raw_ton_address(standard), kRaw);
}

TEST(TonAddress, FindsEachWrongCharacter)
{
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const std::string address = kWallet;
    for (std::size_t place = 0; place < address.size(); ++place) {
        for (char letter : kLetters) {
            std::string changed = address;
            changed[place] = letter;
            if (changed != address) {
                expect_phrase(ton_fault(changed),
                              "does not match its checksum");
            }
        }
    }
    for (const std::string &bad :
         {std::string(), address.substr(1), address + "A", address + "=",
          "0:" + std::string(63, 'a'), "0:" + std::string(65, 'a'),
          "0:" + std::string(63, 'a') + "g", "1:" + std::string(64, 'a'),
          ":" + std::string(64, 'a'), "00:" + std::string(64, 'a'),
          "0:0x" + std::string(62, 'a'), std::string(64, 'a')}) {
        expect_phrase(ton_fault(bad), "is not a TON address");
    }
    // The checksum fits, and the workchain does not exist.
    expect_phrase(ton_fault("EQEzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzlR"),
                  "is not a TON address");
}

TEST(TonAddress, SaysWhatIsForTestsOnly)
{
    EXPECT_EQ(address_fault("tvm:-3", kForTests), "");
    EXPECT_EQ(address_fault("tvm:-3", kWallet), "");
    expect_phrase(address_fault("tvm:-239", kForTests),
                  "is an address of a test network");
    expect_phrase(asset_fault("tvm:-239", kForTests),
                  "is an address of a test network");
    EXPECT_EQ(is_testnet("tvm:-239"), false);
    EXPECT_EQ(network_title("tvm:-3"), "TON Testnet");
}

TEST(TonAddress, BelongsToNobodyInEachForm)
{
    EXPECT_TRUE(is_unowned_address("tvm:-239", "0:" + std::string(64, '0')));
    EXPECT_TRUE(is_unowned_address(
        "tvm:-239", "EQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAM9c"));
    EXPECT_FALSE(is_unowned_address("tvm:-239", kWallet));
}

}  // namespace
}  // namespace x402
