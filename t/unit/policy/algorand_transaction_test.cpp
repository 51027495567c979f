// SPDX-License-Identifier: Apache-2.0
#include "policy/algorand_transaction.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "base/sha256_digest.hpp"
#include "policy/claim_key.hpp"
#include "scheme_reading.hpp"

namespace x402 {
namespace {

std::string packed(const std::string &name, const std::string &value)
{
    return static_cast<char>(0xa0 + name.size()) + name + value;
}

std::string bytes32(char byte)
{
    return "\xc4\x20" + std::string(32, byte);
}

using FacilitatorPeers = std::vector<std::pair<std::string, std::string>>;

FacilitatorPeers transfer(bool grouped)
{
    FacilitatorPeers members = {
        {"aamt", std::string("\xcd\x27\x10", 3)},
        {"arcv", bytes32('r')},
        {"fv", "\x05"},
        {"gen", "\xa2tn"},
        {"gh", bytes32('g')},
        {"grp", bytes32('p')},
        {"lv", "\x07"},
        {"snd", bytes32('s')},
        {"type", "\xa5"
                 "axfer"},
        {"xaid", std::string("\xce\x00\x9f\x97\x5a", 5)},
    };
    if (!grouped) {
        members.erase(members.begin() + 5);
    }
    return members;
}

std::string map_of(const FacilitatorPeers &members)
{
    std::string text(1, static_cast<char>(0x80 + members.size()));
    for (const auto &[name, value] : members) {
        text += packed(name, value);
    }
    return text;
}

std::string algorand_payload(const FacilitatorPeers &members,
                             char signature = '\x66')
{
    std::string wrapped =
        "\x82" + packed("sig", "\xc4\x40" + std::string(64, signature))
        + packed("txn", map_of(members));
    return "{\"paymentGroup\":[\"" + base64_encode("\x80") + "\",\""
           + base64_encode(wrapped) + "\"],\"paymentIndex\":1}";
}

std::string algorand_key(const FacilitatorPeers &members,
                         char signature = '\x66')
{
    return key_of("exact", "algorand-testnet",
                  algorand_payload(members, signature));
}

TEST(PaymentForms, AlgorandKeysAreOfTheGroupElseOfTheTransaction)
{
    std::string key = algorand_key(transfer(true));
    Digest expected = network_claim_key(
        "algorand", "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe",
        std::string(32, 'p'));
    EXPECT_EQ(key, std::string(expected.begin(), expected.end()));
    EXPECT_EQ(algorand_key(transfer(true), '\x67'), key);

    std::string alone = algorand_key(transfer(false));
    Digest id = sha512_256("TX" + map_of(transfer(false)));
    expected = network_claim_key("algorand", "algorand-testnet",
                                 std::string(id.begin(), id.end()));
    EXPECT_EQ(alone, std::string(expected.begin(), expected.end()));
    EXPECT_EQ(algorand_key(transfer(false), '\x67'), alone);
    FacilitatorPeers other = transfer(false);
    other[2].second = "\x06";
    EXPECT_NE(algorand_key(other), alone);
    EXPECT_NE(algorand_key(other), "");
}

TEST(PaymentForms, AlgorandTransactionsHaveOneSpelling)
{
    const std::pair<std::size_t, std::string> kSpellings[] = {
        {0, std::string("\xce\0\0\x27\x10", 5)},  // not the shortest number
        {2, std::string("\xcc\x05", 2)},          // likewise
        {2, std::string(1, '\0')},                // zero is left out
        {1, bytes32('\0')},                       // likewise
        {1, "\xda" + std::string(1, '\0') + "\x20" + std::string(32, 'r')},
        {1, "\xd9\x20" + std::string(32, 'r')},  // text for bytes
        {1, std::string("\xc5\0\x20", 3) + std::string(32, 'r')},
        {1, "\xc4\x1f" + std::string(31, 'r')},
        {3, "\xd9\x02tn"},
        {3, "\xa0"},
        {2, "\xc3"},
        {2, "\xd0\x05"},
    };
    for (const auto &[place, value] : kSpellings) {
        FacilitatorPeers members = transfer(false);
        members[place].second = value;
        EXPECT_EQ(algorand_key(members), "") << place;
    }
    FacilitatorPeers members = transfer(false);
    std::swap(members[0], members[1]);
    EXPECT_EQ(algorand_key(members), "");
    members = transfer(false);
    members.emplace_back("zzz", "\x01");
    EXPECT_EQ(algorand_key(members), "");
    members = transfer(false);
    members[1] = members[0];
    EXPECT_EQ(algorand_key(members), "");
    EXPECT_EQ(algorand_key({}), "");
}

TEST(PaymentForms, AlgorandGroupsHoldUpToSixteen)
{
    std::string good = algorand_payload(transfer(true));
    auto key = [](const std::string &payload) {
        return key_of("exact", "algorand", payload);
    };
    auto with = [&good](std::size_t more) {
        std::string list;
        for (; more > 0; --more) {
            list += "\"gA==\",";
        }
        return changed(changed(good, "[", "[" + list), "Index\":1",
                       "Index\":"
                           + std::to_string(
                               std::count(list.begin(), list.end(), ',') + 1));
    };
    EXPECT_NE(key(with(14)), "");
    EXPECT_EQ(key(with(14)), key(good));
    EXPECT_EQ(key(with(15)), "");
    for (const char *pair :
         {"Index\":1|Index\":2", "Index\":1|Index\":-1", "Index\":1|Index\":0",
          "Index\":1|Index\":\"1\"", "Index\":1|Index\":1.5", "\"gA==\"|5",
          "\"gA==\"|\"gQ==\"", "\"gA==\"|\"gAA=\"", "\"gA==\"|\"kA==\"",
          "\"gA==\"|\"\"", "{|{\"a\":1,"}) {
        std::string text(pair);
        std::size_t bar = text.find('|');
        EXPECT_EQ(key(changed(good, text.substr(0, bar), text.substr(bar + 1))),
                  "")
            << pair;
    }
    EXPECT_EQ(key(R"({"paymentGroup":[],"paymentIndex":0})"), "");
}

}  // namespace
}  // namespace x402
