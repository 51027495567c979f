// SPDX-License-Identifier: Apache-2.0
#include "policy/accept_terms.hpp"

#include <cstddef>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "accept_samples.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kDomain = R"({"name":"Tok","version":"1"})";

TEST(AcceptTerms, DollarsOnAKnownNetworkNeedNothingElse)
{
    EXPECT_EQ(json_of(sample_terms()),
              R"({"scheme":"exact","network":"eip155:84532","amount":"10000",)"
              R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
              R"("payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C",)"
              R"("maxTimeoutSeconds":300,)"
              R"("extra":{"name":"USDC","version":"2"}})");
}

TEST(AcceptTerms, AreEqualInEveryWord)
{
    const AcceptTerms terms = sample_terms();
    EXPECT_TRUE(terms == sample_terms());
    for (std::string AcceptTerms::*word :
         {&AcceptTerms::network, &AcceptTerms::pay_to, &AcceptTerms::price,
          &AcceptTerms::amount, &AcceptTerms::asset, &AcceptTerms::decimals,
          &AcceptTerms::scheme, &AcceptTerms::extra}) {
        AcceptTerms other = terms;
        (other.*word).push_back('1');
        EXPECT_FALSE(terms == other) << other.*word;
    }
    AcceptTerms longer = terms;
    longer.timeout_seconds++;
    EXPECT_FALSE(terms == longer);
    AcceptTerms earlier = terms;
    earlier.upfront = !earlier.upfront;
    EXPECT_FALSE(terms == earlier);
}

TEST(AcceptTerms, AddressesGoOutAsWritten)
{
    AcceptTerms terms = sample_terms();
    terms.pay_to = "0x209693bc6afc0c5328ba36faf03c514ef312287c";
    terms.asset = "0x036cbd53842c5426634e7929541ec2318f3dcf7e";
    Result<PaymentRequirements> requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_EQ(requirements->pay_to, terms.pay_to);
    EXPECT_EQ(requirements->asset, terms.asset);
    EXPECT_EQ(written(requirements->extra.root()),
              R"({"name":"USDC","version":"2"})");
}

TEST(AcceptTerms, ExtraIsLaidOverWhatIsKnown)
{
    AcceptTerms terms = sample_terms();
    terms.extra = R"({"note":{"b":1,"a":[2]},"version":"9"})";
    Result<PaymentRequirements> requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_EQ(written(requirements->extra.root()),
              R"({"name":"USDC","version":"9","note":{"b":1,"a":[2]}})");
}

TEST(AcceptTerms, TickersChooseAmongKnownTokens)
{
    AcceptTerms terms = sample_terms();
    terms.network = "celo";
    terms.price = "0.01 usdt";
    Result<PaymentRequirements> requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_EQ(requirements->asset,
              "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e");

    terms.price = "0.01";
    terms.asset = "USAT";
    requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_EQ(requirements->asset,
              "0xD2ab3C9A02DBBAB236BfEC45D1d755DF4267F771");
}

TEST(AcceptTerms, UnknownTokensNeedDecimalsAndDomain)
{
    AcceptTerms terms = sample_terms();
    terms.network = "eip155:31337";
    terms.asset = kUnknownAsset;
    terms.price = "1.5";
    EXPECT_NE(problem_of(terms).find("its decimals are needed"),
              std::string::npos);
    terms.decimals = "18";
    EXPECT_NE(problem_of(terms).find("EIP-712 domain is needed"),
              std::string::npos);
    terms.extra = R"({"name":"Tok"})";
    EXPECT_NE(problem_of(terms).find("EIP-712 domain is needed"),
              std::string::npos);
    terms.extra = kDomain;
    Result<PaymentRequirements> requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_EQ(requirements->amount, "1500000000000000000");
    EXPECT_EQ(requirements->network, "eip155:31337");
}

TEST(AcceptTerms, AmountsInAtomicUnitsNeedNoDecimals)
{
    AcceptTerms terms = sample_terms();
    terms.price.clear();
    terms.amount = "1234";
    terms.asset = kUnknownAsset;
    terms.extra = kDomain;
    Result<PaymentRequirements> requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_EQ(requirements->amount, "1234");

    terms.amount = "0";
    EXPECT_TRUE(build_requirements(terms));
}

TEST(AcceptTerms, PlainZeroIsAPrice)
{
    AcceptTerms terms = sample_terms();
    for (const char *price : {"0", "$0", "0 USDC"}) {
        terms.price = price;
        Result<PaymentRequirements> requirements = build_requirements(terms);
        ASSERT_TRUE(requirements) << requirements.problem().text;
        EXPECT_EQ(requirements->amount, "0");
    }
}

TEST(AcceptTerms, AcceptsWhatIsWrittenTwiceAndAgrees)
{
    AcceptTerms terms = sample_terms();
    terms.scheme = "exact";
    terms.decimals = "6";
    terms.asset = "usdc";
    terms.extra = R"({"assetTransferMethod":"eip3009",)"
                  R"("paymentFlow":"authorization"})";
    EXPECT_TRUE(build_requirements(terms)) << problem_of(terms);
}

struct Fault {
    std::string AcceptTerms::*member;
    const char *written;
    const char *sentence;
};

using T = AcceptTerms;

constexpr Fault kFaults[] = {
    {&T::network, "", "the network is missing"},
    {&T::network, "foo", "network \"foo\" is not known: write a CAIP-2"},
    {&T::network, "Base", "network \"Base\" is not known"},
    {&T::network, "EIP155:8453", "is not known"},
    {&T::network, "eip155:0x2105", "has no chain id after eip155"},
    {&T::network, "eip155:08453", "has no chain id after eip155"},
    {&T::network, "eip155:31337", "has no token that dollars stand for"},
    {&T::network, "solana",
     "is not a Solana address: write 32 bytes in base58"},
    {&T::network, "algorand-testnet",
     "is not an Algorand address: write its 58"},
    {&T::network, "hedera:mainnet", "has no token that dollars stand for"},
    {&T::network, "$network", "has a variable in it"},
    {&T::pay_to, "", "the receiving address is missing"},
    {&T::pay_to, "0x2096", "pay_to \"0x2096\" is not an EVM address"},
    {&T::pay_to, "0x209693Bc6afc0C5328bA36FaF03C514EF312287c",
     "does not match its checksum"},
    {&T::pay_to, "0x0000000000000000000000000000000000000000",
     "does not belong to anyone: write your own"},
    {&T::pay_to, "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
     "is the address of the token"},
    {&T::pay_to, "$country_address", "has a variable in it"},
    {&T::price, "", "the price is missing"},
    {&T::price, "$price", "price \"$price\" has a variable in it"},
    {&T::price, "$0.0000001", "price \"0.0000001\" is finer than"},
    {&T::price, "0.00", "price \"0.00\" is zero: write a plain 0"},
    {&T::price, "-1", "price \"-1\" has a sign"},
    {&T::price, "1,000", "has a separator"},
    {&T::price, "1e-3", "has an exponent"},
    {&T::price, "$0.01USDC", "lacks a blank before its ticker"},
    {&T::price, "$0.01 EURC", "names dollars and a token"},
    {&T::price, "0.01 USDT",
     "price \"0.01 USDT\" names no token that is known on eip155:84532"},
    {&T::amount, "100", "price and amount are both written"},
    {&T::asset, "DAI", "asset \"DAI\" names no token that is known on"},
    {&T::asset, "0x12", "asset \"0x12\" is not an EVM address"},
    {&T::asset, "0x036CbD53842c5426634e7929541eC2318f3dCF7E",
     "does not match its checksum"},
    {&T::decimals, "18",
     "decimals \"18\" is wrong, USDC on eip155:84532 has 6"},
    {&T::decimals, "six", "decimals \"six\" is not a number of decimals"},
    {&T::decimals, "-6", "is not a number of decimals"},
    {&T::decimals, "78", "is not a number of decimals"},
    {&T::decimals, "6 ", "is not a number of decimals"},
    {&T::decimals, "99999999999999999999", "is not a number of decimals"},
    {&T::scheme, "Exact", "scheme \"Exact\" is not supported: write exact or"},
    {&T::scheme, "batch-settlement", "is not supported: write exact or upto"},
    {&T::scheme, "auth-capture", "is not supported: write exact or upto"},
    {&T::extra, "{", "extra \"{\" is not JSON ("},
    {&T::extra, "[]", "extra \"[]\" is not a JSON object"},
    {&T::extra, R"({"a":1,"a":2})", "duplicate"},
    {&T::extra, R"({"name":5})", "extra has a name or version that is no"},
    {&T::extra, R"({"version":""})", "extra has a name or version"},
    {&T::extra, R"({"assetTransferMethod":"erc7710"})",
     "assetTransferMethod \"erc7710\" is not supported: write permit2, or"},
    {&T::extra, R"({"assetTransferMethod":null})",
     "assetTransferMethod \"\" is not supported"},
    {&T::extra, R"({"paymentFlow":"upfront"})",
     "which is what \"x402_settle before\" does: write that"},
    {&T::extra, R"({"paymentFlow":"escrow"})",
     "paymentFlow \"escrow\" is not supported"},
    {&T::extra, R"({"a":"$b"})", "has a variable in it"},
};

TEST(AcceptTerms, SaysWhatIsWrongAndWhatToWrite)
{
    for (const Fault &fault : kFaults) {
        AcceptTerms terms = sample_terms();
        terms.*fault.member = fault.written;
        std::string text = problem_of(terms);
        EXPECT_NE(text.find(fault.sentence), std::string::npos)
            << fault.written << " -> " << text;
        EXPECT_NE(text.back(), '.') << text;
        bool upper = text.front() >= 'A' && text.front() <= 'Z';
        EXPECT_TRUE(!upper || text.find("MegaUSD") == 0
                    || text.find("USDC") == 0)
            << text;
    }
}

TEST(AcceptTerms, RefusesTermsThatContradictEachOther)
{
    AcceptTerms terms = sample_terms();
    terms.network = "celo";
    terms.price = "0.01 USDT";
    terms.asset = "USDC";
    EXPECT_NE(problem_of(terms).find("names a token, and asset= is written"),
              std::string::npos);

    terms = sample_terms();
    terms.price.clear();
    terms.amount = "100";
    EXPECT_NE(problem_of(terms).find("write asset= as well"),
              std::string::npos);
    terms.asset = "USDC";
    for (const char *amount : {"0100", "1.0", "-1", "1e3", "0x1"}) {
        terms.amount = amount;
        EXPECT_NE(problem_of(terms).find("is not a whole number"),
                  std::string::npos);
    }

    terms = sample_terms();
    terms.timeout_seconds = 0;
    EXPECT_NE(problem_of(terms).find("a timeout of 0"), std::string::npos);
}

TEST(AcceptTerms, AdviceSurvivesALongValue)
{
    AcceptTerms terms = sample_terms();
    terms.extra = "[\"" + std::string(3000, 'x') + "\"]";
    std::string text = problem_of(terms);
    EXPECT_LT(text.size(), 300u);
    EXPECT_NE(text.find("...\" is not a JSON object: write"), std::string::npos)
        << text;
}

TEST(AcceptTerms, VariablesLeaveTheRestToBeChecked)
{
    auto problem = [](const AcceptTerms &terms) {
        std::optional<Problem> found = check_constant_part(terms);
        return found ? found->text : std::string();
    };
    AcceptTerms terms = sample_terms();
    EXPECT_EQ(problem(terms), "");
    terms.price = "$price";
    terms.pay_to = "$seller";
    EXPECT_EQ(problem(terms), "");
    EXPECT_NE(problem_of(terms), "");
    for (const Fault &fault : kFaults) {
        if (fault.member == &T::price || fault.member == &T::pay_to
            || fault.member == &T::amount) {
            continue;
        }
        AcceptTerms bad = sample_terms();
        bad.pay_to = "$seller";
        bad.*fault.member = fault.written;
        bool about_pay_to = problem_of(bad).find("pay_to") == 0;
        EXPECT_TRUE(about_pay_to || problem(bad) != "") << fault.written;
    }
    terms = sample_terms();
    terms.price.clear();
    terms.amount = "$amount";
    EXPECT_NE(problem(terms).find("write asset= as well"), std::string::npos);
    terms.asset = kUnknownAsset;
    EXPECT_NE(problem(terms).find("EIP-712 domain is needed"),
              std::string::npos);
    terms.asset = "USDC";
    EXPECT_EQ(problem(terms), "");
    terms.pay_to = "0x12";
    EXPECT_NE(problem(terms).find("is not an EVM address"), std::string::npos);
    terms = sample_terms();
    terms.asset = kUnknownAsset;
    terms.extra = kDomain;
    terms.price = "$price";
    EXPECT_NE(problem(terms).find("its decimals are needed"),
              std::string::npos);
}

}  // namespace
}  // namespace x402
