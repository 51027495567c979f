// SPDX-License-Identifier: Apache-2.0
// Claims of a shared store, and what machines do to them, in the words of
// tests.
#ifndef X402_UNIT_STORE_STORE_RIG_HPP
#define X402_UNIT_STORE_STORE_RIG_HPP

#include <memory>

#include "session/claim_memory.hpp"
#include "store/redis_server.hpp"

namespace x402 {

constexpr std::int64_t kLease = 60000;
// Seconds that a busy machine may take between two calls.
constexpr int kSlack = 20;
constexpr std::int64_t kMoment = 1800000000;

// An answer whose views stay good.
struct KeptAnswer {
    StoreAnswer answer;
    StoreVerdict verdict = StoreVerdict::broken;
    ClaimState state = ClaimState::free;
    unsigned executions = 0;
    std::uint8_t flags = 0;
    std::string record;
    std::string settle;
    std::string error;
    std::vector<StoredClaim> older;
    std::vector<std::string> older_records;
};

// One payment in the hands of one machine.
struct Hand {
    StoreClaim claim;
    StoreFacts facts;
    std::string record;
    std::string settle;
};

class StoreRig : public testing::Test {
protected:
    void SetUp() override
    {
        StoreMachine::acknowledged = 0;
        for (int i = 0; i < 3; i++) {
            machines_.push_back(std::make_unique<StoreMachine>(server()));
        }
        a().command({"FLUSHALL"});
        StoreMachine::acknowledged = 0;
    }
    void TearDown() override
    {
        std::printf("%u calls acknowledged\n", StoreMachine::acknowledged);
        EXPECT_GT(StoreMachine::acknowledged, 0u);
    }
    virtual const RedisServer &server() { return RedisServer::shared(); }

    StoreMachine &a() { return *machines_[0]; }
    StoreMachine &b() { return *machines_[1]; }
    StoreMachine &c() { return *machines_[2]; }

    static Digest digest(unsigned number, std::uint8_t kind)
    {
        Digest digest{};
        digest[0] = static_cast<std::uint8_t>(number);
        digest[1] = static_cast<std::uint8_t>(number >> 8);
        digest[2] = kind;
        return digest;
    }

    // The n-th payment of a payer, as another machine has it in its hands.
    Hand hand(unsigned payment, unsigned payer = 0)
    {
        Hand hand;
        hand.facts.payer = digest(payer, 'p');
        hand.facts.resource = digest(1, 'r');
        hand.facts.expires = kMoment + 1200;
        hand.facts.now = kMoment;
        hand.facts.flags = kWasVerified;
        hand.facts.executions = 1;
        hand.claim.prefix = "x402";
        hand.claim.shard = store_shard(hand.facts.payer);
        hand.claim.key = digest(payment, 'c');
        hand.claim.token[0] = static_cast<std::uint8_t>(++tokens_);
        hand.claim.token[1] = static_cast<std::uint8_t>(tokens_ >> 8);
        JournalRecord record;
        record.key = hand.claim.key;
        record.payer = hand.facts.payer;
        record.binding.resource = hand.facts.resource;
        record.receipt = "receipt " + std::to_string(tokens_);
        record.facilitator = tokens_;
        hand.record = store_record(record);
        hand.settle = "settle " + std::to_string(tokens_);
        return hand;
    }

    static StoreFacts facts_of(const Hand &hand)
    {
        StoreFacts facts = hand.facts;
        facts.record = hand.record;
        facts.settle = hand.settle;
        return facts;
    }

    static StoreMachine::Write take_call(const Hand &hand,
                                         std::int64_t lease = kLease)
    {
        return [=](RespWriter &out, ScriptBy by) {
            write_take(out, by, hand.claim, hand.facts, lease);
        };
    }
    static StoreMachine::Write
    settling_call(const Hand &hand, SettlingCall how = SettlingCall::first,
                  std::int64_t lease = kLease)
    {
        return [=](RespWriter &out, ScriptBy by) {
            write_settling(out, by, hand.claim, facts_of(hand), lease, how);
        };
    }
    static StoreMachine::Write paid_call(const Hand &hand,
                                         std::int64_t lease = kLease,
                                         PaidCall how = PaidCall::proven)
    {
        return [=](RespWriter &out, ScriptBy by) {
            write_paid(out, by, hand.claim, facts_of(hand), lease, how);
        };
    }
    static StoreMachine::Write finish_call(const Hand &hand, FinishAs how)
    {
        return [=](RespWriter &out, ScriptBy by) {
            write_finish(out, by, hand.claim, facts_of(hand), how);
        };
    }
    static StoreMachine::Write resume_call(const Hand &hand,
                                           ResumeWhat what = ResumeWhat::any,
                                           std::int64_t now = kMoment,
                                           std::int64_t lease = kLease)
    {
        return [=](RespWriter &out, ScriptBy by) {
            write_resume(out, by, hand.claim, what, now, lease);
        };
    }
    static StoreMachine::Write takeover_call(const Hand &hand)
    {
        return [=](RespWriter &out, ScriptBy by) {
            write_takeover(out, by, hand.claim, facts_of(hand), kLease);
        };
    }
    static StoreMachine::Write renew_call(const Hand &hand,
                                          std::int64_t lease = kLease)
    {
        return [=](RespWriter &out, ScriptBy by) {
            write_renew(out, by, hand.claim, lease);
        };
    }

    static KeptAnswer kept(StoreScript script, const Hand &hand,
                           const RespReply &reply)
    {
        KeptAnswer kept;
        kept.answer = read_store_answer(script, hand.claim.key, reply);
        kept.verdict = kept.answer.verdict;
        kept.state = kept.answer.claim.state;
        kept.executions = kept.answer.claim.executions;
        kept.flags = kept.answer.claim.flags;
        kept.record = kept.answer.claim.record;
        kept.settle = kept.answer.settle;
        if (reply.is_error()) {
            kept.error = reply.root().text;
        }
        for (std::size_t i = 0; i < kept.answer.older_count; i++) {
            kept.older.push_back(kept.answer.older[i]);
            kept.older_records.emplace_back(kept.answer.older[i].record);
        }
        return kept;
    }

    KeptAnswer take(StoreMachine &machine, const Hand &hand,
                    std::int64_t lease = kLease)
    {
        return kept(StoreScript::take, hand,
                    machine.ask(take_call(hand, lease)));
    }
    StoreVerdict settling(StoreMachine &machine, const Hand &hand,
                          SettlingCall how = SettlingCall::first,
                          std::int64_t lease = kLease)
    {
        return kept(StoreScript::settling, hand,
                    machine.ask(settling_call(hand, how, lease)))
            .verdict;
    }
    StoreVerdict paid(StoreMachine &machine, const Hand &hand,
                      std::int64_t lease = kLease,
                      PaidCall how = PaidCall::proven)
    {
        return kept(StoreScript::paid, hand,
                    machine.ask(paid_call(hand, lease, how)))
            .verdict;
    }
    StoreVerdict finish(StoreMachine &machine, const Hand &hand, FinishAs how)
    {
        return kept(StoreScript::finish, hand,
                    machine.ask(finish_call(hand, how)))
            .verdict;
    }
    KeptAnswer resume(StoreMachine &machine, const Hand &hand,
                      ResumeWhat what = ResumeWhat::any,
                      std::int64_t now = kMoment)
    {
        return kept(StoreScript::resume, hand,
                    machine.ask(resume_call(hand, what, now)));
    }
    StoreVerdict takeover(StoreMachine &machine, const Hand &hand)
    {
        return kept(StoreScript::takeover, hand,
                    machine.ask(takeover_call(hand)))
            .verdict;
    }
    StoreVerdict renew(StoreMachine &machine, const Hand &hand,
                       std::int64_t lease = kLease)
    {
        return kept(StoreScript::renew, hand,
                    machine.ask(renew_call(hand, lease)))
            .verdict;
    }
    // Its machine is gone, or too slow.
    void lapse(StoreMachine &machine, const Hand &hand)
    {
        ASSERT_EQ(renew(machine, hand, 1), StoreVerdict::done);
        usleep(3000);
    }

    // What a machine without it is told.
    KeptAnswer seen(const Hand &payment)
    {
        Hand stranger = payment;
        stranger.claim.token[15] = 1;
        return resume(c(), stranger, ResumeWhat{});
    }
    static std::string key_of(const Hand &hand, const char *kind)
    {
        std::string key = "x402:{" + std::to_string(hand.claim.shard) + "}:";
        return key + kind;
    }
    static std::string id_of(const Hand &hand)
    {
        char text[65];
        for (std::size_t i = 0; i < hand.claim.key.size(); i++) {
            std::snprintf(text + 2 * i, 3, "%02x", hand.claim.key[i]);
        }
        return text;
    }
    std::string bytes_of(const std::vector<std::string> &words)
    {
        const RespReply &reply = a().command(words);
        return reply.root().type == RespType::integer
                   ? std::to_string(reply.root().integer)
                   : std::string(reply.root().text);
    }

    // To the point where SETTLING was written.
    void begin(StoreMachine &machine, const Hand &hand)
    {
        ASSERT_EQ(take(machine, hand).verdict, StoreVerdict::taken);
        ASSERT_EQ(settling(machine, hand), StoreVerdict::done);
    }

    unsigned tokens_ = 0;
    std::vector<std::unique_ptr<StoreMachine>> machines_;
};

}  // namespace x402

#endif
