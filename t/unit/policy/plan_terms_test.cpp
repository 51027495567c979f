// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_terms.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

PlanTerms terms(const char *credits = "3", const char *scheme = "")
{
    PlanTerms made;
    made.plan = "97356912389073";
    made.credits = credits;
    made.scheme = scheme;
    return made;
}

TEST(PlanTerms, NetworksComeFromTheSchemeUnlessWritten)
{
    PlanTerms crypto = terms("", "nvm:erc4337");
    auto option = plan_requirements(crypto);
    ASSERT_TRUE(option);
    EXPECT_EQ(option->network, "eip155:84532");
    EXPECT_EQ(option->amount, "1");
    EXPECT_EQ(option->plan, "97356912389073");
    crypto.live = true;
    EXPECT_EQ(plan_requirements(crypto)->network, "eip155:8453");
    crypto.network = "base-sepolia";
    EXPECT_EQ(plan_requirements(crypto)->network, "eip155:84532");

    PlanTerms card = terms("2", "nvm:card-delegation");
    EXPECT_EQ(plan_requirements(card)->network, "stripe");
    card.network = "visa";
    EXPECT_EQ(plan_requirements(card)->network, "visa");
}

TEST(PlanTerms, OpenOnesAreAsThePlanSays)
{
    for (const char *scheme : {"", "nvm"}) {
        PlanTerms open = terms("2", scheme);
        EXPECT_TRUE(open.is_open());
        EXPECT_EQ(plan_requirements(open)->scheme, "nvm:erc4337");
        PlanKind card = {std::string(kCardPlan), "braintree"};
        EXPECT_EQ(plan_requirements(open, card)->scheme, "nvm:card-delegation");
        EXPECT_EQ(plan_requirements(open, card)->network, "braintree");
    }
    PlanKind card = {std::string(kCardPlan), "braintree"};
    EXPECT_EQ(plan_requirements(terms("2", "nvm:erc4337"), card)->scheme,
              "nvm:erc4337");
}

TEST(PlanTerms, CreditsAreWholeNumbers)
{
    for (const char *good : {"0", "1", "999999999999999999"}) {
        EXPECT_FALSE(check_plan_terms(terms(good))) << good;
        EXPECT_EQ(plan_requirements(terms(good))->amount, good);
    }
    for (const char *bad :
         {"-1", "01", "1.5", "1e3", " 1", "x", "+1", "1000000000000000000"}) {
        EXPECT_TRUE(check_plan_terms(terms(bad))) << bad;
        EXPECT_FALSE(plan_requirements(terms(bad))) << bad;
    }
    EXPECT_FALSE(check_plan_terms(terms("$credits")));
}

TEST(PlanTerms, WordsAreChecked)
{
    for (const char *plan : {"", "x", "1-", "01", "0x12"}) {
        PlanTerms bad = terms();
        bad.plan = plan;
        EXPECT_TRUE(check_plan_terms(bad)) << plan;
    }
    PlanTerms longest = terms();
    longest.plan = std::string(78, '9');
    EXPECT_FALSE(check_plan_terms(longest));
    longest.plan += "9";
    EXPECT_TRUE(check_plan_terms(longest));

    EXPECT_TRUE(check_plan_terms(terms("1", "exact")));
    PlanTerms agent = terms();
    agent.agent = "two words";
    EXPECT_TRUE(check_plan_terms(agent));
}

}  // namespace
}  // namespace x402
