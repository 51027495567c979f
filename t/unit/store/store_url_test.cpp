// SPDX-License-Identifier: Apache-2.0
#include "store/store_url.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string read(std::string_view text)
{
    auto url = parse_store_url(text);
    if (!url) {
        return "refused: " + url.problem().text;
    }
    return url->base() + (url->user.empty() ? "" : " as " + url->user)
           + (url->places[0].host_is_address ? "" : " by name");
}

TEST(StoreUrl, ReadsWhatAnOperatorWrites)
{
    EXPECT_EQ(read("redis://10.0.0.5:6379/0"), "redis://10.0.0.5:6379");
    EXPECT_EQ(read("redis://10.0.0.5"), "redis://10.0.0.5:6379");
    EXPECT_EQ(read("redis://10.0.0.5/"), "redis://10.0.0.5:6379");
    EXPECT_EQ(read("redis://shop@db.internal:7000/3"),
              "redis://db.internal:7000/3 as shop by name");
    EXPECT_EQ(read("rediss://db.internal"),
              "rediss://db.internal:6379 by name");
    EXPECT_EQ(read("redis://[fd00::1]:7000"), "redis://[fd00::1]:7000");
    EXPECT_EQ(read("redis://[::1]/1"), "redis://[::1]:6379/1");
}

TEST(StoreUrl, ReadsSentinelsAndNodes)
{
    auto url = parse_store_url("sentinels://shop@s1,10.0.0.2:26380/cash/2");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->topology, StoreTopology::sentinel);
    EXPECT_TRUE(url->secure);
    EXPECT_EQ(url->master, "cash");
    EXPECT_EQ(url->places.size(), 2u);
    EXPECT_EQ(read("sentinels://shop@s1,10.0.0.2:26380/cash/2"),
              "sentinels://s1:26379,10.0.0.2:26380/cash/2 as shop by name");
    EXPECT_EQ(read("redis://10.0.0.1,[::1]:7000"),
              "redis://10.0.0.1:6379,[::1]:7000");
    for (const char *text :
         {"sentinel://a", "sentinel://a/", "sentinel://a/b c"}) {
        EXPECT_NE(read(text).find("by its name"), std::string::npos) << text;
    }
    for (const char *text : {"redis://a,", "redis://,a", "redis://a,,b"}) {
        EXPECT_NE(read(text).find("is not a host with a port"),
                  std::string::npos)
            << text;
    }
    EXPECT_NE(read("redis://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17")
                  .find("more than 16 hosts"),
              std::string::npos);
}

TEST(StoreUrl, ReadsWhereServersSayThatOthersAre)
{
    StorePlace place;
    ASSERT_TRUE(read_store_place("10.0.0.7:6379", place));
    EXPECT_EQ(place.text(), "10.0.0.7:6379");
    EXPECT_TRUE(place.host_is_address);
    ASSERT_TRUE(read_store_place("fd00::7:6379", place));
    EXPECT_EQ(place.text(), "[fd00::7]:6379");
    ASSERT_TRUE(read_store_place("node-7.internal:1", place));
    EXPECT_FALSE(place.host_is_address);
    for (const char *text : {"", ":6379", "10.0.0.7", "10.0.0.7:0",
                             "10.0.0.7:65536", "a b:1", "a:1 "}) {
        EXPECT_FALSE(read_store_place(text, place)) << text;
    }
}

TEST(StoreUrl, SaysWhatToWriteInstead)
{
    for (const char *text :
         {"", "10.0.0.5:6379", "http://10.0.0.5", "redis:/10.0.0.5"}) {
        EXPECT_NE(read(text).find("is not the address of a store"),
                  std::string::npos)
            << text;
    }
    for (const char *text :
         {"redis://", "redis://:6379", "redis://a b", "redis://a:",
          "redis://a:0", "redis://a:65536", "redis://a:1x", "redis://[::1",
          "redis://[a]", "redis://[::1]x", "redis://::1", "redis://a:1:2"}) {
        EXPECT_NE(read(text).find("is not a host with a port"),
                  std::string::npos)
            << text;
    }
    for (const char *text : {"redis://a/x", "redis://a/1/2", "redis://a/1024",
                             "redis://a/0?timeout=1s", "redis://a/-1"}) {
        EXPECT_NE(read(text).find("is not the number of a database"),
                  std::string::npos)
            << text;
    }
    EXPECT_NE(read("redis://shop:secret@a").find("password=file"),
              std::string::npos);
    EXPECT_EQ(read("redis://shop:secret@a").find("secret@"), std::string::npos);
    EXPECT_NE(read("redis://@a").find("name of a user"), std::string::npos);
    EXPECT_NE(read("unix:///run/redis.sock").find("redis://host:port"),
              std::string::npos);
}

}  // namespace
}  // namespace x402
