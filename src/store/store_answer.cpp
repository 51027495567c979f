// SPDX-License-Identifier: Apache-2.0
#include "store/store_answer.hpp"

#include "base/hex_codec.hpp"

namespace x402 {

namespace {

struct Word {
    std::string_view text;
    StoreVerdict verdict;
};

constexpr Word kWords[] = {
    {"taken", StoreVerdict::taken},
    {"held", StoreVerdict::held},
    {"done", StoreVerdict::done},
    {"resumed", StoreVerdict::resumed},
    {"ended", StoreVerdict::ended},
    {"lost", StoreVerdict::lost},
    {"name_taken", StoreVerdict::name_taken},
};

StoreVerdict verdict_of(const RespReply &reply)
{
    if (reply.is_error()) {
        return StoreVerdict::error;
    }
    const RespItem &word = reply.member(0);
    if (word.type == RespType::bytes
        && reply.member(1).type == RespType::integer) {
        for (const Word &known : kWords) {
            if (known.text == word.text) {
                return known.verdict;
            }
        }
    }
    return StoreVerdict::broken;
}

// Which of them a script can say.
bool can_say(StoreScript script, StoreVerdict verdict)
{
    switch (script) {
    case StoreScript::take:
        return verdict == StoreVerdict::taken || verdict == StoreVerdict::held;
    case StoreScript::resume:
        return verdict == StoreVerdict::resumed
               || verdict == StoreVerdict::ended
               || verdict == StoreVerdict::lost;
    case StoreScript::settling:
    case StoreScript::takeover:
        return verdict == StoreVerdict::done || verdict == StoreVerdict::lost
               || verdict == StoreVerdict::name_taken;
    case StoreScript::paid:
    case StoreScript::finish:
    case StoreScript::renew:
    case StoreScript::unproven:
    case StoreScript::pass:
    case StoreScript::nonce:
        return verdict == StoreVerdict::done || verdict == StoreVerdict::lost;
    case StoreScript::name:
        return verdict == StoreVerdict::done
               || verdict == StoreVerdict::name_taken;
    case StoreScript::due:
    case StoreScript::supported:
    case StoreScript::bought:
        return verdict == StoreVerdict::done;
    }
    return false;
}

// No bytes at all: the store knows nothing of the claim.
bool read_claim(const RespItem &item, std::int64_t now, StoredClaim &claim)
{
    return item.type == RespType::bytes
           && (item.text.empty() || read_stored_claim(item.text, now, claim));
}

bool read_key(const RespItem &item, Digest &key)
{
    char text[2 + 64] = {'0', 'x'};
    if (item.type != RespType::bytes || item.text.size() != 64) {
        return false;
    }
    item.text.copy(text + 2, 64);
    return hex_decode({text, sizeof(text)}, key.data(), key.size());
}

bool read_older(const RespReply &reply, std::int64_t now, StoreAnswer &answer)
{
    std::size_t members = reply.root().count;
    if (members % 2 == 0 || (members - 3) / 2 > kMaxOlder) {
        return false;
    }
    for (std::size_t at = 3; at < members; at += 2) {
        StoredClaim &older = answer.older[answer.older_count++];
        if (!read_key(reply.member(at), older.key)
            || !read_claim(reply.member(at + 1), now, older)
            || older.state == ClaimState::free) {
            return false;
        }
    }
    return true;
}

bool read_bought(const RespReply &reply, StoreAnswer &answer)
{
    std::size_t members = reply.root().count;
    if (members % 2 == 0 || (members - 3) / 2 > kMostBought) {
        return false;
    }
    for (std::size_t at = 3; at < members; at += 2) {
        StoreAnswer::Bought &one = answer.bought[answer.bought_count++];
        const RespItem &amount = reply.member(at);
        const RespItem &left = reply.member(at + 1);
        if (amount.type != RespType::bytes || left.type != RespType::integer) {
            return false;
        }
        Digest asked;
        if (!amount.text.empty() && read_key(amount, asked)) {
            one.asked = asked;
            one.left = left.integer;
        }
    }
    return true;
}

// Whether the rest of the answer is as this script says it.
bool read_returning(StoreScript script, const RespReply &reply,
                    StoreAnswer &answer)
{
    if (script == StoreScript::bought) {
        return read_bought(reply, answer);
    }
    answer.left = reply.member(3).integer;
    return reply.root().count == 4 && reply.member(3).type == RespType::integer;
}

bool read_body(const RespReply &reply, StoreAnswer &answer)
{
    std::int64_t now = reply.member(1).integer;
    std::size_t members = reply.root().count;
    if (!read_claim(reply.member(2), now, answer.claim)) {
        return false;
    }
    switch (answer.verdict) {
    case StoreVerdict::taken:
        return read_older(reply, now, answer);
    case StoreVerdict::held:
    case StoreVerdict::resumed:
    case StoreVerdict::ended:
        answer.settle = reply.member(3).text;
        return members == 4 && reply.member(3).type == RespType::bytes
               && answer.claim.state != ClaimState::free;
    default:
        return members == 3;
    }
}

}  // namespace

void read_store_answer(StoreScript script, const Digest &key,
                       const RespReply &reply, StoreAnswer &answer)
{
    answer.claim.key = key;
    answer.verdict = verdict_of(reply);
    bool of_returning =
        script == StoreScript::pass || script == StoreScript::bought;
    bool good = answer.verdict == StoreVerdict::error
                || (can_say(script, answer.verdict)
                    && (of_returning ? read_returning(script, reply, answer)
                                     : read_body(reply, answer)));
    if (!good) {
        answer = StoreAnswer();
    }
}

StoreAnswer read_store_answer(StoreScript script, const Digest &key,
                              const RespReply &reply)
{
    StoreAnswer answer;
    read_store_answer(script, key, reply, answer);
    return answer;
}

DueAnswer read_due(const RespReply &reply)
{
    DueAnswer due;
    due.verdict = verdict_of(reply);
    if (due.verdict == StoreVerdict::error) {
        return due;
    }
    std::size_t members = reply.root().count;
    bool good =
        can_say(StoreScript::due, due.verdict) && members <= 2 + kMaxDue;
    for (std::size_t at = 2; good && at < members; at++) {
        good = read_key(reply.member(at), due.claims[due.count++]);
    }
    if (!good) {
        return DueAnswer();
    }
    return due;
}

SharedTexts read_shared_texts(const RespReply &reply)
{
    SharedTexts shared;
    shared.verdict = verdict_of(reply);
    if (shared.verdict == StoreVerdict::error) {
        return shared;
    }
    std::size_t members = reply.root().count;
    bool good = can_say(StoreScript::supported, shared.verdict)
                && reply.member(2).type == RespType::bytes
                && members <= 3 + kMaxSharedTexts;
    shared.edition = reply.member(2).text;
    for (std::size_t at = 3; good && at < members; at++) {
        good = reply.member(at).type == RespType::bytes;
        shared.texts[shared.count++] = reply.member(at).text;
    }
    return good ? shared : SharedTexts();
}

}  // namespace x402
