// SPDX-License-Identifier: Apache-2.0
// Counting claims without the zone's lock: what is read may change meanwhile,
// so that numbers of cells are checked, and every list and text is bounded.
#include "session/claim_census.hpp"

#include <algorithm>
#include <cstring>

#include "session/claim_memory.hpp"

namespace x402 {

namespace {

constexpr std::size_t kListsInPart = 64 * 1024;

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

// A cell that may be owed, or whose outcome is open.
void count(const ClaimCell &cell, ClaimCensus &census)
{
    std::uint32_t state = cell.state;
    bool in_hand = cell.owner_stamp != 0;
    bool unknown = state == static_cast<std::uint32_t>(ClaimState::unknown);
    bool paid = state == static_cast<std::uint32_t>(ClaimState::paid);
    if (!unknown && !paid) {
        return;
    }
    census.in_flight += in_hand ? 1 : 0;
    census.owed += paid && !in_hand ? 1 : 0;
    if (paid && in_hand) {
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

// Most cells are in none of these lists, and need not be read: the table may
// take hundreds of megabytes. How many were in this one.
std::size_t count_list(const ClaimMemory &memory, std::uint32_t head,
                       ClaimCensus &census)
{
    std::size_t cells = memory.capacity();
    std::size_t looked = 0;
    for (std::uint32_t number = head;
         number != 0 && number <= cells && looked < cells; looked++) {
        const ClaimCell &cell = memory.cell(number - 1);
        count(cell, census);
        number = cell.owed_link.behind;
    }
    return looked;
}

// How many cells are in the lists together.
std::uint64_t listed_cells(const ClaimMemory &memory)
{
    std::uint64_t cells = 0;
    for (ClaimState listed :
         {ClaimState::settling, ClaimState::paid, ClaimState::unknown}) {
        cells +=
            memory.header().cells_in_state[static_cast<std::size_t>(listed)];
    }
    return cells;
}

void count_states(const ClaimMemory &memory, ClaimCensus &census)
{
    std::uint64_t taken = 0;
    for (std::size_t state = 1; state < kCensusStates; state++) {
        census.states[state] = memory.header().cells_in_state[state];
        taken += census.states[state];
    }
    census.capacity = memory.capacity();
    census.states[0] = taken < census.capacity ? census.capacity - taken : 0;
    for (ClaimState working :
         {ClaimState::verifying, ClaimState::verified, ClaimState::settling}) {
        census.in_flight += census.states[static_cast<std::size_t>(working)];
    }
}

}  // namespace

bool census_part(const ClaimMemory &memory, std::size_t &place,
                 ClaimCensus &census)
{
    std::size_t lists = memory.capacity();
    std::size_t end = std::min(lists, place + kListsInPart);
    std::uint64_t left = listed_cells(memory);
    for (; place < end && left > 0; place++) {
        if (std::uint32_t head = memory.owed_heads()[place]) {
            std::uint64_t found = count_list(memory, head, census);
            left -= std::min(left, found);
        }
    }
    if (place < lists && left > 0) {
        return true;
    }
    count_states(memory, census);
    return false;
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
