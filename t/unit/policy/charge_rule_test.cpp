// SPDX-License-Identifier: Apache-2.0
#include "policy/charge_rule.hpp"

#include <ostream>

#include <gtest/gtest.h>

namespace x402 {

static std::ostream &operator<<(std::ostream &out, Charge charge)
{
    constexpr const char *kNames[] = {"free", "charged", "unservable"};
    return out << kNames[static_cast<int>(charge)];
}

namespace {

ContentFacts content(unsigned status, bool from_upstream)
{
    ContentFacts facts;
    facts.status = status;
    facts.status_from_upstream = from_upstream;
    return facts;
}

Charge expected_charge(unsigned status, bool from_upstream)
{
    if (status < 200) {
        return Charge::unservable;
    }
    if (status < 300) {
        return Charge::charged;
    }
    if (status < 400) {
        return from_upstream && status != 304 ? Charge::charged : Charge::free;
    }
    return Charge::free;
}

TEST(ChargeRule, ChargesContentAndNothingElse)
{
    for (unsigned status = 0; status < 700; ++status) {
        for (bool from_upstream : {false, true}) {
            EXPECT_EQ(charge_of(content(status, from_upstream)),
                      expected_charge(status, from_upstream))
                << status << " " << from_upstream;
        }
    }
}

TEST(ChargeRule, SpelledOut)
{
    struct Row {
        unsigned status;
        bool from_upstream;
        Charge charge;
    };
    constexpr Row kRows[] = {
        {0, false, Charge::unservable},  {101, true, Charge::unservable},
        {103, true, Charge::unservable}, {200, false, Charge::charged},
        {200, true, Charge::charged},    {204, true, Charge::charged},
        {206, false, Charge::charged},   {301, false, Charge::free},
        {301, true, Charge::charged},    {302, true, Charge::charged},
        {304, false, Charge::free},      {304, true, Charge::free},
        {400, true, Charge::free},       {402, true, Charge::free},
        {404, false, Charge::free},      {499, false, Charge::free},
        {500, true, Charge::free},       {502, false, Charge::free},
    };
    for (const Row &row : kRows) {
        EXPECT_EQ(charge_of(content(row.status, row.from_upstream)), row.charge)
            << row.status << " " << row.from_upstream;
    }
}

TEST(ChargeRule, AFailedGrpcCallIsFree)
{
    ContentFacts facts = content(200, true);
    facts.grpc_failed = true;
    EXPECT_EQ(charge_of(facts), Charge::free);
    facts.status = 101;
    EXPECT_EQ(charge_of(facts), Charge::unservable);
}

TEST(ChargeRule, WhatALocationMadeThatIsOffIsFree)
{
    for (unsigned status = 200; status < 700; ++status) {
        ContentFacts facts = content(status, true);
        facts.made_where_free = true;
        EXPECT_EQ(charge_of(facts), Charge::free) << status;
        EXPECT_FALSE(is_delivery(facts, false)) << status;
        EXPECT_FALSE(is_delivery(facts, true)) << status;
    }
}

TEST(ChargeRule, WhatAFilterFailedIsNoDelivery)
{
    for (unsigned status : {403u, 415u, 416u, 500u}) {
        ContentFacts facts = content(status, false);
        facts.filter_failed = true;
        EXPECT_EQ(charge_of(facts), Charge::free) << status;
        EXPECT_FALSE(is_delivery(facts, false)) << status;
        EXPECT_FALSE(is_delivery(facts, true)) << status;
    }
}

TEST(ChargeRule, WhatIsDeliveryDependsOnWhenItWasSettled)
{
    struct Row {
        unsigned status;
        bool settled_late;
        bool settled_before;
    };
    constexpr Row kRows[] = {
        {200, true, true},   {204, true, true},   {302, true, true},
        {304, true, true},   {400, false, true},  {404, false, true},
        {407, false, true},  {408, false, false}, {409, false, true},
        {428, false, true},  {429, false, false}, {430, false, true},
        {499, false, true},  {500, false, false}, {502, false, false},
        {504, false, false}, {599, false, false},
    };
    for (const Row &row : kRows) {
        for (bool from_upstream : {false, true}) {
            ContentFacts facts = content(row.status, from_upstream);
            EXPECT_EQ(is_delivery(facts, false), row.settled_late)
                << row.status;
            EXPECT_EQ(is_delivery(facts, true), row.settled_before)
                << row.status;
            facts.grpc_failed = true;
            EXPECT_FALSE(is_delivery(facts, false)) << row.status;
            EXPECT_FALSE(is_delivery(facts, true)) << row.status;
        }
    }
}

TEST(ChargeRule, WhereOnlySuccessIsChargedRedirectsAreFree)
{
    for (unsigned status = 200; status < 600; ++status) {
        for (bool from_upstream : {false, true}) {
            ContentFacts facts = content(status, from_upstream);
            facts.success_only = true;
            EXPECT_EQ(charge_of(facts),
                      status < 300 ? Charge::charged : Charge::free)
                << status;
        }
    }
}

// A late settlement does not pay for what would have been free in time.
TEST(ChargeRule, WhatIsChargedIsDelivery)
{
    for (unsigned status = 200; status < 700; ++status) {
        for (bool from_upstream : {false, true}) {
            ContentFacts facts = content(status, from_upstream);
            if (charge_of(facts) == Charge::charged) {
                EXPECT_TRUE(is_delivery(facts, false)) << status;
                EXPECT_TRUE(is_delivery(facts, true)) << status;
            }
        }
    }
}

}  // namespace
}  // namespace x402
