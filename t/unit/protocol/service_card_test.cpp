// SPDX-License-Identifier: Apache-2.0
#include "protocol/service_card.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(ServiceCard, WritesTheMembersOfTheReference)
{
    ServiceCard card;
    EXPECT_EQ(card.resource_members(), "");
    EXPECT_EQ(card.read("name=Example"), "");
    EXPECT_EQ(card.read("tags=a,b"), "");
    EXPECT_EQ(card.read("icon=https://api.example.com/i.png"), "");
    EXPECT_EQ(card.resource_members(),
              ",\"serviceName\":\"Example\",\"tags\":[\"a\",\"b\"],"
              "\"iconUrl\":\"https://api.example.com/i.png\"");
}

TEST(ServiceCard, RefusesWhatClientsRefuse)
{
    for (std::string word :
         {std::string("name="), "name=" + std::string(33, 'a'),
          std::string("name=\xc3\xa4"), std::string("tags=a,b,c,d,e,f"),
          std::string("tags=a,,b"), std::string("icon=ftp://a/b"),
          "icon=https://" + std::string(2048, 'a'),
          std::string("contact=nobody"), std::string("path=weather"),
          std::string("path=/a?b"), std::string("method=get"),
          std::string("price=1"), std::string("price=2-1"),
          std::string("price=a-b"), std::string("list=maybe"),
          std::string("colour=red"), std::string("name")}) {
        ServiceCard card;
        bool fine = card.read(word).empty();
        EXPECT_EQ(fine, word == "price=1") << word;
    }
}

TEST(ServiceCard, ReadsPathsInBothSpellings)
{
    ServiceCard card;
    EXPECT_EQ(card.read("path=/weather/:city"), "");
    EXPECT_EQ(card.path, "/weather/{city}");
    EXPECT_EQ(card.read("path=/weather/{city}"), "");
    EXPECT_EQ(card.path, "/weather/{city}");
    EXPECT_EQ(card.read("path=/plain"), "");
    EXPECT_EQ(card.path, "/plain");
    EXPECT_TRUE(card.is_of_location());
}

TEST(ServiceCard, InheritsWhatIsOfTheServer)
{
    ServiceCard outer;
    outer.read("name=Outer");
    outer.read("contact=a@b.c");
    outer.read("path=/x");
    ServiceCard card;
    card.read("name=Inner");
    card.inherit(outer);
    EXPECT_EQ(card.name, "Inner");
    EXPECT_EQ(card.contact, "a@b.c");
    EXPECT_EQ(card.path, "");
}

TEST(ServiceCard, KeepsRangesOfPricesAsDecimals)
{
    ServiceCard card;
    EXPECT_EQ(card.read("price=0.010-0.25"), "");
    EXPECT_EQ(card.lowest + " " + card.highest, "0.01 0.25");
}

}  // namespace
}  // namespace x402
