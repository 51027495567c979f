// SPDX-License-Identifier: Apache-2.0
// The life of a claim, step by step: longer than other files because one class
// has all of the steps. What a step needs is done by the parts.
#include "session/claim_table.hpp"

#include <algorithm>

#include "session/claim_replay.hpp"

namespace x402 {

namespace {

constexpr unsigned kOwedLooked = 64;
constexpr unsigned kDueLooked = 64;
constexpr std::size_t kKeptLooked = 2048;

bool is_owed(const ClaimCell &cell)
{
    return cell.claim_state() == ClaimState::paid && cell.owner_stamp == 0
           && cell.executions < kMaxExecutions;
}

// Money: anyone can put another payer's name on a payment that was never
// verified.
bool is_open_again(const ClaimCell &cell)
{
    return cell.payer_was_verified()
           && (cell.claim_state() == ClaimState::unknown
               || (cell.claim_state() == ClaimState::settling
                   && (cell.flags & kEverUnknown)));
}

bool is_older(const ClaimCell &cell, const Purchase &purchase, std::int64_t now)
{
    return cell.payer == purchase.payer
           && covers(cell.binding, purchase.binding) && cell.expires > now;
}

ClaimView view_of(const ClaimCell &cell, ClaimRef ref)
{
    ClaimView view;
    view.state = cell.claim_state();
    view.ref = ref;
    view.key = cell.key;
    view.binding = cell.binding;
    view.in_use = cell.owner_stamp != 0;
    view.abandoned = cell.flags & kAbandoned;
    view.was_verified = cell.flags & kWasVerified;
    view.ever_unknown = cell.flags & kEverUnknown;
    view.first_settle_sent = cell.flags & kFirstSettleSent;
    view.never_settled =
        view.state == ClaimState::paid && cell.settle_started == 0;
    // Nothing else uses up its executions before it is paid.
    view.streamed =
        view.state == ClaimState::unknown && cell.executions >= kMaxExecutions;
    view.executions = cell.executions;
    view.facilitator = cell.facilitator;
    view.settle_started = cell.settle_started;
    view.expires = cell.expires;
    if (view.state == ClaimState::paid) {
        view.receipt.assign(cell.receipt, cell.receipt_bytes);
    }
    return view;
}

}  // namespace

ClaimTable::ClaimTable(void *memory, IsAlive is_alive)
    : memory_(memory),
      owners_(memory_, is_alive),
      blocks_(memory_, owners_),
      used_(memory_),
      journal_(memory_, owners_, blocks_, used_),
      payers_(memory_, journal_),
      owed_(memory_),
      due_(memory_),
      cells_(memory_, owners_, payers_, owed_, due_, used_)
{
}

const Digest &ClaimTable::journal_identity(const void *memory)
{
    return static_cast<const ClaimHeader *>(memory)->journal;
}

void ClaimTable::set_journal_identity(const Digest &identity,
                                      std::uint64_t edition, std::uint64_t size)
{
    ClaimHeader &header = memory_.header();
    header.journal = identity;
    header.journal_edition = edition;
    header.journal_base = size;
}

std::uint64_t ClaimTable::journal_edition() const
{
    return memory_.header().journal_edition;
}

std::uint64_t ClaimTable::journal_base() const
{
    return memory_.header().journal_base;
}

ReplayReport ClaimTable::replay(std::string_view journal, std::int64_t now)
{
    return ClaimReplay(memory_, cells_, blocks_, payers_, used_)
        .run(journal, now);
}

bool ClaimTable::follow(std::string_view journal, std::int64_t process,
                        std::int64_t now, ReplayReport &report)
{
    ClaimOwner other = owners_.owner_for(process);
    if (other.stamp == 0) {
        return false;
    }
    report = ClaimReplay(memory_, cells_, blocks_, payers_, used_)
                 .follow(journal, other, now);
    return true;
}

void ClaimTable::end_follow(std::int64_t process, std::int64_t now)
{
    owners_.release(owners_.owner_for(process));
    cells_.sweep(capacity(), now);
}

JournalRecord ClaimTable::record(ClaimRef ref, RecordPart part) const
{
    const ClaimCell *cell = memory_.cell_of(ref);
    return cell ? journal_.record_of(*cell, part) : JournalRecord();
}

void ClaimTable::fill_record(ClaimRef ref, RecordPart part,
                             JournalRecord &record) const
{
    if (const ClaimCell *cell = memory_.cell_of(ref)) {
        journal_.fill_record_of(*cell, part, record);
    } else {
        record = JournalRecord();
    }
}

ClaimRef ClaimTable::adopt(const JournalRecord &record, std::int64_t now)
{
    if (!ClaimReplay(memory_, cells_, blocks_, payers_, used_)
             .adopt(record, now)) {
        return {};
    }
    ClaimCell *cell = cells_.find(record.key);
    journal_.record_claim(*cell);
    return memory_.ref_of(*cell);
}

ClaimOwner ClaimTable::attach(std::int64_t process, std::int64_t now)
{
    bool some_died;
    ClaimOwner owner = owners_.attach(process, some_died);
    if (owner.stamp != 0 && some_died) {
        cells_.sweep(capacity(), now);
    }
    return owner;
}

void ClaimTable::detach(ClaimOwner owner, std::int64_t now)
{
    if (owners_.detach(owner)) {
        cells_.sweep(capacity(), now);
    }
}

ClaimView ClaimTable::look_up(const ClaimFacts &facts, std::int64_t now)
{
    ClaimView view;
    ClaimCell *cell = cells_.find(facts.key);
    if (cell == nullptr) {
        if (used_.has(facts.key, now)) {
            view.state = ClaimState::delivered;
        }
        return view;
    }
    cells_.tidy(*cell, now);
    if (cell->claim_state() == ClaimState::free) {
        return view;
    }
    view = view_of(*cell, memory_.ref_of(*cell));
    view.same_client = cell->redeliver_key == facts.redeliver_key;
    return view;
}

ClaimView ClaimTable::view(ClaimRef ref) const
{
    const ClaimCell *cell = memory_.cell_of(ref);
    return cell ? view_of(*cell, ref) : ClaimView();
}

// A checkpoint of the journal may have passed the new place of a claim that
// moved, and not have come to the former one.
ClaimCell *ClaimTable::find_room(const Digest &key, std::int64_t now)
{
    ClaimCell *moved = nullptr;
    ClaimCell *cell = cells_.find_room(key, now, &moved);
    if (moved != nullptr) {
        journal_.record_claim(*moved);
    }
    return cell;
}

TakeOutcome ClaimTable::take(const ClaimFacts &facts, ClaimOwner owner,
                             std::int64_t now, ClaimRef &ref)
{
    ClaimCell *cell = cells_.find(facts.key);
    if (cell != nullptr) {
        cells_.tidy(*cell, now);
        if (cell->claim_state() != ClaimState::free
            && cell->claim_state() != ClaimState::refused) {
            return TakeOutcome::in_use;
        }
    } else if (used_.has(facts.key, now)) {
        return TakeOutcome::in_use;
    }
    if (!cells_.may_open_another(now) || !journal_.is_ready(now)) {
        return TakeOutcome::full;
    }
    if (cell == nullptr) {
        cell = find_room(facts.key, now);
    }
    if (cell == nullptr) {
        return TakeOutcome::full;
    }
    cells_.begin(*cell, facts, now);
    cell->set_owner(owner);
    cells_.enter_state(*cell, ClaimState::verifying);
    ref = memory_.ref_of(*cell);
    return TakeOutcome::taken;
}

bool ClaimTable::resume(ClaimRef ref, ClaimOwner owner)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell == nullptr || cell->owner_stamp != 0
        || cell->executions >= kMaxExecutions) {
        return false;
    }
    if (cell->claim_state() == ClaimState::paid) {
        cell->executions++;
        journal_.record_claim(*cell);
    } else if (cell->claim_state() != ClaimState::unknown) {
        return false;
    }
    cell->set_owner(owner);
    return true;
}

void ClaimTable::set_name(ClaimRef ref, std::uint32_t place)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        cell->name = place;
    }
}

void ClaimTable::set_texts(ClaimRef ref, std::string_view network,
                           std::string_view payer, std::string_view asset)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        cell->set_texts(network, payer, asset);
    }
}

void ClaimTable::set_amount_paid(ClaimRef ref, const AmountBytes &paid)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        cell->binding.paid = paid;
    }
}

ClaimTexts ClaimTable::texts(ClaimRef ref) const
{
    const ClaimCell *cell = memory_.cell_of(ref);
    return cell ? cell->claim_texts() : ClaimTexts();
}

bool ClaimTable::set_verified(ClaimRef ref)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell == nullptr) {
        return false;
    }
    cells_.repair();
    cell->flags |= kWasVerified;
    cell->executions++;
    if (!payers_.admit(cell->payer, cell->changed)) {
        return false;
    }
    cells_.enter_state(*cell, ClaimState::verified);
    return true;
}

bool ClaimTable::set_served_unverified(ClaimRef ref, bool on_record)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell == nullptr || (on_record && !payers_.spend_settled(*cell))) {
        return false;
    }
    // Money: from now on it counts in the room of unverified claims.
    cells_.change(*cell, [&] {
        cell->executions++;
        cell->served = 1;
        cell->on_record = on_record ? 1 : 0;
    });
    return true;
}

bool ClaimTable::set_streamed(ClaimRef ref, unsigned least)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell == nullptr || cell->claim_state() != ClaimState::verified
        || !payers_.spend_for_stream(*cell, least)) {
        return false;
    }
    cell->streamed = 1;
    // Nothing is owed for what has left: no one may ask for it again.
    cell->executions = kMaxExecutions;
    return true;
}

bool ClaimTable::set_settling(ClaimRef ref, std::string_view bytes,
                              std::uint64_t facilitator, std::int64_t now)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell == nullptr) {
        return false;
    }
    // A settlement asked again keeps what was sent the first time.
    if (!(cell->flags & kEverUnknown)) {
        cell->facilitator = facilitator;
        cell->settle_started = now;
        blocks_.keep(*cell, bytes, now);
    }
    cell->changed = now;
    ClaimState before = cell->claim_state();
    std::uint8_t flags = cell->flags;
    cell->flags &= static_cast<std::uint8_t>(~kAbandoned);
    cells_.enter_state(*cell, ClaimState::settling);
    // Asked again it is UNKNOWN in the journal already, unless its worker died
    // on the way there.
    bool known = (flags & kEverUnknown) && !(flags & kAbandoned);
    if (known || journal_.record_claim(*cell)) {
        return true;
    }
    // Money: if the caller dies now, nothing may be left to ask about.
    cell->flags = flags;
    if (!(flags & kEverUnknown)) {
        cells_.enter_state(*cell, before);
    }
    return false;
}

// Money: killed in the middle this leaves a claim without a settle request: it
// can be neither asked about nor presented, and is CLOSED in the end.
bool ClaimTable::take_over(ClaimRef ref, const ClaimFacts &facts,
                           ClaimOwner owner, std::string_view bytes,
                           std::uint64_t facilitator, std::int64_t now)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell == nullptr || cell->claim_state() != ClaimState::unknown
        || cell->owner_stamp != 0 || (cell->flags & kWasVerified)
        || cell->key != facts.key || cell->expires <= now) {
        return false;
    }
    cells_.change(*cell, [&] {
        blocks_.drop(*cell);
        cell->flags |= kTakenOver;
        cell->on_record = 0;  // it spent nothing of what is its binding now
        cell->client = facts.client;
        cell->binding = facts.binding;
        cell->redeliver_key = facts.redeliver_key;
        cell->payer = facts.payer;
        cell->expires = std::max(cell->expires, facts.expires);
        cell->facilitator = facilitator;
        cell->settle_started = now;
        cell->changed = now;
        cell->tries = 0;
        blocks_.keep(*cell, bytes, now);
    });
    if (!journal_.record_claim(*cell)) {
        cell->flags |= kAbandoned;  // to be written before it is asked about
        return false;
    }
    cell->set_owner(owner);
    return true;
}

void ClaimTable::set_first_settle_sent(ClaimRef ref, bool sent)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        cell->flags &= static_cast<std::uint8_t>(~kFirstSettleSent);
        cell->flags |= sent ? kFirstSettleSent : 0;
    }
}

bool ClaimTable::set_paid(ClaimRef ref, std::string_view receipt,
                          std::int64_t now, bool makes_content)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell == nullptr || receipt.size() > kReceiptBytes) {
        return cell == nullptr;
    }
    if (makes_content
        && (cell->executions == 0 || (cell->flags & kEverUnknown))) {
        cell->executions++;
    }
    std::memcpy(cell->receipt, receipt.data(), receipt.size());
    cell->receipt_bytes = static_cast<std::uint16_t>(receipt.size());
    cell->changed = now;
    if (cell->settle_started != 0) {
        payers_.record_settled(*cell, now);
        cell->on_record = 0;
    }
    cells_.enter_state(*cell, ClaimState::paid);
    journal_.record_claim(*cell);
    return true;
}

void ClaimTable::set_delivered(ClaimRef ref, std::int64_t now)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        cell->changed = now;
        cells_.enter_state(*cell, ClaimState::delivered);
        journal_.record_claim(*cell);
        cell->owner_stamp = 0;
    }
}

void ClaimTable::set_refused(ClaimRef ref, std::int64_t now)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        // A payment that was never verified may name any payer.
        if (cell->flags & kWasVerified) {
            payers_.record_refused(cell->payer, now);
            payers_.forget_settled(*cell);
        } else if (cell->executions > 0) {
            payers_.record_unverified_refusal(cell->client, now);
        }
        cell->changed = now;
        cells_.enter_state(*cell, ClaimState::refused);
        journal_.record_claim(*cell);
        cell->owner_stamp = 0;
    }
}

void ClaimTable::set_unknown(ClaimRef ref, std::int64_t now)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        if (cell->payer_was_verified()) {
            payers_.forget_settled(*cell);
        }
        cell->flags |= kEverUnknown;
        cell->changed = now;
        DueList::plan_retry(*cell, now);
        cells_.enter_state(*cell, ClaimState::unknown);
        journal_.record_claim(*cell);
        cell->owner_stamp = 0;
    }
}

void ClaimTable::set_owed(ClaimRef ref)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        if (cell->claim_state() == ClaimState::delivered) {
            cells_.enter_state(*cell, ClaimState::paid);
            journal_.record_claim(*cell);
        }
        cell->owner_stamp = 0;
    }
}

void ClaimTable::free(ClaimRef ref)
{
    if (ClaimCell *cell = memory_.cell_of(ref)) {
        journal_.record_freed(*cell);
        cells_.enter_state(*cell, ClaimState::free);
        cell->owner_stamp = 0;
    }
}

void ClaimTable::abandon(ClaimRef ref, std::int64_t now)
{
    ClaimCell *cell = memory_.cell_of(ref);
    if (cell
        && (cell->claim_state() == ClaimState::verified
            || cell->claim_state() == ClaimState::settling)) {
        payers_.record_abandoned(cell->payer, now);
    } else if (cell && cell->claim_state() == ClaimState::verifying
               && cell->executions > 0) {
        // Work for nothing: the client is verified next, not who it named.
        payers_.record_unverified_refusal(cell->client, now);
    }
    free(ref);
}

// The oldest of the claims that cover the purchase and fit. A payer that has
// more than some dozens open on one resource is served from the newest.
template <class Fits>
ClaimCell *ClaimTable::find_older(const Purchase &purchase, std::int64_t now,
                                  Fits fits)
{
    cells_.repair();
    ClaimCell *found = nullptr;
    ClaimCell *cell = owed_.first(purchase.payer, purchase.binding.resource);
    for (unsigned looked = 0; cell && looked < kOwedLooked; looked++) {
        ClaimCell *older = owed_.next(*cell);  // tidy() may unlink the cell
        cells_.tidy(*cell, now);
        if (is_older(*cell, purchase, now) && fits(*cell)) {
            found = cell;
        }
        cell = older;
    }
    return found;
}

bool ClaimTable::resume_owed(const Purchase &purchase, ClaimOwner owner,
                             std::int64_t now, ClaimView &claim)
{
    ClaimCell *cell = find_older(purchase, now, is_owed);
    if (cell == nullptr || !resume(memory_.ref_of(*cell), owner)) {
        return false;
    }
    claim = view_of(*cell, memory_.ref_of(*cell));
    return true;
}

ClaimView ClaimTable::find_owed(const Purchase &purchase, std::int64_t now)
{
    const ClaimCell *cell = find_older(purchase, now, is_owed);
    return cell ? view_of(*cell, memory_.ref_of(*cell)) : ClaimView();
}

ClaimView ClaimTable::find_unknown(const Purchase &purchase, std::int64_t now)
{
    const ClaimCell *cell = find_older(purchase, now, is_open_again);
    return cell ? view_of(*cell, memory_.ref_of(*cell)) : ClaimView();
}

bool ClaimTable::has_older(const Purchase &purchase, std::int64_t now)
{
    return find_older(purchase, now,
                      [](const ClaimCell &cell) {
                          return is_owed(cell) || is_open_again(cell);
                      })
           != nullptr;
}

DueClaim ClaimTable::next_due(ClaimOwner owner, std::int64_t now)
{
    cells_.repair();
    const ClaimCell *last = due_.last();
    for (unsigned looked = 0; looked < kDueLooked; looked++) {
        ClaimCell *cell = due_.first();
        if (cell == nullptr) {
            break;
        }
        ClaimRef ref = memory_.ref_of(*cell);
        cells_.tidy(*cell, now);
        if (cell->claim_state() == ClaimState::closed) {
            cells_.change(*cell, [&] {
                cell->flags &= static_cast<std::uint8_t>(~kCloseUnreported);
            });
            // Otherwise a restart would report it again.
            journal_.record_claim(*cell);
            return {DueClaim::Kind::closed, ref};
        }
        cells_.enter_state(*cell, cell->claim_state());  // to the list's end
        if (DueList::is_due(*cell, now)) {
            cell->set_owner(owner);
            return {DueClaim::Kind::ask_again, ref};
        }
        if (cell == last) {
            break;
        }
    }
    return {};
}

ClaimRef ClaimTable::next_kept(std::size_t &place, std::int64_t now)
{
    cells_.repair();
    std::size_t end = std::min(capacity(), place + kKeptLooked);
    while (place < end) {
        ClaimCell &cell = memory_.cell(place++);
        cells_.tidy(cell, now);
        bool unknown =
            cell.claim_state() == ClaimState::unknown && cell.owner_stamp == 0;
        if (unknown || (is_owed(cell) && cell.expires > now)) {
            return memory_.ref_of(cell);
        }
    }
    return {};
}

std::string ClaimTable::stored_settle(ClaimRef ref) const
{
    const ClaimCell *cell = memory_.cell_of(ref);
    return cell ? blocks_.stored(*cell) : std::string();
}

bool ClaimTable::settle_digest_is(ClaimRef ref, const Digest &digest) const
{
    const ClaimCell *cell = memory_.cell_of(ref);
    return cell && blocks_.digest_is(*cell, digest);
}

bool ClaimTable::settles_first(const Digest &payer, std::int64_t now)
{
    cells_.repair();
    return payers_.settles_first(payer, now);
}

bool ClaimTable::count_unproven(const Digest &payer, unsigned limit,
                                std::int64_t now)
{
    return payers_.count_unproven(payer, limit, now);
}

}  // namespace x402
