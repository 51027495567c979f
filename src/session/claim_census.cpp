// SPDX-License-Identifier: Apache-2.0
// Counting claims without the zone's lock: what is read may change meanwhile,
// so that nothing is followed and every text is bounded.
#include "session/claim_census.hpp"

#include <algorithm>
#include <cstring>

#include "session/claim_memory.hpp"

namespace x402 {

namespace {

constexpr std::size_t kCellsInPart = 4096;

template <std::size_t N>
void put(char (&to)[N], const char *from, std::size_t size)
{
    size = std::min(size, N - 1);
    std::memcpy(to, from, size);
    to[size] = '\0';
}

OpenPayment open_payment(const ClaimCell &cell)
{
    OpenPayment payment;
    payment.key = cell.key;
    payment.state = cell.state;
    bool unknown = cell.claim_state() == ClaimState::unknown;
    payment.since = unknown ? cell.settle_started : cell.changed;
    payment.amount = cell.binding.paid;
    std::size_t network = std::min<std::size_t>(cell.text_bytes[0], kTextBytes);
    std::size_t asset_at =
        std::min<std::size_t>(network + cell.text_bytes[1], kTextBytes);
    std::size_t asset =
        std::min<std::size_t>(cell.text_bytes[2], kTextBytes - asset_at);
    put(payment.network, cell.texts, network);
    put(payment.asset, cell.texts + asset_at, asset);
    return payment;
}

void count(const ClaimCell &cell, ClaimCensus &census)
{
    std::uint32_t state = cell.state;
    if (state >= kCensusStates) {
        return;
    }
    census.states[state]++;
    if (state == static_cast<std::uint32_t>(ClaimState::free)) {
        return;
    }
    bool in_hand = cell.owner_stamp != 0;
    census.in_flight += in_hand ? 1 : 0;
    bool unknown = state == static_cast<std::uint32_t>(ClaimState::unknown);
    bool owed =
        state == static_cast<std::uint32_t>(ClaimState::paid) && !in_hand;
    census.owed += owed ? 1 : 0;
    if (!owed && !unknown) {
        return;
    }
    OpenPayment payment = open_payment(cell);
    if (cell.state == state) {
        census.list(payment);
    }
    std::int64_t &oldest = unknown ? census.oldest_unknown : census.oldest_owed;
    if (payment.since > 0 && (oldest == 0 || payment.since < oldest)) {
        oldest = payment.since;
    }
}

}  // namespace

bool census_part(const ClaimMemory &memory, std::size_t &place,
                 ClaimCensus &census)
{
    std::size_t cells = memory.capacity();
    std::size_t end = std::min(cells, place + kCellsInPart);
    for (; place < end; place++) {
        count(memory.cell(place), census);
    }
    census.capacity = cells;
    return place < cells;
}

const char *claim_state_name(ClaimState state)
{
    constexpr const char *kNames[] = {
        "free",      "verifying", "verified", "settling", "paid",
        "delivered", "refused",   "unknown",  "closed",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kCensusStates);
    return kNames[static_cast<std::size_t>(state)];
}

}  // namespace x402
