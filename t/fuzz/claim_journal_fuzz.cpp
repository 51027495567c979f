// SPDX-License-Identifier: Apache-2.0
// A journal of any bytes: never a crash, never another's claim touched, and
// what was read is written the same.
#include <vector>

#include "fuzz_check.hpp"
#include "session/claim_table.hpp"

using namespace x402;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    constexpr std::int64_t kNow = 1800000000;
    std::string_view bytes = text_of(data, size);
    std::size_t room = ClaimTable::least_bytes();
    std::vector<std::uint64_t> memory(room / 8 + 1);
    must(ClaimTable::format(memory.data(), room), "a table can be made");
    ClaimTable table(memory.data(), [](std::int64_t) { return true; });

    // A claim that is not in the input stays what it is.
    ClaimFacts facts;
    facts.key.fill(0xa5);
    facts.expires = INT64_MAX;
    ClaimOwner owner = table.attach(1, kNow);
    ClaimRef ref;
    must(table.take(facts, owner, kNow, ref) == TakeOutcome::taken, "a claim");
    must(table.set_settling(ref, "settle", 1, kNow), "is settled");
    ReplayReport report = table.replay(bytes, kNow);
    must(table.look_up(facts, kNow).state == ClaimState::settling,
         "another's record does not touch it");
    must(report.skipped <= size, "bytes are counted once");

    JournalReader reader(bytes);
    JournalRecord record;
    while (reader.next(record)) {
        must(bytes.find(journal_bytes(record)) != std::string_view::npos,
             "a record is what was written");
    }
    return 0;
}
