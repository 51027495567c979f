// SPDX-License-Identifier: Apache-2.0
// What a machine says to the store about a claim: one function for each script,
// which writes the call into a buffer of the caller (RespWriter::complete()
// tells whether it fitted; store_call_bytes() says how much is enough).
//
// Each call may be repeated with the same token, after an answer that was lost
// or a connection that broke: what was done already is answered as if it had
// just been done. All of them are one step in the store.
//
// | script | from | answer |
// | take | nothing, REFUSED, a lapsed VERIFYING | taken, held |
// | settling | own VERIFYING, own UNKNOWN | done, lost, name_taken |
// | paid | all but another's PAID or DELIVERED | done, lost |
// | finish | own token; what is a fact from any | done, lost |
// | resume | UNKNOWN or owed, and its lease is over | resumed, ended, lost |
// | takeover | UNKNOWN, never verified, lease over | done, lost, name_taken |
// | renew | own token | done, lost |
// | unproven | - | done, lost |
// | name | - | done, name_taken |
// | due | - | read_due() |
// | supported | - | read_shared_texts() |
// | pass | - | done, lost |
// | nonce | - | done, lost |
// | bought | - | done |
#ifndef X402_STORE_STORE_CALLS_HPP
#define X402_STORE_STORE_CALLS_HPP

#include <vector>

#include "store/resp_writer.hpp"
#include "store/store_claim.hpp"
#include "store/store_scripts.hpp"

namespace x402 {

// By the digest of the script; or by its text, once after NOSCRIPT.
enum class ScriptBy : std::uint8_t { sha1, text };

// Bytes that a call needs at most, with a record and a settle request of these
// sizes.
std::size_t store_call_bytes(ScriptBy by, StoreScript script,
                             std::size_t record = 0, std::size_t settle = 0);

// The claim is the caller's for `lease` ms, VERIFYING. Of `facts`: payer,
// resource, left, flags. `taken` brings the claims of this payer and resource
// that are owed or unknown, and the state that it had before: a payment that
// was REFUSED is settled before content. `held` brings the claim, and the
// settle request of one that TAKEOVER can have. Money: a store without memory
// refuses this call (error OOM), and no other.
void write_take(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                const StoreFacts &facts, std::int64_t lease);

enum class SettlingCall {
    // Nothing was sent yet. `lost`: it may not be sent.
    first,
    // After a reconnect: the settle request is on the wire, so that a store
    // that forgot the claim, or gave it to another who has sent nothing, is
    // told of it.
    repeated,
};

// SETTLING, with all facts. Money: await `done` before the first byte of
// settle. A claim that was ever unknown keeps the settle request that it has.
void write_settling(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                    const StoreFacts &facts, std::int64_t lease,
                    SettlingCall call);

enum class PaidCall {
    // The money has moved. Proof beats doubt: the claim is PAID even if it was
    // lost, or is another's who is still in doubt.
    proven,
    // On the facilitator's word alone (x402_settle off, Fast). Money: `lost`
    // if the claim is not the caller's, and then there is no content.
    on_trust,
};

// PAID, with all facts but settle. `lease` 0: the client left, and content is
// owed from now on. `lost`: another has delivered it, or is about to; the
// caller does not deliver.
void write_paid(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                const StoreFacts &facts, std::int64_t lease, PaidCall call);

enum class FinishAs : std::uint8_t {
    free,
    refused,
    unknown,
    owed,
    delivered,
    closed,
};

// The claim is out of the caller's hands. With all facts; record and settle
// may be empty for free, refused, delivered and closed. `delivered`, `owed` and
// `unknown` are facts, and raise what the store has, also another's; the others
// are the owner's alone. `lost`: another has the claim, or knows more.
//
// Money: free and refused of a claim that was ever unknown (facts.flags) make
// it UNKNOWN again.
void write_finish(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                  const StoreFacts &facts, FinishAs how);

enum class ResumeWhat : std::uint8_t {
    none = 0,  // only looks: `lost` brings the claim, and nothing changes
    unknown = 1,
    owed = 2,
    any = 3,
};

// A new owner, for `lease` ms. `now`: unix seconds, by the caller's clock.
// `resumed` brings the claim and, if it is UNKNOWN, its settle request. Content
// is made kMaxExecutions times at most; what the caller makes it tells with
// PAID or FINISH. `ended`: its
// payment has expired; write the line of the ledger, and then finish as
// closed. `lost` brings the claim as it is: in use, used up, or something else.
void write_resume(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                  ResumeWhat what, std::int64_t now, std::int64_t lease);

// Another payment of the same key, which was verified, takes an UNKNOWN claim
// that was not (ClaimTable::take_over). With all facts.
void write_takeover(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                    const StoreFacts &facts, std::int64_t lease);

// The owner is still at it: `lease` ms from now.
void write_renew(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                 std::int64_t lease);

// Counts an unproven delivery of the payer, once for each claim. `lost`: it had
// `limit` of them in the last 24 hours.
void write_unproven(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                    const Digest &payer, unsigned limit);

enum class NameCall : std::uint8_t {
    note,    // for `left` s, if no other payment has it: done or name_taken
    forget,  // the payment came to nothing
};

// A payment identifier. `shard`: that of PaymentName.payer. If it is the
// claim's, the name of a payment that came to nothing is free; if not, it is
// that payment's for `left` s.
void write_name(RespWriter &out, ScriptBy by, const StoreClaim &claim,
                unsigned shard, const Digest &name, std::int64_t left,
                NameCall call);

// At most `most` claims (kMaxDue) of the shard that are to be asked about:
// RESUME each. Others are not told of them for the next two seconds.
constexpr unsigned kMaxDue = 32;
void write_due(RespWriter &out, ScriptBy by, std::string_view prefix,
               unsigned shard, unsigned most);

// What a facilitator says that it supports, as this machine has heard it last
// (empty: nothing new to tell); `name`: a digest of its URL. The answer has
// what all machines have told in the last ten minutes, unless that is the
// edition that the caller knows. Money: it only widens which offers are known.
constexpr unsigned kMaxSharedTexts = 8;
void write_supported(RespWriter &out, ScriptBy by, std::string_view prefix,
                     const Digest &name, std::string_view text,
                     std::string_view edition);

// --- clients that come back (x402_pass, x402_sign_in). StoreClaim.key is the
// pass, the nonce or the purchase; its token names one use.

enum class PassCall : std::uint8_t {
    issue,      // for `left` s; one that is there keeps what is left of it
    use,        // lost: it is not known (left < 0), or has fewer left
    give_back,  // a use that got no content: nothing, if it was not carried out
};

// Counts requests of a pass; StoreAnswer.left is what is left then. Money: a
// pass that the store does not know opens nothing.
void write_pass(RespWriter &out, ScriptBy by, const StoreClaim &pass,
                PassCall what, std::uint32_t requests, std::int64_t left);

// Uses a nonce, which the store keeps for `kept_for` s. `lost`: it was used.
void write_nonce(RespWriter &out, ScriptBy by, const StoreClaim &nonce,
                 std::int64_t kept_for);

// Remembers that a payer has bought this, until `left` s from now.
void write_bought(RespWriter &out, ScriptBy by, const StoreClaim &purchase,
                  const AmountBytes &asked, std::int64_t left);

// Reads what the payer of this shard has bought: StoreAnswer.bought, in the
// order of `keys`, of which there are at most kMostBought.
constexpr std::size_t kMostBought = 8;
void write_bought_query(RespWriter &out, ScriptBy by, const StoreClaim &payer,
                        const std::vector<Digest> &keys);

}  // namespace x402

#endif
