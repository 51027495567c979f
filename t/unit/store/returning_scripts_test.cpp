// SPDX-License-Identifier: Apache-2.0
// Scripts about clients that come back, and about what facilitators say,
// against a real redis-server: two and three machines, retries, what is given
// back.
#include "store/store_rig.hpp"

namespace x402 {
namespace {

using V = StoreVerdict;

class ReturningScripts : public StoreRig {
protected:
    StoreAnswer pass(StoreMachine &machine, const Hand &use, PassCall what,
                     unsigned requests = 1, std::int64_t left = 60)
    {
        return read_store_answer(StoreScript::pass, use.claim.key,
                                 machine.ask([&](RespWriter &out, ScriptBy by) {
                                     write_pass(out, by, use.claim, what,
                                                requests, left);
                                 }));
    }

    StoreVerdict nonce(StoreMachine &machine, const Hand &use)
    {
        return read_store_answer(StoreScript::nonce, use.claim.key,
                                 machine.ask([&](RespWriter &out, ScriptBy by) {
                                     write_nonce(out, by, use.claim, 360);
                                 }))
            .verdict;
    }

    StoreVerdict buy(StoreMachine &machine, const Hand &purchase,
                     std::uint8_t amount, std::int64_t left)
    {
        AmountBytes asked{};
        asked[31] = amount;
        return read_store_answer(StoreScript::bought, purchase.claim.key,
                                 machine.ask([&](RespWriter &out, ScriptBy by) {
                                     write_bought(out, by, purchase.claim,
                                                  asked, left);
                                 }))
            .verdict;
    }

    StoreAnswer bought(StoreMachine &machine, const Hand &payer,
                       const std::vector<Digest> &keys)
    {
        return read_store_answer(StoreScript::bought, payer.claim.key,
                                 machine.ask([&](RespWriter &out, ScriptBy by) {
                                     write_bought_query(out, by, payer.claim,
                                                        keys);
                                 }));
    }

    // What `machine` hears when it tells this; the edition is kept.
    std::vector<std::string> share(StoreMachine &machine, std::string_view text,
                                   std::string &edition)
    {
        Digest name = digest(1, 'f');
        const RespReply &reply = machine.ask([&](RespWriter &out, ScriptBy by) {
            write_supported(out, by, "x402", name, text, edition);
        });
        SharedTexts shared = read_shared_texts(reply);
        EXPECT_EQ(shared.verdict, V::done);
        edition = std::string(shared.edition);
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < shared.count; i++) {
            texts.emplace_back(shared.texts[i]);
        }
        return texts;
    }
};

TEST_F(ReturningScripts, APassIsCountedOnAllMachines)
{
    Hand sold = hand(1);
    EXPECT_EQ(pass(b(), hand(1), PassCall::use).verdict, V::lost);
    EXPECT_EQ(pass(b(), hand(1), PassCall::use).left, -1) << "not known";
    EXPECT_EQ(pass(a(), sold, PassCall::issue, 3).left, 3);
    Hand use = hand(1);
    EXPECT_EQ(pass(b(), use, PassCall::use).left, 2);
    EXPECT_EQ(pass(b(), use, PassCall::use).left, 2) << "the same call again";
    EXPECT_EQ(pass(a(), sold, PassCall::issue, 3).left, 2)
        << "sold once, however often its content is delivered";
    EXPECT_EQ(pass(c(), hand(1), PassCall::use, 3).verdict, V::lost)
        << "all or none";
    EXPECT_EQ(pass(c(), hand(1), PassCall::use, 2).left, 0);
    StoreAnswer over = pass(a(), hand(1), PassCall::use);
    EXPECT_EQ(over.verdict, V::lost);
    EXPECT_EQ(over.left, 0);
}

TEST_F(ReturningScripts, AUseIsGivenBackOnce)
{
    pass(a(), hand(1), PassCall::issue, 5);
    Hand use = hand(1);
    EXPECT_EQ(pass(b(), use, PassCall::use, 2).left, 3);
    EXPECT_EQ(pass(b(), hand(1), PassCall::give_back).left, 3)
        << "one that was not carried out";
    EXPECT_EQ(pass(b(), use, PassCall::give_back, 2).left, 5);
    EXPECT_EQ(pass(b(), use, PassCall::give_back, 2).left, 5);
    EXPECT_EQ(pass(b(), hand(2), PassCall::give_back).verdict, V::lost);
}

TEST_F(ReturningScripts, TheLastThousandUsesCanBeGivenBack)
{
    pass(a(), hand(1), PassCall::issue, 5000);
    Hand first = hand(1);
    pass(a(), first, PassCall::use);
    Hand second = hand(1);
    pass(a(), second, PassCall::use);
    for (int i = 0; i < 1023; i++) {
        pass(b(), hand(1), PassCall::use);
    }
    std::string key = key_of(first, "q:") + id_of(first);
    EXPECT_EQ(bytes_of({"ZCARD", key}), "1024");
    EXPECT_LE(std::stoi(bytes_of({"TTL", key})), 60) << "as long as the pass";
    EXPECT_EQ(pass(a(), first, PassCall::give_back).left, 3975)
        << "too long ago";
    EXPECT_EQ(pass(a(), second, PassCall::give_back).left, 3976);
}

// An earlier release keeps uses behind the number.
TEST_F(ReturningScripts, APassOfAnEarlierReleaseIsCounted)
{
    Hand use = hand(1);
    std::string key = key_of(use, "p:") + id_of(use);
    bytes_of({"SET", key, std::string("\0\0\0\5", 4) + std::string(20, 'u'),
              "PX", "60000"});
    EXPECT_EQ(pass(a(), use, PassCall::use, 2).left, 3);
    EXPECT_EQ(bytes_of({"STRLEN", key}), "24");
    EXPECT_EQ(pass(a(), use, PassCall::give_back, 2).left, 5);
    EXPECT_GT(std::stoi(bytes_of({"TTL", key})), 0);
}

TEST_F(ReturningScripts, ACountEndsWithItsPass)
{
    pass(a(), hand(1), PassCall::issue, 2, 3);
    Hand use = hand(1);
    EXPECT_EQ(pass(b(), use, PassCall::use).left, 1);
    usleep(3100000);
    EXPECT_EQ(pass(b(), hand(1), PassCall::use).left, -1);
    EXPECT_EQ(pass(b(), use, PassCall::give_back).verdict, V::lost);
}

TEST_F(ReturningScripts, ANonceIsUsedOnce)
{
    Hand use = hand(1);
    EXPECT_EQ(nonce(a(), use), V::done);
    EXPECT_EQ(nonce(a(), use), V::done) << "the same call again";
    EXPECT_EQ(nonce(b(), hand(1)), V::lost);
    EXPECT_EQ(nonce(a(), hand(1)), V::lost);
    EXPECT_EQ(nonce(b(), hand(2)), V::done);
    EXPECT_NEAR(std::stoi(bytes_of({"TTL", key_of(use, "n:") + id_of(use)})),
                360, kSlack);
}

TEST_F(ReturningScripts, WhatWasBoughtIsKnownToAll)
{
    Hand one = hand(1);
    Hand two = hand(2);
    EXPECT_EQ(buy(a(), one, 5, 100), V::done);
    StoreAnswer known = bought(b(), one, {two.claim.key, one.claim.key});
    EXPECT_EQ(known.verdict, V::done);
    ASSERT_EQ(known.bought_count, 2u);
    EXPECT_FALSE(known.bought[0].asked);
    ASSERT_TRUE(known.bought[1].asked);
    EXPECT_EQ((*known.bought[1].asked)[31], 5);
    EXPECT_GT(known.bought[1].left, 90000);

    buy(b(), one, 4, 1000);
    known = bought(c(), one, {one.claim.key});
    EXPECT_EQ((*known.bought[0].asked)[31], 5);
    EXPECT_LE(known.bought[0].left, 100000) << "not prolonged by less";
    buy(b(), one, 5, 200);
    EXPECT_GT(bought(c(), one, {one.claim.key}).bought[0].left, 190000);
    buy(b(), one, 5, 50);
    EXPECT_GT(bought(c(), one, {one.claim.key}).bought[0].left, 190000);
    buy(b(), one, 6, 3);
    EXPECT_EQ((*bought(c(), one, {one.claim.key}).bought[0].asked)[31], 6);
    usleep(3100000);
    EXPECT_FALSE(bought(c(), one, {one.claim.key}).bought[0].asked);
}

TEST_F(ReturningScripts, TextsOfAllMachinesAreHeard)
{
    std::string at_a;
    std::string at_b;
    EXPECT_EQ(share(a(), "text a", at_a), std::vector<std::string>{"text a"});
    EXPECT_EQ(share(a(), "", at_a).size(), 0u) << "nothing new";
    EXPECT_EQ(share(b(), "text b", at_b).size(), 2u);
    EXPECT_EQ(share(a(), "text a", at_a).size(), 2u);
    EXPECT_EQ(at_a, at_b) << "the same, in whatever order they were told";
    EXPECT_EQ(share(b(), "", at_b).size(), 0u);
    usleep(2000);  // the store's clock has milliseconds
    for (int i = 0; i < 10; i++) {
        share(c(), "text " + std::to_string(i), at_b);
    }
    at_b.clear();
    auto texts = share(c(), "", at_b);
    ASSERT_EQ(texts.size(), kMaxSharedTexts);
    EXPECT_EQ(texts.back(), "text 9") << "those that were told last";
}

}  // namespace
}  // namespace x402
