// SPDX-License-Identifier: Apache-2.0
// What the store answers to the calls of store_calls.hpp.
#ifndef X402_STORE_STORE_ANSWER_HPP
#define X402_STORE_STORE_ANSWER_HPP

#include <array>
#include <optional>

#include "store/resp_reader.hpp"
#include "store/store_calls.hpp"

namespace x402 {

enum class StoreVerdict : std::uint8_t {
    broken,  // no answer that this script can give
    error,   // the store's own: RespReply::error_word()
    taken,
    held,
    done,
    resumed,
    ended,
    lost,
    name_taken,
};

// Older claims that an answer to TAKE brings at most.
constexpr std::size_t kMaxOlder = 8;

// Lifetime: all views are of the reply.
struct StoreAnswer {
    StoreVerdict verdict = StoreVerdict::broken;
    // The claim: for taken as it was before, otherwise as it is now.
    StoredClaim claim;
    std::string_view settle;  // of resumed and held; empty: not kept
    std::array<StoredClaim, kMaxOlder> older;
    std::size_t older_count = 0;
    std::int64_t left = 0;  // requests of a pass; -1: it is not known
    // Of a query, in the order of its keys. No amount: nothing is known.
    struct Bought {
        std::optional<AmountBytes> asked;
        std::int64_t left = 0;  // ms
    };
    std::array<Bought, kMostBought> bought;
    std::size_t bought_count = 0;
};

// To a call about the claim `key`. Precondition: the reply is complete. Money:
// whatever is not exactly an answer of this script is `broken`, and counts as
// no answer.
StoreAnswer read_store_answer(StoreScript script, const Digest &key,
                              const RespReply &reply);
// The same into an answer that is new: it is too large to be copied.
void read_store_answer(StoreScript script, const Digest &key,
                       const RespReply &reply, StoreAnswer &answer);

struct DueAnswer {
    StoreVerdict verdict = StoreVerdict::broken;  // or error, or done
    std::array<Digest, kMaxDue> claims;
    std::size_t count = 0;
};
DueAnswer read_due(const RespReply &reply);

// Lifetime: of the reply.
struct SharedTexts {
    StoreVerdict verdict = StoreVerdict::broken;  // or error, or done
    std::string_view edition;
    // None, also if the edition is the one that was known.
    std::array<std::string_view, kMaxSharedTexts> texts;
    std::size_t count = 0;
};
SharedTexts read_shared_texts(const RespReply &reply);

}  // namespace x402

#endif
