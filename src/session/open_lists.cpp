// SPDX-License-Identifier: Apache-2.0
#include "session/open_lists.hpp"

namespace x402 {

namespace {

constexpr std::int64_t kFirstRetry = 5;  // seconds; then three times as long
constexpr std::int64_t kLastRetry = 600;

}  // namespace

std::uint32_t &OwedLists::head_of(const Digest &payer,
                                  const Digest &resource) const
{
    std::uint64_t by_payer;
    std::uint64_t by_resource;
    std::memcpy(&by_payer, payer.data(), sizeof(by_payer));
    std::memcpy(&by_resource, resource.data(), sizeof(by_resource));
    std::uint64_t mixed = by_payer ^ (by_resource * 0x9e3779b97f4a7c15ULL);
    return memory_.owed_heads()[mixed % memory_.capacity()];
}

void OwedLists::link(ClaimCell &cell)
{
    std::uint32_t &head = head_of(cell.payer, cell.binding.resource);
    std::uint32_t number = memory_.number_of(cell) + 1;
    cell.owed_link = {0, head};
    if (ClaimCell *behind = at(head)) {
        behind->owed_link.before = number;
    }
    head = number;
}

void OwedLists::unlink(ClaimCell &cell)
{
    ListLink link = cell.owed_link;
    if (ClaimCell *before = at(link.before)) {
        before->owed_link.behind = link.behind;
    } else {
        head_of(cell.payer, cell.binding.resource) = link.behind;
    }
    if (ClaimCell *behind = at(link.behind)) {
        behind->owed_link.before = link.before;
    }
    cell.owed_link = {};
}

void OwedLists::clear()
{
    std::memset(memory_.owed_heads(), 0,
                memory_.capacity() * sizeof(std::uint32_t));
}

ClaimCell *OwedLists::first(const Digest &payer, const Digest &resource) const
{
    return at(head_of(payer, resource));
}

ClaimCell *OwedLists::next(const ClaimCell &cell) const
{
    return at(cell.owed_link.behind);
}

void DueList::link(ClaimCell &cell)
{
    ListLink &ends = memory_.header().due;
    std::uint32_t number = memory_.number_of(cell) + 1;
    cell.due_link = {ends.before, 0};
    if (ClaimCell *before = at(ends.before)) {
        before->due_link.behind = number;
    } else {
        ends.behind = number;
    }
    ends.before = number;
}

void DueList::unlink(ClaimCell &cell)
{
    ListLink &ends = memory_.header().due;
    ListLink link = cell.due_link;
    if (ClaimCell *before = at(link.before)) {
        before->due_link.behind = link.behind;
    } else {
        ends.behind = link.behind;
    }
    if (ClaimCell *behind = at(link.behind)) {
        behind->due_link.before = link.before;
    } else {
        ends.before = link.before;
    }
    cell.due_link = {};
}

void DueList::plan_retry(ClaimCell &cell, std::int64_t now)
{
    std::int64_t delay = kFirstRetry;
    for (unsigned i = 0; i < cell.tries && delay < kLastRetry; i++) {
        delay *= 3;
    }
    cell.next_try = now + (delay < kLastRetry ? delay : kLastRetry);
    cell.tries += cell.tries < 255 ? 1 : 0;
}

bool DueList::is_due(const ClaimCell &cell, std::int64_t now)
{
    return cell.claim_state() == ClaimState::unknown && cell.owner_stamp == 0
           && cell.next_try <= now && now < cell.expires - kAfterlife
           && cell.settle_bytes != 0 && cell.first_block != kNoBlock;
}

}  // namespace x402
