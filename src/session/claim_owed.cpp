// How a ClaimTable finds claims without knowing their payment: what a payer is
// owed, and which unknown outcomes are to be asked about.
//
// Both are lists through the cells themselves, derived from their states (see
// claim_owners.cpp), so that nothing can be found that is not there, and
// nothing is lost for want of room. One list for each hash of payer and
// resource, and one of all open settlements, which is gone round.
#include <cstring>

#include "base/decimal_amount.hpp"
#include "session/claim_table.hpp"
#include "session/claim_table_layout.hpp"

namespace x402 {

std::uint32_t &ClaimTable::head_of(const Digest &payer,
                                   const Digest &resource) const
{
    Areas areas = areas_of(reinterpret_cast<Header *>(memory_)->bytes);
    std::uint64_t by_payer;
    std::uint64_t by_resource;
    std::memcpy(&by_payer, payer.data(), sizeof(by_payer));
    std::memcpy(&by_resource, resource.data(), sizeof(by_resource));
    auto *heads = reinterpret_cast<std::uint32_t *>(memory_ + areas.heads_at);
    std::uint64_t mixed = by_payer ^ (by_resource * 0x9e3779b97f4a7c15ULL);
    return heads[mixed % (areas.buckets * kCellsPerBucket)];
}

void ClaimTable::link_owed(Cell &cell) const
{
    std::uint32_t &head = head_of(cell.payer, cell.resource);
    cell.owed_link = {0, head};
    if (head != 0) {
        first_cell()[head - 1].owed_link.before = number_of(cell) + 1;
    }
    head = number_of(cell) + 1;
}

void ClaimTable::unlink_owed(Cell &cell) const
{
    Link link = cell.owed_link;
    if (link.before != 0) {
        first_cell()[link.before - 1].owed_link.behind = link.behind;
    } else {
        head_of(cell.payer, cell.resource) = link.behind;
    }
    if (link.behind != 0) {
        first_cell()[link.behind - 1].owed_link.before = link.before;
    }
    cell.owed_link = {};
}

// At the end: whoever was looked at last is looked at last again.
void ClaimTable::link_due(Cell &cell) const
{
    Link &ends = reinterpret_cast<Header *>(memory_)->due;
    std::uint32_t number = number_of(cell) + 1;
    cell.due_link = {ends.before, 0};
    if (ends.before != 0) {
        first_cell()[ends.before - 1].due_link.behind = number;
    } else {
        ends.behind = number;
    }
    ends.before = number;
}

void ClaimTable::unlink_due(Cell &cell) const
{
    Link &ends = reinterpret_cast<Header *>(memory_)->due;
    Link link = cell.due_link;
    if (link.before != 0) {
        first_cell()[link.before - 1].due_link.behind = link.behind;
    } else {
        ends.behind = link.behind;
    }
    if (link.behind != 0) {
        first_cell()[link.behind - 1].due_link.before = link.before;
    } else {
        ends.before = link.before;
    }
    cell.due_link = {};
}

// Empties the lists, to be made anew.
void ClaimTable::relink() const
{
    auto *header = reinterpret_cast<Header *>(memory_);
    Areas areas = areas_of(header->bytes);
    header->due = {};
    std::memset(memory_ + areas.heads_at, 0,
                areas.buckets * kCellsPerBucket * sizeof(std::uint32_t));
}

// The oldest of the claims that cover the purchase and fit. A payer who has
// more than some dozens open on one resource is served from the newest.
template <class Fits>
ClaimTable::Cell *ClaimTable::find_older(const Purchase &purchase,
                                         std::int64_t now, Fits fits) const
{
    repair();
    Cell *found = nullptr;
    std::uint32_t at = head_of(purchase.payer, purchase.resource);
    for (unsigned looked = 0; at != 0 && looked < kOwedLooked; looked++) {
        Cell &cell = first_cell()[at - 1];
        at = cell.owed_link.behind;
        tidy(cell, now);
        if (cell.payer == purchase.payer && cell.resource == purchase.resource
            && cell.money == purchase.money && cell.amount >= purchase.amount
            && cell.expires > now && fits(cell)) {
            found = &cell;
        }
    }
    return found;
}

namespace {

bool is_open_again(ClaimState state, std::uint8_t flags)
{
    return state == ClaimState::unknown
           || (state == ClaimState::settling && (flags & kEverUnknown));
}

}  // namespace

bool ClaimTable::is_owed(const Cell &cell)
{
    return cell.claim_state() == ClaimState::paid && cell.owner_stamp == 0
           && cell.executions < kMaxExecutions;
}

bool ClaimTable::resume_owed(const Purchase &purchase, ClaimOwner owner,
                             std::int64_t now, ClaimView &claim)
{
    Cell *cell = find_older(purchase, now, is_owed);
    if (cell == nullptr
        || !resume({number_of(*cell), cell->generation}, owner)) {
        return false;
    }
    claim = view_of(*cell);
    return true;
}

ClaimView ClaimTable::find_unknown(const Purchase &purchase, std::int64_t now)
{
    const Cell *cell = find_older(purchase, now, [](const Cell &candidate) {
        return is_open_again(candidate.claim_state(), candidate.flags);
    });
    return cell ? view_of(*cell) : ClaimView();
}

bool ClaimTable::has_older(const Purchase &purchase, std::int64_t now) const
{
    return find_older(purchase, now,
                      [](const Cell &candidate) {
                          return is_owed(candidate)
                                 || is_open_again(candidate.claim_state(),
                                                  candidate.flags);
                      })
           != nullptr;
}

void ClaimTable::plan_retry(Cell &cell, std::int64_t now) const
{
    std::int64_t delay = kFirstRetry;
    for (unsigned i = 0; i < cell.tries && delay < kLastRetry; i++) {
        delay *= 3;
    }
    cell.next_try = now + (delay < kLastRetry ? delay : kLastRetry);
    cell.tries += cell.tries < 255 ? 1 : 0;
}

bool ClaimTable::is_due(const Cell &cell, std::int64_t now) const
{
    return cell.claim_state() == ClaimState::unknown && cell.owner_stamp == 0
           && cell.next_try <= now && now < cell.expires - kAfterlife
           && cell.settle_bytes != 0 && cell.first_block != kNoBlock;
}

// Takes a CLOSED claim off the list, so that it is told once.
void ClaimTable::say_closed(Cell &cell) const
{
    auto *header = reinterpret_cast<Header *>(memory_);
    header->changing = 1;
    store_fence();
    unlink_due(cell);
    cell.flags &= static_cast<std::uint8_t>(~kCloseUnsaid);
    store_fence();
    header->changing = 0;
}

DueClaim ClaimTable::next_due(ClaimOwner owner, std::int64_t now)
{
    repair();
    auto *header = reinterpret_cast<Header *>(memory_);
    std::uint32_t last = header->due.before;
    for (unsigned looked = 0; looked < kDueLooked; looked++) {
        std::uint32_t number = header->due.behind;
        if (number == 0) {
            break;
        }
        Cell &cell = first_cell()[number - 1];
        ClaimRef ref = {number - 1, cell.generation};
        tidy(cell, now);
        if (cell.claim_state() == ClaimState::closed) {
            say_closed(cell);
            record_claim(cell);  // lest a restart tells it again
            return {DueClaim::What::closed, ref};
        }
        // To the end of the list.
        enter_state(cell, cell.claim_state());
        if (is_due(cell, now)) {
            cell.owner_slot = owner.slot;
            store_fence();
            cell.owner_stamp = owner.stamp;
            return {DueClaim::What::ask_again, ref};
        }
        if (number == last) {
            break;
        }
    }
    return {};
}

void ClaimTable::set_texts(ClaimRef ref, std::string_view network,
                           std::string_view payer, std::string_view asset)
{
    Cell *cell = cell_of(ref);
    if (cell == nullptr) {
        return;
    }
    std::size_t used = 0;
    const std::string_view texts[] = {network, payer, asset};
    for (std::size_t i = 0; i < 3; i++) {
        std::string_view text = texts[i];
        if (text.size() > kTextBytes - used) {
            text = {};
        }
        if (!text.empty()) {
            std::memcpy(cell->texts + used, text.data(), text.size());
        }
        cell->text_bytes[i] = static_cast<std::uint8_t>(text.size());
        used += text.size();
    }
}

ClaimTexts ClaimTable::texts(ClaimRef ref) const
{
    ClaimTexts out;
    const Cell *cell = cell_of(ref);
    if (cell == nullptr) {
        return out;
    }
    std::string_view rest(cell->texts, kTextBytes);
    std::string *texts[] = {&out.network, &out.payer, &out.asset};
    for (std::size_t i = 0; i < 3; i++) {
        std::size_t size = cell->text_bytes[i];
        *texts[i] = std::string(rest.substr(0, size));
        rest.remove_prefix(texts[i]->size());
    }
    out.amount = atomic_amount_text(cell->amount);
    return out;
}

}  // namespace x402
