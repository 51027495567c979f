// SPDX-License-Identifier: Apache-2.0
// Claims in tables of 10^3 to 10^6 that are full of delivered payments, as
// those of a busy server are: what one more payment costs there.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <string>

#include "base/sha256_digest.hpp"
#include "session/claim_table.hpp"

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

bool alive(std::int64_t)
{
    return true;
}

ClaimFacts facts_of(std::uint64_t number)
{
    ClaimFacts facts;
    // Spread like a digest, without the price of one.
    std::uint64_t mixed = number * 0x9e3779b97f4a7c15ULL;
    for (std::size_t at = 0; at < facts.key.size(); at += sizeof mixed) {
        mixed ^= mixed >> 29;
        mixed *= 0xbf58476d1ce4e5b9ULL;
        std::memcpy(facts.key.data() + at, &mixed, sizeof mixed);
    }
    facts.expires = kNow + 3600;
    return facts;
}

// Lifetime: holds the block that its table borrows.
class FullTable {
public:
    explicit FullTable(std::size_t claims)
    {
        std::size_t bytes = ClaimTable::least_bytes();
        while (ClaimTable::capacity_of(bytes) < claims) {
            bytes += bytes / 16;
        }
        memory_.reset(new std::uint64_t[bytes / 8]());
        ClaimTable::format(memory_.get(), bytes / 8 * 8);
        table = std::make_unique<ClaimTable>(memory_.get(), alive);
        owner = table->attach(1, kNow);
        for (next = 0; next < claims; ++next) {
            pay(facts_of(next));
        }
    }

    void pay(const ClaimFacts &facts)
    {
        ClaimRef ref;
        if (table->take(facts, owner, kNow, ref) != TakeOutcome::taken) {
            return;
        }
        table->set_verified(ref);
        table->set_settling(ref, settle_, 1, kNow);
        table->set_first_settle_sent(ref);
        table->set_paid(ref, receipt_, kNow);
        table->set_delivered(ref, kNow);
    }

    std::unique_ptr<ClaimTable> table;
    ClaimOwner owner;
    std::uint64_t next = 0;

private:
    std::unique_ptr<std::uint64_t[]> memory_;
    std::string settle_ = std::string(1200, 's');
    std::string receipt_ = std::string(200, 'r');
};

std::size_t claims_of(const benchmark::State &state)
{
    return static_cast<std::size_t>(state.range(0));
}

void look_up_unknown_payment(benchmark::State &state)
{
    FullTable full(claims_of(state));
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            full.table->look_up(facts_of(++full.next), kNow));
    }
}
BENCHMARK(look_up_unknown_payment)->RangeMultiplier(10)->Range(1000, 1000000);

void look_up_delivered_payment(benchmark::State &state)
{
    FullTable full(claims_of(state));
    std::uint64_t recent = full.next / 2;
    std::uint64_t turn = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(full.table->look_up(
            facts_of(recent + turn++ % (full.next - recent)), kNow));
    }
}
BENCHMARK(look_up_delivered_payment)->RangeMultiplier(10)->Range(1000, 1000000);

void take_and_free_claim(benchmark::State &state)
{
    FullTable full(claims_of(state));
    for (auto _ : state) {
        ClaimRef ref;
        ClaimFacts facts = facts_of(++full.next);
        benchmark::DoNotOptimize(
            full.table->take(facts, full.owner, kNow, ref));
        full.table->free(ref);
    }
}
BENCHMARK(take_and_free_claim)->RangeMultiplier(10)->Range(1000, 1000000);

void whole_life_of_a_claim(benchmark::State &state)
{
    FullTable full(claims_of(state));
    for (auto _ : state) {
        ClaimFacts facts = facts_of(++full.next);
        benchmark::DoNotOptimize(full.table->look_up(facts, kNow));
        full.pay(facts);
    }
}
BENCHMARK(whole_life_of_a_claim)->RangeMultiplier(10)->Range(1000, 1000000);

}  // namespace
}  // namespace x402
