// SPDX-License-Identifier: Apache-2.0
#include "protocol/ledger_line.hpp"

#include <gtest/gtest.h>

#include "base/json_document.hpp"
#include "base/module_version.hpp"

namespace x402 {
namespace {

LedgerFacts some_facts()
{
    LedgerFacts facts;
    facts.request_id = "0123";
    facts.server = "shop.example";
    facts.location = "/api";
    facts.method = "GET";
    facts.resource = "https://shop.example/api?q=\"\n\xff";
    facts.payer = "0xpayer";
    facts.pay_to = "0xshop";
    facts.network = "eip155:8453";
    facts.asset = "0xusdc";
    facts.symbol = "USDC";
    facts.amount = "10000";
    facts.decimals = 6;
    facts.scheme = "exact";
    facts.version = 2;
    facts.verify_ms = 0;
    return facts;
}

TEST(LedgerLine, HasAllMembersInOneLine)
{
    LedgerEvent event;
    event.kind = LedgerEventKind::settled;
    event.time_ms = 1795855492007;
    event.payment[0] = 0xab;
    event.facts = some_facts();
    event.transaction = "0xt";
    event.facilitator = "https://f.example";
    event.settle_ms = 1234;
    std::string line = ledger_line(event);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    auto document = JsonDocument::parse(line);
    ASSERT_TRUE(document);
    JsonValue root = document->root();
    EXPECT_EQ(root["time"].string(), "2026-11-28T08:44:52.007Z");
    EXPECT_EQ(root["event"].string(), "settled");
    EXPECT_EQ(root["payment_id"].string(), "ab" + std::string(62, '0'));
    EXPECT_EQ(root["resource"].string(),
              "https://shop.example/api?q=\"\n\xef\xbf\xbd");
    EXPECT_EQ(root["amount"].string(), "10000");
    EXPECT_EQ(root["amount_decimal"].string(), "0.01");
    EXPECT_EQ(root["transaction"].string(), "0xt");
    EXPECT_EQ(root["module_version"].string(), NGX_HTTP_X402_VERSION);
    for (const char *part :
         {"\"x402_version\":2", "\"verify_ms\":0", "\"settle_ms\":1234",
          "\"delivered\":false", "\"reason\":null"}) {
        EXPECT_NE(line.find(part), std::string::npos) << part;
    }
}

// No byte becomes more than six.
TEST(LedgerLine, HasRoomForTheLongestTexts)
{
    std::string bad(200, '\x01');
    std::string digits(78, '9');
    LedgerEvent event;
    event.kind = LedgerEventKind::would_challenge;
    LedgerFacts &facts = event.facts;
    for (std::string_view *text :
         {&facts.request_id, &facts.server, &facts.location, &facts.method,
          &facts.resource, &facts.payer, &facts.pay_to, &facts.network,
          &facts.asset, &facts.symbol, &facts.scheme, &event.transaction,
          &event.facilitator, &event.reason}) {
        *text = bad;
    }
    facts.amount = digits;
    facts.version = 4000000000;
    facts.verify_ms = event.settle_ms = std::uint64_t{INT64_MAX};
    for (unsigned decimals : {0u, 18u, 255u}) {
        facts.decimals = decimals;
        auto document = JsonDocument::parse(ledger_line(event));
        ASSERT_TRUE(document);
        EXPECT_EQ(document->root()["reason"].string(), bad);
        EXPECT_EQ(document->root()["amount"].string(), digits);
        EXPECT_EQ(document->root().size(), 24u);
    }
}

TEST(LedgerLine, WhatIsNotKnownIsNull)
{
    LedgerEvent event;
    event.kind = LedgerEventKind::redelivered;
    std::string line = ledger_line(event);
    EXPECT_TRUE(JsonDocument::parse(line));
    for (const char *part :
         {"\"payment_id\":null", "\"request_id\":null", "\"amount\":null",
          "\"amount_decimal\":null", "\"x402_version\":null",
          "\"verify_ms\":null", "\"settle_ms\":null", "\"delivered\":true"}) {
        EXPECT_NE(line.find(part), std::string::npos) << part;
    }
}

TEST(LedgerFacts, ArePackedAndUnpacked)
{
    std::string packed = pack_facts(some_facts());
    LedgerFacts read;
    ASSERT_TRUE(unpack_facts(packed, read));
    LedgerEvent before;
    before.facts = some_facts();
    LedgerEvent after;
    after.facts = read;
    EXPECT_EQ(ledger_line(after), ledger_line(before));
    for (std::size_t size = 0; size < packed.size(); size++) {
        EXPECT_FALSE(unpack_facts(packed.substr(0, size), read)) << size;
    }
}

TEST(LedgerFacts, NeverOutgrowTheirPlace)
{
    std::string text(10000, 'x');
    LedgerFacts facts = some_facts();
    facts.resource = text;
    std::string packed = pack_facts(facts);
    EXPECT_LE(packed.size(), kLongestPackedFacts);
    LedgerFacts read;
    ASSERT_TRUE(unpack_facts(packed, read));
    EXPECT_GT(read.resource.size(), 500u);
    facts.server = facts.location = facts.payer = facts.asset = text;
    facts.pay_to = facts.amount = facts.scheme = facts.request_id = text;
    packed = pack_facts(facts);
    EXPECT_LE(packed.size(), kLongestPackedFacts);
    EXPECT_TRUE(unpack_facts(packed, read));
}

TEST(LedgerLine, EveryEventHasAName)
{
    EXPECT_STREQ(ledger_event_name(LedgerEventKind::closed), "closed");
    EXPECT_STREQ(ledger_event_name(LedgerEventKind::would_charge),
                 "would_charge");
    EXPECT_STREQ(ledger_event_name(LedgerEventKind::returned), "returned");
}

}  // namespace
}  // namespace x402
