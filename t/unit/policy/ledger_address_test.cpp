// SPDX-License-Identifier: Apache-2.0
#include "policy/ledger_address.hpp"

#include <gtest/gtest.h>

#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "policy/network_title.hpp"

namespace x402 {
namespace {

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

TEST(LedgerAddress, HasItsNetworks)
{
    EXPECT_EQ(is_testnet("xrpl:0"), false);
    EXPECT_EQ(is_testnet("xrpl:1"), true);
    EXPECT_EQ(is_testnet("near:testnet"), true);
    EXPECT_EQ(is_testnet("ccd:9dd9ca4d19e9393877d2c44b70f89acb"), false);
    EXPECT_EQ(network_title("near:mainnet"), "NEAR");
    EXPECT_NE(address_fault("near:mainnet", "Merchant.near"), "");
    EXPECT_EQ(asset_fault("xrpl:0", "XRP"), "");
}

}  // namespace
}  // namespace x402
