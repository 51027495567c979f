// SPDX-License-Identifier: Apache-2.0
// The claim table as a std::map would be, and the random walk that drives both.
#ifndef X402_UNIT_SESSION_CLAIM_MODEL_HPP
#define X402_UNIT_SESSION_CLAIM_MODEL_HPP

#include <cstdlib>
#include <map>
#include <memory>
#include <random>

#include "session/claim_zone.hpp"

namespace x402 {

constexpr unsigned kPayments = 40;
constexpr unsigned kPayers = 4;

struct ModelClaim {
    ClaimState state = ClaimState::verifying;
    ClaimRef ref;
    std::int64_t owner = 0;  // process; 0: none
    std::int64_t expires = 0;
    std::int64_t changed = 0;
    unsigned executions = 0;
    bool was_verified = false;
    bool ever_unknown = false;
    bool unsaid = false;  // CLOSED, and not reported yet
    bool sent = false;
    std::uint64_t facilitator = 0;
    std::string settle;
    bool stored = false;
    std::string receipt;
};

struct ModelProcess {
    ModelProcess(std::int64_t process, void *memory)
        : number(process), table(memory, process_lives)
    {
    }

    std::int64_t number;
    ClaimTable table;
    ClaimOwner owner;
};

class ClaimModel : public testing::Test {
protected:
    void SetUp() override
    {
        const char *given = std::getenv("X402_SEED");
        seed_ = given ? static_cast<unsigned>(std::atoi(given))
                      : std::random_device()();
        random_.seed(seed_);
        living_processes().clear();
        ASSERT_TRUE(ClaimTable::format(memory_.data(), bytes_));
        for (int count = 0; count < 3; ++count) {
            add_process();
        }
    }

    unsigned below(unsigned limit)
    {
        return static_cast<unsigned>(random_()) % limit;
    }

    ModelProcess &any_process() { return *processes_[below(3)]; }

    void add_process()
    {
        std::int64_t number = next_process_++;
        living_processes().insert(number);
        processes_.push_back(
            std::make_unique<ModelProcess>(number, memory_.data()));
        ModelProcess &process = *processes_.back();
        process.owner = process.table.attach(number, now_);
        ASSERT_NE(process.owner.stamp, 0u);
    }

    ModelProcess *process_of(const ModelClaim &claim)
    {
        for (auto &process : processes_) {
            if (process->number == claim.owner) {
                return process.get();
            }
        }
        return nullptr;
    }

    ClaimFacts facts(unsigned payment)
    {
        ClaimFacts facts = facts_of(payment);
        facts.payer = digest_of(payment % kPayers);
        facts.expires = now_ + 20 + below(300) + below(2) * kAfterlife;
        return facts;
    }

    std::size_t blocks_free() const
    {
        std::size_t used = 0;
        for (const auto &[payment, claim] : model_) {
            bool open = claim.state == ClaimState::settling
                        || claim.state == ClaimState::unknown;
            if (open && claim.stored) {
                used +=
                    (claim.settle.size() + kBlockPayload - 1) / kBlockPayload;
            }
        }
        return kSmallTableBlocks - used;
    }

    unsigned gone_from_table();
    void tidy();
    std::size_t open_claims() const;
    void forget(unsigned payment);
    void take(unsigned payment);
    void expect_evicted();
    void expect_given_up();
    bool is_used(unsigned payment) const;
    void resume(unsigned payment);
    void advance(unsigned payment, ModelClaim &claim, ModelProcess &process);
    void settle(ModelClaim &claim, ModelProcess &process);
    void pay(ModelClaim &claim, ModelProcess &process);
    void finish_settle(unsigned payment, ModelClaim &claim,
                       ModelProcess &process);
    void try_stale(ModelProcess &process);
    void look_for_due(ModelProcess &process);
    void one_operation();
    void compare(unsigned payment);
    void compare_payers();

    unsigned seed_ = 0;
    std::minstd_rand random_;
    std::size_t bytes_ = ClaimTable::least_bytes();
    std::vector<std::uint64_t> memory_ =
        std::vector<std::uint64_t>(ClaimTable::least_bytes() / 8 + 1);
    std::vector<std::unique_ptr<ModelProcess>> processes_;
    std::int64_t next_process_ = 1000;
    std::int64_t now_ = kNow;
    std::map<unsigned, ModelClaim> model_;
    std::vector<ClaimRef> stale_;
    unsigned evictions_ = 0;
    unsigned turned_away_ = 0;
    unsigned full_ = 0;
    unsigned closed_ = 0;
    unsigned asked_ = 0;
    unsigned untrusted_ = 0;
    std::map<unsigned, std::int64_t> refused_at_;
    unsigned recalled_ = 0;
    // Delivered, and without a cell: until when they stay used.
    std::map<unsigned, std::int64_t> used_;
    std::int64_t used_until_ = 0;  // the last of them
    unsigned given_up_ = 0;
    unsigned used_refused_ = 0;
};

}  // namespace x402

#endif
