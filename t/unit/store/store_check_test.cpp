// SPDX-License-Identifier: Apache-2.0
#include "store/store_check.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string info(std::string version, std::string mode, std::string role,
                 std::string policy)
{
    return "# Server\r\nredis_version:" + version + "\r\nredis_mode:" + mode
           + "\r\n\r\n# Memory\r\nmaxmemory_policy:" + policy
           + "\r\n\r\n# Replication\r\nrole:" + role + "\r\n";
}

constexpr StoreTopology kSingle = StoreTopology::single;

bool says(const std::string &sentence, const char *words)
{
    return sentence.find(words) != std::string::npos;
}

TEST(StoreCheck, AMasterThatForgetsNothingIsGood)
{
    EXPECT_EQ(
        check_store_info(info("7.0.15", "standalone", "master", "noeviction"),
                         kSingle),
        "");
    EXPECT_EQ(check_store_info(info("10.1", "", "master", "noeviction"),
                               StoreTopology::sentinel),
              "");
    for (const char *role : {"master", "slave"}) {
        EXPECT_EQ(check_store_info(info("7.2", "cluster", role, "noeviction"),
                                   StoreTopology::cluster),
                  "");
    }
}

TEST(StoreCheck, SaysWhatToDo)
{
    EXPECT_TRUE(
        says(check_store_info(
                 info("6.2.7", "standalone", "master", "noeviction"), kSingle),
             "upgrade it"));
    EXPECT_TRUE(
        says(check_store_info(info("7.0.15", "cluster", "master", "noeviction"),
                              kSingle),
             "add \"cluster\""));
    EXPECT_TRUE(says(
        check_store_info(info("7.0.15", "standalone", "master", "noeviction"),
                         StoreTopology::cluster),
        "leave \"cluster\" out"));
    EXPECT_TRUE(says(
        check_store_info(info("7.0.15", "standalone", "slave", "noeviction"),
                         StoreTopology::sentinel),
        "asked again"));
    EXPECT_TRUE(
        says(check_store_info(info("7.0.15", "sentinel", "", ""), kSingle),
             "is a sentinel"));
    EXPECT_TRUE(
        says(check_store_info(
                 info("7.0.15", "standalone", "slave", "noeviction"), kSingle),
             "address of its master"));
    EXPECT_TRUE(says(
        check_store_info(info("7.0.15", "standalone", "master", "volatile-lru"),
                         kSingle),
        "set maxmemory-policy to noeviction"));
    EXPECT_TRUE(says(check_store_info("", kSingle), "version"));
    EXPECT_TRUE(
        says(check_store_info("x\r\nredis_version", kSingle), "version"));
    EXPECT_TRUE(
        says(check_store_info("redis_version:7.0.0\r\n", kSingle), "replica"));
}

}  // namespace
}  // namespace x402
