// SPDX-License-Identifier: Apache-2.0
// The promises about money, compared with the chain. I1 to I7 and M3 to M5 are
// those of docs/design.md and of the fault bench (t/chaos/case_check.py).
#include <algorithm>
#include <cstring>

#include "world.hpp"

namespace x402::simulate {

void World::add_note(std::uint32_t payment, std::string what)
{
    std::string line = std::to_string(clock_);
    line.insert(0, line.size() < 8 ? 8 - line.size() : 0, ' ');
    line += " ms  payment " + std::to_string(payment) + "  " + what;
    history_.push_back(std::move(line));
}

void World::violated(std::uint32_t payment, std::string what)
{
    if (violation_) {
        return;
    }
    note(payment, [&] { return "VIOLATION: " + what; });
    violation_ = Violation{std::move(what), payment};
}

std::uint32_t World::purse_of(const Digest &key) const
{
    std::uint64_t start;
    std::memcpy(&start, key.data(), sizeof(start));
    return purse_by_key_.at(start);
}

// Looks without a touch: a look-up would tidy.
const ClaimCell *World::cell_of(const Digest &key) const
{
    const ClaimMemory &memory = table_->memory();
    for (unsigned choice = 0; choice < 2; choice++) {
        const ClaimCell *bucket = memory.bucket_of(key, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            if (bucket[i].claim_state() != ClaimState::free
                && bucket[i].key == key) {
                return &bucket[i];
            }
        }
    }
    return nullptr;
}

// Its cell went to another payment.
bool World::is_remembered_as_used(const Digest &key) const
{
    return UsedPayments(table_->memory()).has(key, now());
}

// Content begins to be made: I1, and at most three times for one payment.
void World::check_content(Request &request)
{
    Purse &purse = purses_[request.money];
    purse.executions++;
    bool good = request.unverified || purse.valid || purse.unproven
                || purse.known_paid || chain_.of(request.money).settled;
    if (!good) {
        violated(request.payment, "I1: content before the payment was good");
    }
    // Without a journal that can be written the count is lost by a restart.
    if (purse.executions > kMaxExecutions && !disk_was_full_) {
        violated(request.payment, "M3: content made more than three times");
    }
}

void World::check_first_bytes(const Request &request)
{
    const Purse &purse = purses_[request.money];
    if (!chain_.of(request.money).settled && !purse.unproven
        && !(purse.off && purse.valid)) {
        violated(request.payment, "I2: content before money moved");
    }
}

void World::check_settle(const Request &request)
{
    const Purse &purse = purses_[request.money];
    if (purse.on_wire > 0) {
        violated(request.settles, "I3: two settle calls at once");
    } else if (purse.known_paid) {
        violated(request.settles, "I3: settled again after a clean answer");
    }
    if (purse.off) {
        violated(request.settles, "I3: settled where nothing is settled");
    }
}

// A client has got what it waited for: was it paid for, by as much as is asked
// for it, at the place where it is asked, by this client, and only once?
void World::served(Request &request, const char *how)
{
    Purse &purse = purses_[request.money];
    const Chain::Movement &moved = chain_.of(request.money);
    totals_.delivered++;
    note(request.payment, [&] {
        return std::string(how) + ", for the money of purse "
               + std::to_string(request.money);
    });
    // A new payment proves its payer, from wherever it comes.
    bool adopted = request.money != payments_[request.payment].signed_.purse;
    totals_.owed_served += request.resumed ? 1 : 0;
    if (!adopted && request.client != purse.client) {
        violated(request.payment, "served to another client");
    }
    bool proven = moved.settled || purse.unproven || purse.off;
    Terms asked =
        prices_.offers(request.wish, request.arrived_at, request.epoch)
            .terms[0];
    std::uint64_t worth = asked.upto ? request.cost : request.worth;
    std::uint64_t worth_paid =
        purse.off || purse.unproven
            ? payments_[purse.payment].signed_.terms.amount
            : moved.amount;
    const Terms &money = purse.off || purse.unproven
                             ? payments_[purse.payment].signed_.terms
                             : moved.terms;
    if (!proven) {
        violated(request.payment, "I2: content without money");
    } else if (!money.same_money(asked)) {
        violated(request.payment, "paid to another receiver or in other money");
    } else if (worth_paid < worth) {
        violated(request.payment, "content worth " + std::to_string(worth)
                                      + " for " + std::to_string(worth_paid));
    }
    if (moved.settled) {
        asked_ += worth;
    }
    if (++purse.served > 1) {
        if (!purse.excused) {
            violated(request.payment, "M3: served twice for one payment");
        }
        totals_.delivered_again++;
        asked_ -= moved.settled ? worth : 0;
    }
    payments_[request.payment].over = true;
    payments_[purse.payment].over = true;
}

// Money has just moved for this settlement.
void World::check_moved(const Request &request)
{
    if (chain_.of(request.money).settlements > 1) {
        violated(request.settles, "money moved twice");
    }
    // One order, one payment. Names are not in the journal.
    std::uint32_t other = request.settles ^ 1;
    if (!purses_[request.money].named || other >= payments_.size()
        || restarted_at_ != 0) {
        return;
    }
    std::uint32_t purse = payments_[other].signed_.purse;
    const Chain::Movement &moved = chain_.of(purse);
    if (moved.settled && moved.payment == other && purses_[purse].named
        && purses_[purse].bought == purses_[request.money].bought) {
        violated(request.settles, "M4: paid twice under one name");
    }
}

// A 402 asks for money again: not of a client whose money has moved, and that
// asks for what it bought and did not get.
void World::check_refusal(const Request &request)
{
    const Payment &payment = payments_[request.payment];
    const Purse &purse = purses_[payment.signed_.purse];
    const Chain::Movement &moved = chain_.of(payment.signed_.purse);
    const ClaimCell *cell = cell_of(payment.key);
    bool owed = moved.settled && moved.payment == request.payment
                && purse.payment == request.payment && purse.served == 0
                && !purse.excused
                && !(cell && cell->executions >= kMaxExecutions);
    bool same = request.wish == purse.bought && request.wish.body == 0
                && request.client == purse.client;
    bool alive = now() < payment.signed_.valid_before + kAfterlife - 1;
    bool covered = payment.signed_.terms.upto || request.worth <= purse.asked;
    if (owed && same && alive && covered && roomy_) {
        violated(request.payment, "M5: asked to pay again after money moved");
    }
}

// A new payment of a payer is verified: what is owed to it for the same goes
// first. Called before the table is asked.
void World::check_adoption(const Request &request)
{
    std::uint32_t other = request.payment ^ 1;
    owed_first_ = false;
    if (other >= payments_.size()
        || payments_[other].signed_.valid_before == 0) {
        return;
    }
    const Payment &older = payments_[other];
    const Purse &purse = purses_[older.signed_.purse];
    const ClaimCell *cell = cell_of(older.key);
    owed_first_ =
        older.payer == request.facts.payer
        && chain_.of(older.signed_.purse).settled && purse.payment == other
        && purse.bought == request.wish && purse.asked >= request.terms.amount
        && !(request.wish.path == kPathUpto && request.wish.body) && cell
        && cell->claim_state() == ClaimState::paid && cell->owner_stamp == 0
        && cell->executions < kMaxExecutions && cell->expires > now();
}

// A payment that was never verified, in another's name, delays none (B4).
void World::check_delay(const Request &request, const OlderClaim &older)
{
    if (older.kind == OlderClaim::Kind::none) {
        return;
    }
    const Purse &purse = purses_[purse_of(older.claim.key)];
    if (!purse.valid && payments_[purse.payment].signed_.forged) {
        violated(request.payment, "B4: delayed by a forged payment");
    }
}

// Of money that moved something is known until it is used or expires.
void World::check_kept(std::uint32_t number)
{
    const Purse &purse = purses_[number];
    const Chain::Movement &moved = chain_.of(number);
    if (!moved.settled || purse.served > 0) {
        return;
    }
    const Payment &payment = payments_[moved.payment];
    if (now() + 1 >= payment.signed_.valid_before + kAfterlife) {
        return;
    }
    const ClaimCell *cell = cell_of(payment.key);
    ClaimState state = cell ? cell->claim_state() : ClaimState::free;
    if (cell == nullptr && is_remembered_as_used(payment.key)) {
        state = ClaimState::delivered;
    }
    if (state != ClaimState::settling && state != ClaimState::paid
        && state != ClaimState::unknown && state != ClaimState::delivered) {
        violated(moved.payment,
                 std::string("I4: money moved, and the claim is ")
                     + claim_state_name(state));
    }
}

// I5: nothing stays in use, and what is owed was served when all were honest.
void World::check_end()
{
    const ClaimMemory &memory = table_->memory();
    for (std::size_t i = 0; i < memory.capacity(); i++) {
        const ClaimCell &cell = memory.cell(i);
        if (cell.claim_state() != ClaimState::free && cell.owner_stamp != 0) {
            violated(purses_[purse_of(cell.key)].payment,
                     "I5: its claim is in use at the end");
            return;
        }
    }
    for (std::uint32_t i = 0; i < payments_.size(); ++i) {
        const Payment &payment = payments_[i];
        const Purse &purse = purses_[payment.signed_.purse];
        const Chain::Movement &moved = chain_.of(payment.signed_.purse);
        if (!moved.settled || moved.payment != i) {
            continue;
        }
        totals_.settled++;
        const ClaimCell *cell = cell_of(payment.key);
        bool owed = purse.payment == i && purse.client == payment.client
                    && purse.served == 0 && !purse.excused
                    && !(cell && cell->executions >= kMaxExecutions)
                    && payment.wish == purse.bought && payment.wish.body == 0;
        bool asked =
            payment.honest_tries > 0 && payment.last_at > moved.at
            && payment.last_at < payment.signed_.valid_before + kAfterlife - 5
            && (payment.wish.path == kPathUpto
                || payment.last_worth <= purse.asked);
        // After its time a payment is refused for that, though money moved.
        bool provable =
            idempotent_ && payment.last_at < payment.signed_.valid_before - 5;
        bool known = cell && cell->claim_state() == ClaimState::paid;
        bool costly =
            payment.wish.path == kPathUpto && payment.last_status == 502;
        if (owed && asked && roomy_ && !costly && (known || provable)) {
            violated(i, "I5: money moved, nothing was delivered, and it ends "
                        "with "
                            + std::to_string(payment.last_status));
            return;
        }
    }
}

}  // namespace x402::simulate
