// SPDX-License-Identifier: Apache-2.0
#include "facilitator/supported_kinds.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr char kShortAlgorand[] = "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe";
constexpr char kLongAlgorand[] =
    "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=";

SupportedKinds parsed(const std::string &answer)
{
    auto kinds = SupportedKinds::parse(answer);
    EXPECT_TRUE(kinds) << answer << ": " << (kinds ? "" : kinds.problem().text);
    return kinds ? kinds.value() : SupportedKinds();
}

std::string problem(const std::string &answer)
{
    auto kinds = SupportedKinds::parse(answer);
    return kinds ? "" : kinds.problem().text;
}

std::string kind(int version, const std::string &scheme,
                 const std::string &network, const std::string &more = "")
{
    return R"({"x402Version":)" + std::to_string(version) + R"(,"scheme":")"
           + scheme + R"(","network":")" + network + "\"" + more + "}";
}

std::string answer(const std::string &kinds)
{
    return R"({"kinds":[)" + kinds + R"(],"extensions":[],"signers":{}})";
}

TEST(SupportedKinds, AreReadFromAnAnswer)
{
    SupportedKinds kinds = parsed(
        R"({"kinds":[{"x402Version":2,"scheme":"exact","network":"solana:x",)"
        R"("extra":{"feePayer":"abc","more":[1,2]}},)"
        R"({"x402Version":1,"scheme":"exact","network":"base","extra":null}],)"
        R"("extensions":["bazaar",7,"gas"],"signers":{"solana:*":["abc"]},)"
        R"("unknown":1})");
    ASSERT_EQ(kinds.kinds().size(), 2u);
    EXPECT_EQ(kinds.kinds()[0].version, 2);
    EXPECT_EQ(kinds.kinds()[0].scheme, "exact");
    EXPECT_EQ(kinds.kinds()[0].network, "solana:x");
    EXPECT_EQ(kinds.kinds()[0].extra, R"({"feePayer":"abc","more":[1,2]})");
    EXPECT_EQ(kinds.kinds()[1].version, 1);
    EXPECT_EQ(kinds.kinds()[1].extra, "");
    EXPECT_EQ(kinds.extensions(), (std::vector<std::string>{"bazaar", "gas"}));
}

TEST(SupportedKinds, DoWithoutExtensionsAndSigners)
{
    EXPECT_EQ(parsed(R"({"kinds":[]})").kinds().size(), 0u);
    EXPECT_EQ(parsed(R"({"kinds":[],"extensions":null,"signers":null})")
                  .extensions()
                  .size(),
              0u);
    EXPECT_EQ(parsed(R"({"kinds":[],"extensions":{"a":1}})").extensions(),
              std::vector<std::string>());
}

TEST(SupportedKinds, AreReadUnderTheNameThatFastFacilitatorsUse)
{
    SupportedKinds kinds = parsed(
        R"({"paymentKinds":[{"scheme":"exact","network":"fast-testnet"},)"
        + kind(2, "exact", "eip155:1") + "]}");
    EXPECT_NE(kinds.find(1, "exact", "fast-testnet"), nullptr);
    EXPECT_NE(kinds.find(2, "exact", "eip155:1"), nullptr);
    // The standard name needs the version.
    EXPECT_EQ(problem(R"({"kinds":[{"scheme":"exact","network":"base"}]})"),
              "kind 1 has no x402Version");
}

TEST(SupportedKinds, BadAnswersAreProblems)
{
    EXPECT_NE(problem(""), "");
    EXPECT_NE(problem("<html>"), "");
    EXPECT_NE(problem(R"({"kinds":[],"kinds":[]})"), "");
    for (const char *none : {"{}", "[]", "null", R"({"kinds":{}})",
                             R"({"kinds":null,"paymentKinds":[]})"}) {
        EXPECT_EQ(problem(none), "it has no list of kinds") << none;
    }
    EXPECT_EQ(problem(answer("7")), "kind 1 is not an object");
    EXPECT_EQ(problem(answer(kind(2, "exact", "a:b") + ","
                             + kind(0, "exact", "a:b"))),
              "kind 2 has no x402Version");
    EXPECT_EQ(
        problem(answer(R"({"x402Version":"2","scheme":"a","network":"b"})")),
        "kind 1 has no x402Version");
    EXPECT_EQ(problem(answer(kind(2, "", "a:b"))), "kind 1 has no scheme");
    EXPECT_EQ(problem(answer(kind(2, "exact", ""))), "kind 1 has no network");
    EXPECT_EQ(problem(answer(kind(2, "exact", "a:b", R"(,"extra":"x")"))),
              "kind 1 has an extra that is not an object");
}

TEST(SupportedKinds, AreBounded)
{
    std::string many = kind(2, "exact", "a:b");
    for (int i = 1; i < 1024; i++) {
        many += "," + kind(2, "exact", "a:b");
    }
    EXPECT_EQ(parsed(answer(many)).kinds().size(), 1024u);
    EXPECT_EQ(problem(answer(many + "," + kind(2, "exact", "a:b"))),
              "it lists more than 1024 kinds");
    EXPECT_EQ(problem(answer(kind(2, std::string(65, 's'), "a:b"))),
              "kind 1 has no scheme");
    EXPECT_EQ(problem(answer(kind(2, "exact", std::string(129, 'n')))),
              "kind 1 has no network");
    EXPECT_EQ(problem(answer(
                  kind(2, "exact", "a:b",
                       R"(,"extra":{"x":")" + std::string(4096, 'x') + "\"}"))),
              "kind 1 has too long an extra");
    EXPECT_NE(problem(answer(many) + std::string(256 * 1024, ' ')), "");
}

TEST(SupportedKinds, AreFoundByTheirExactWords)
{
    SupportedKinds kinds = parsed(
        answer(kind(2, "exact", "eip155:8453", R"(,"extra":{"n":1})") + ","
               + kind(2, "exact", "eip155:8453", R"(,"extra":{"n":2})") + ","
               + kind(1, "exact", "base") + "," + kind(2, "upto", "eip155:*")));
    ASSERT_NE(kinds.find(2, "exact", "eip155:8453"), nullptr);
    EXPECT_EQ(kinds.find(2, "exact", "eip155:8453")->extra, R"({"n":1})");
    EXPECT_NE(kinds.find(1, "exact", "base"), nullptr);
    EXPECT_EQ(kinds.find(1, "exact", "eip155:8453"), nullptr);
    EXPECT_EQ(kinds.find(2, "exact", "base"), nullptr);
    EXPECT_EQ(kinds.find(2, "Exact", "eip155:8453"), nullptr);
    EXPECT_EQ(kinds.find(2, "upto", "solana:x"), nullptr);
}

TEST(SupportedKinds, AreFoundByTheWildcardOfTheirFamily)
{
    SupportedKinds kinds = parsed(
        answer(kind(2, "exact", "solana:*", R"(,"extra":{"feePayer":"x"})")
               + "," + kind(2, "exact", "eip155:*") + ","
               + kind(2, "exact", "eip155:1", R"(,"extra":{"n":1})") + ","
               + kind(1, "exact", "solana:*") + "," + kind(2, "upto", "*") + ","
               + kind(2, "upto", ":*") + "," + kind(2, "upto", "eip155*")));
    auto extra = [&kinds](std::int64_t version, const char *scheme,
                          const char *network) {
        const SupportedKind *found = kinds.find(version, scheme, network);
        return found ? found->network + found->extra : "none";
    };
    EXPECT_EQ(extra(2, "exact", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
              R"(solana:*{"feePayer":"x"})");
    EXPECT_EQ(extra(2, "exact", "eip155:8453"), "eip155:*");
    EXPECT_EQ(extra(2, "exact", "eip155:1"), R"(eip155:1{"n":1})");
    EXPECT_EQ(extra(1, "exact", "solana"), "solana:*");
    EXPECT_EQ(extra(1, "exact", "eip155:8453"), "none");
    EXPECT_EQ(extra(2, "exact", "algorand:x"), "none");
    EXPECT_EQ(extra(2, "upto", "eip155:8453"), "none");
    EXPECT_TRUE(missing_kinds(kinds, {{2, "exact", "solana:x"}}).empty());
    kinds.keep_only({{2, "exact", "solana:x"}});
    EXPECT_EQ(extra(2, "exact", "solana:x"), R"(solana:*{"feePayer":"x"})");
}

TEST(SupportedKinds, NearIsAnotherSpellingOfTheNetwork)
{
    SupportedKinds kinds = parsed(answer(kind(1, "exact", "base") + ","
                                         + kind(2, "exact", "eip155:*") + ","
                                         + kind(2, "exact", kLongAlgorand)));
    auto near = [&kinds](KindNeed need) {
        const SupportedKind *kind = kinds.find_near(need);
        return kind ? kind->network + "/" + std::to_string(kind->version) : "";
    };
    EXPECT_EQ(near({2, "exact", kShortAlgorand}),
              std::string(kLongAlgorand) + "/2");
    EXPECT_EQ(near({2, "exact", "algorand-testnet"}),
              std::string(kLongAlgorand) + "/2");
    EXPECT_EQ(near({1, "exact", "eip155:8453"}), "base/1");
    EXPECT_EQ(near({2, "exact", "eip155:8453"}), "eip155:*/2");
    EXPECT_EQ(near({2, "exact", "solana:x"}), "");
    EXPECT_EQ(near({2, "upto", "eip155:8453"}), "");
}

TEST(SupportedKinds, AreReadBackFromTheirText)
{
    std::string text =
        R"({"kinds":[{"x402Version":2,"scheme":"exact","network":"a:b",)"
        R"("extra":{"feePayer":"x\"y"}},)"
        R"({"x402Version":1,"scheme":"exact","network":"base"}],)"
        R"("extensions":["one","two"]})";
    EXPECT_EQ(parsed(text).text(), text);
    EXPECT_EQ(parsed(R"({"paymentKinds":[]})").text(),
              R"({"kinds":[],"extensions":[]})");
}

TEST(SupportedKinds, KeepOnlyWhatIsNeededOrNear)
{
    SupportedKinds kinds = parsed(answer(
        kind(2, "exact", "eip155:1") + "," + kind(1, "exact", "ethereum") + ","
        + kind(2, "exact", kLongAlgorand) + "," + kind(2, "upto", "eip155:1")));
    kinds.keep_only({{2, "exact", "eip155:1"}, {2, "exact", kShortAlgorand}});
    ASSERT_EQ(kinds.kinds().size(), 3u);
    EXPECT_EQ(kinds.kinds()[1].network, "ethereum");
    EXPECT_EQ(kinds.kinds()[2].network, kLongAlgorand);
    kinds.keep_only({});
    EXPECT_EQ(kinds.kinds().size(), 0u);
}

TEST(MissingKinds, NameBothSpellings)
{
    SupportedKinds kinds = parsed(answer(kind(2, "exact", kLongAlgorand)));
    auto missing = missing_kinds(
        kinds, {{2, "exact", kShortAlgorand}, {2, "exact", kLongAlgorand}});
    ASSERT_EQ(missing.size(), 1u);
    EXPECT_FALSE(missing[0].sold_anyway);
    EXPECT_EQ(missing[0].sentence,
              std::string("does not list scheme \"exact\" on \"")
                  + kShortAlgorand
                  + "\" in x402 version 2, which is for sale here; it lists "
                    "scheme \"exact\" on \""
                  + kLongAlgorand
                  + "\" in x402 version 2, write the network as it does");
}

TEST(MissingKinds, OfEvmExactAreSoldAnyway)
{
    SupportedKinds kinds = parsed(answer(kind(1, "exact", "base")));
    auto missing = missing_kinds(kinds, {{1, "exact", "base"},
                                         {2, "exact", "eip155:8453"},
                                         {2, "upto", "eip155:8453"},
                                         {1, "exact", "polygon"}});
    ASSERT_EQ(missing.size(), 3u);
    EXPECT_TRUE(missing[0].sold_anyway);
    EXPECT_EQ(missing[0].sentence,
              "does not list scheme \"exact\" on \"eip155:8453\" in x402 "
              "version 2, which is for sale here; it lists scheme \"exact\" on "
              "\"base\" in x402 version 1");
    EXPECT_FALSE(missing[1].sold_anyway);
    // Other EVM networks are listed, and this one in no version.
    EXPECT_FALSE(missing[2].sold_anyway);
    EXPECT_TRUE(missing_kinds(parsed(answer(kind(2, "exact", kLongAlgorand))),
                              {{2, "exact", "eip155:8453"}})[0]
                    .sold_anyway);
    EXPECT_EQ(missing[2].sentence.find("it lists"), std::string::npos);
}

TEST(MissingKinds, BringNoControlCharactersIntoTheLog)
{
    SupportedKinds kinds =
        parsed(answer(kind(2, "exact", R"(eip155:\n\u001b[31m1)")));
    auto missing = missing_kinds(
        kinds, {{2, "exact", "eip155:\n\x1b[31m1"}, {2, "upto", "a\nb"}});
    ASSERT_EQ(missing.size(), 1u);
    EXPECT_EQ(missing[0].sentence.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace x402
