// SPDX-License-Identifier: Apache-2.0
#include "policy/evm_address.hpp"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

// Examples of EIP-55.
constexpr const char *kChecksummed[] = {
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
};

bool is_lower(char character)
{
    return character >= 'a' && character <= 'f';
}

bool is_letter(char character)
{
    return is_lower(character) || (character >= 'A' && character <= 'F');
}

TEST(EvmAddress, WritesChecksumLetters)
{
    for (const char *text : kChecksummed) {
        auto address = parse_evm_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(evm_checksum_text(*address), text);
        EXPECT_TRUE(evm_checksum_ok(text)) << text;
    }
}

TEST(EvmAddress, NoticesEveryLetterInTheWrongCase)
{
    const std::string right = kChecksummed[0];
    for (std::size_t place = 2; place < right.size(); ++place) {
        if (is_letter(right[place])) {
            std::string wrong = right;
            wrong[place] = static_cast<char>(wrong[place] ^ 0x20);
            EXPECT_FALSE(evm_checksum_ok(wrong)) << wrong;
            EXPECT_EQ(parse_evm_address(wrong), parse_evm_address(right));
        }
    }
}

TEST(EvmAddress, LettersOfOneCaseCarryNoChecksum)
{
    EXPECT_TRUE(evm_checksum_ok("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"));
    EXPECT_TRUE(evm_checksum_ok("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"));
    EXPECT_TRUE(evm_checksum_ok("0x1234567890123456789012345678901234567890"));
    EXPECT_TRUE(evm_checksum_ok("0x0000000000000000000000000000000000000000"));
}

TEST(EvmAddress, TwoLettersAreEnoughToNoticeMixedCase)
{
    const std::string zeros(38, '0');
    for (const char *pair : {"Af", "Fa", "aF", "fA", "Bc", "dE"}) {
        std::string text = std::string("0x") + pair[0] + zeros + pair[1];
        std::string right = evm_checksum_text(*parse_evm_address(text));
        EXPECT_EQ(evm_checksum_ok(text), text == right) << text;
    }
}

TEST(EvmAddress, RefusesOtherForms)
{
    const std::string right = kChecksummed[0];
    EXPECT_FALSE(parse_evm_address(""));
    EXPECT_FALSE(parse_evm_address("0x"));
    EXPECT_FALSE(parse_evm_address(right.substr(2)));
    EXPECT_FALSE(parse_evm_address(right + "0"));
    EXPECT_FALSE(parse_evm_address(right + " "));
    EXPECT_FALSE(parse_evm_address(" " + right));
    EXPECT_FALSE(parse_evm_address("0X" + right.substr(2)));
    EXPECT_FALSE(parse_evm_address("0xg" + right.substr(3)));
    for (std::size_t length = 0; length < right.size(); ++length) {
        EXPECT_FALSE(parse_evm_address(right.substr(0, length)));
    }
}

}  // namespace
}  // namespace x402
