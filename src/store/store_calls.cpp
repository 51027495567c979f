// SPDX-License-Identifier: Apache-2.0
#include "store/store_calls.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/digest_memo.hpp"
#include "base/hex_codec.hpp"

namespace x402 {

namespace {

constexpr std::size_t kHexDigest = 64;
// The prefix, ":{63}:c:", and a digest.
constexpr std::size_t kKeyBytes = kMaxStorePrefix + 8 + kHexDigest;
constexpr std::size_t kMostKeys = std::max<std::size_t>(5, kMostBought);
constexpr std::size_t kMostArguments = 9;
constexpr std::int64_t kUnprovenWindow = 24 * 3600 * 1000;
constexpr std::int64_t kOutOfSight = 2000;
constexpr std::int64_t kTextKept = 600 * 1000;

using HexDigest = std::array<char, kHexDigest>;

HexDigest hex_of(const Digest &digest)
{
    HexDigest text;
    hex_encode(digest.data(), digest.size(), text.data());
    return text;
}

std::string_view view_of(const HexDigest &text)
{
    return {text.data(), text.size()};
}

// Payer and resource in one; the same for all machines. Each call of a payment
// asks for it.
Digest payer_and_resource(const StoreFacts &facts)
{
    std::array<char, 64> both;
    std::memcpy(both.data(), facts.payer.data(), facts.payer.size());
    std::memcpy(both.data() + facts.payer.size(), facts.resource.data(),
                facts.resource.size());
    return remembered_sha256({both.data(), both.size()});
}

// Writes EVALSHA or EVAL, keys, then arguments.
class Call {
public:
    Call(RespWriter &out, ScriptBy by, StoreScript script,
         std::string_view prefix, unsigned shard)
        : out_(out),
          prefix_(prefix.substr(0, kMaxStorePrefix)),
          shard_(shard % kStoreShards)
    {
        word_ = by == ScriptBy::sha1 ? "EVALSHA" : "EVAL";
        script_ = by == ScriptBy::sha1 ? store_script_sha1(script)
                                       : store_script_text(script);
    }

    void begin(std::size_t keys, std::size_t arguments)
    {
        out_.begin(3 + keys + arguments);
        out_.add(word_).add(script_).add(static_cast<std::int64_t>(keys));
    }

    // prefix:{shard}:kind, and :name if there is one.
    void key(std::string_view kind, std::string_view name = {})
    {
        std::array<char, kKeyBytes + 8> text;
        std::size_t size = 0;
        auto put = [&](std::string_view part) {
            std::memcpy(text.data() + size, part.data(), part.size());
            size += part.size();
        };
        put(prefix_);
        put(":{");
        char number[2] = {static_cast<char>('0' + shard_ / 10),
                          static_cast<char>('0' + shard_ % 10)};
        put(shard_ < 10 ? std::string_view(number + 1, 1)
                        : std::string_view(number, 2));
        put("}:");
        put(kind);
        if (!name.empty()) {
            put(":");
            put(name);
        }
        out_.add({text.data(), size});
    }

    void key(std::string_view kind, const Digest &name)
    {
        key(kind, view_of(hex_of(name)));
    }

    Call &add(std::string_view argument)
    {
        out_.add(argument);
        return *this;
    }
    Call &add(std::int64_t number)
    {
        out_.add(number);
        return *this;
    }
    Call &add(const StoreToken &token)
    {
        return add(
            {reinterpret_cast<const char *>(token.data()), token.size()});
    }
    Call &add(const Digest &digest) { return add(view_of(hex_of(digest))); }

private:
    RespWriter &out_;
    std::string_view prefix_;
    unsigned shard_;
    std::string_view word_;
    std::string_view script_;
};

// The keys of all scripts that change a claim.
void begin_change(Call &call, const StoreClaim &claim, const StoreFacts &facts,
                  std::size_t arguments)
{
    call.begin(facts.name ? 5 : 4, arguments);
    HexDigest key = hex_of(claim.key);
    call.key("c", view_of(key));
    call.key("b", view_of(key));
    call.key("o", payer_and_resource(facts));
    call.key("due");
    if (facts.name) {
        call.key("i", *facts.name);
    }
}

// Seconds left, and the moment; zeros: never.
void add_expiry(Call &call, const StoreFacts &facts)
{
    bool never = facts.expires == kNeverExpires;
    call.add(never ? 0 : facts.expires - facts.now);
    call.add(never ? 0 : facts.expires);
}

void add_knowledge(Call &call, const StoreFacts &facts)
{
    call.add(facts.flags);
    call.add(static_cast<std::int64_t>(facts.executions));
    call.add(facts.record);
}

constexpr std::string_view kPassWords[] = {"issue", "use", "give_back"};

constexpr std::string_view kFinishWords[] = {"free", "refused",   "unknown",
                                             "owed", "delivered", "closed"};

}  // namespace

std::size_t store_call_bytes(ScriptBy by, StoreScript script,
                             std::size_t record, std::size_t settle)
{
    std::size_t text = by == ScriptBy::sha1 ? store_script_sha1(script).size()
                                            : store_script_text(script).size();
    // Of the other arguments none is longer than a digest.
    return kRespCommandBytes + 2 * resp_argument_bytes(20)
           + resp_argument_bytes(text)
           + kMostKeys * resp_argument_bytes(kKeyBytes)
           + (kMostArguments - 2) * resp_argument_bytes(kHexDigest)
           + resp_argument_bytes(record) + resp_argument_bytes(settle);
}

void write_take(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                const StoreFacts &facts, std::int64_t lease)
{
    Call call(out, by, StoreScript::take, claim.prefix, claim.shard);
    call.begin(3, 3);
    HexDigest key = hex_of(claim.key);
    call.key("c", view_of(key));
    call.key("o", payer_and_resource(facts));
    call.key("b", view_of(key));
    call.add(claim.token).add(lease).add(facts.flags);
}

void write_settling(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                    const StoreFacts &facts, std::int64_t lease,
                    SettlingCall how)
{
    Call call(out, by, StoreScript::settling, claim.prefix, claim.shard);
    begin_change(call, claim, facts, 9);
    call.add(claim.token).add(lease);
    call.add(how == SettlingCall::repeated ? 1 : 0);
    add_expiry(call, facts);
    add_knowledge(call, facts);
    call.add(facts.settle);
}

void write_paid(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                const StoreFacts &facts, std::int64_t lease, PaidCall how)
{
    Call call(out, by, StoreScript::paid, claim.prefix, claim.shard);
    begin_change(call, claim, facts, 8);
    call.add(claim.token).add(lease);
    call.add(how == PaidCall::on_trust ? 1 : 0);
    add_expiry(call, facts);
    add_knowledge(call, facts);
}

void write_finish(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                  const StoreFacts &facts, FinishAs how)
{
    Call call(out, by, StoreScript::finish, claim.prefix, claim.shard);
    begin_change(call, claim, facts, 8);
    call.add(claim.token).add(kFinishWords[static_cast<unsigned>(how)]);
    add_expiry(call, facts);
    add_knowledge(call, facts);
    call.add(facts.settle);
}

void write_resume(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                  ResumeWhat what, std::int64_t now, std::int64_t lease)
{
    Call call(out, by, StoreScript::resume, claim.prefix, claim.shard);
    call.begin(3, 5);
    call.key("c", claim.key);
    call.key("b", claim.key);
    call.key("due");
    auto wanted = static_cast<unsigned>(what);
    auto is_wanted = [&](ResumeWhat one) {
        return wanted & static_cast<unsigned>(one) ? 1 : 0;
    };
    call.add(claim.token).add(lease);
    call.add(is_wanted(ResumeWhat::unknown)).add(is_wanted(ResumeWhat::owed));
    call.add(now);
}

void write_takeover(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                    const StoreFacts &facts, std::int64_t lease)
{
    Call call(out, by, StoreScript::takeover, claim.prefix, claim.shard);
    begin_change(call, claim, facts, 9);
    call.add(claim.token).add(lease).add(facts.now);
    add_expiry(call, facts);
    add_knowledge(call, facts);
    call.add(facts.settle);
}

void write_renew(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                 std::int64_t lease)
{
    Call call(out, by, StoreScript::renew, claim.prefix, claim.shard);
    call.begin(2, 2);
    call.key("c", claim.key);
    call.key("due");
    call.add(claim.token).add(lease);
}

void write_unproven(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                    const Digest &payer, unsigned limit)
{
    Call call(out, by, StoreScript::unproven, claim.prefix, claim.shard);
    call.begin(1, 3);
    call.key("u", payer);
    call.add(claim.key);
    call.add(static_cast<std::int64_t>(std::min(limit, kMaxUnproven)));
    call.add(kUnprovenWindow);
}

void write_name(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                unsigned shard, const Digest &name, std::int64_t left,
                NameCall what)
{
    bool same = shard == claim.shard;
    bool never = left == kNeverExpires;
    Call call(out, by, StoreScript::name, claim.prefix, shard);
    call.begin(same ? 2 : 1, 4);
    call.key("i", name);
    if (same) {
        call.key("c", claim.key);
    }
    call.add(what == NameCall::note ? "note" : "forget").add(claim.key);
    call.add(never ? 0 : left).add(never ? 1 : 0);
}

void write_due(RespWriter &out, ScriptBy by, std::string_view prefix,
               unsigned shard, unsigned most)
{
    Call call(out, by, StoreScript::due, prefix, shard);
    call.begin(1, 2);
    call.key("due");
    call.add(static_cast<std::int64_t>(std::min(most, kMaxDue)));
    call.add(kOutOfSight);
}

void write_supported(RespWriter &out, ScriptBy by, std::string_view prefix,
                     const Digest &name, std::string_view text,
                     std::string_view edition)
{
    Call call(out, by, StoreScript::supported, prefix, store_shard(name));
    call.begin(1, 4);
    call.key("s", name);
    call.add(text).add(kTextKept);
    call.add(static_cast<std::int64_t>(kMaxSharedTexts)).add(edition);
}

void write_pass(RespWriter &out, ScriptBy by, const StoreClaim &pass,
                PassCall what, std::uint32_t requests, std::int64_t left)
{
    Call call(out, by, StoreScript::pass, pass.prefix, pass.shard);
    call.begin(2, 4);
    call.key("p", pass.key);
    call.key("q", pass.key);
    call.add(kPassWords[static_cast<unsigned>(what)]).add(pass.token);
    call.add(static_cast<std::int64_t>(requests)).add(left * 1000);
}

void write_nonce(RespWriter &out, ScriptBy by, const StoreClaim &nonce,
                 std::int64_t kept_for)
{
    Call call(out, by, StoreScript::nonce, nonce.prefix, nonce.shard);
    call.begin(1, 2);
    call.key("n", nonce.key);
    call.add(nonce.token).add(kept_for * 1000);
}

void write_bought(RespWriter &out, ScriptBy by, const StoreClaim &purchase,
                  const AmountBytes &asked, std::int64_t left)
{
    Call call(out, by, StoreScript::bought, purchase.prefix, purchase.shard);
    call.begin(1, 2);
    call.key("g", purchase.key);
    call.add(asked).add(left * 1000);
}

void write_bought_query(RespWriter &out, ScriptBy by, const StoreClaim &payer,
                        const std::vector<Digest> &keys)
{
    std::size_t count = std::min(keys.size(), kMostBought);
    Call call(out, by, StoreScript::bought, payer.prefix, payer.shard);
    call.begin(count, 0);
    for (std::size_t i = 0; i < count; i++) {
        call.key("g", keys[i]);
    }
}

}  // namespace x402
