// SPDX-License-Identifier: Apache-2.0
// What payers and thieves do.
#include <algorithm>
#include <cstring>

#include "policy/claim_key.hpp"
#include "session/payment_order.hpp"
#include "world.hpp"

namespace x402::simulate {

namespace {

constexpr unsigned kMostTries = 6;

std::uint64_t start_of(const Digest &key)
{
    std::uint64_t number;
    std::memcpy(&number, key.data(), sizeof(number));
    return number;
}

// The claim key by the product's own rule.
Digest key_of(const Authorization &made)
{
    auto fill = [&](auto &authorization) {
        authorization.from = *parse_evm_address(payer_text(made.payer));
        std::memcpy(authorization.nonce.data(), &made.nonce,
                    sizeof(made.nonce));
    };
    if (made.terms.upto) {
        Permit2Authorization authorization{};
        fill(authorization);
        return permit2_claim_key(kNetwork, authorization).value();
    }
    Eip3009Authorization authorization{};
    fill(authorization);
    return eip3009_claim_key(kNetwork, asset_text(made.terms.asset),
                             authorization)
        .value();
}

}  // namespace

void World::plan_wish(Payment &payment)
{
    auto draw = [&](unsigned bound) {
        return static_cast<std::uint8_t>(payment.random.below(bound));
    };
    Wish &wish = payment.wish;
    wish.server = wish.host = draw(kServers);
    std::uint8_t path = draw(kPaths + 1);
    wish.path = path < kPaths ? path : kPathBefore;
    wish.tier = draw(4) == 0 ? draw(kTiers) : std::uint8_t{0};
    wish.body = wish.path == kPathUpto || draw(8) == 0 ? draw(kBodies)
                                                       : std::uint8_t{0};
    switch (payment.habit) {
    case Habit::uses_more:
        wish.path = kPathUpto;
        wish.body = 1;
        break;
    case Habit::signs_again:
    case Habit::leaves_late:
        wish.body = 0;
        break;
    default:
        break;
    }
}

// Every payment draws from its own numbers, also if it is left out. Two
// successive payments have one payer.
void World::plan_payments()
{
    constexpr std::pair<unsigned, Habit> kHabits[] = {
        {36, Habit::honest},       {44, Habit::copies},
        {60, Habit::steals},       {69, Habit::signs_again},
        {77, Habit::uses_more},    {82, Habit::leaves_late},
        {86, Habit::forges},       {90, Habit::forges_nonce},
        {93, Habit::burns},        {96, Habit::poor},
        {100, Habit::names_order},
    };
    payments_.resize(plan_.payments);
    purse_by_key_.reserve(plan_.payments);
    std::vector<std::int64_t> moments(plan_.payments);
    const auto &out = plan_.payments_left_out;
    for (std::uint32_t i = 0; i < plan_.payments; ++i) {
        Payment &payment = payments_[i];
        payment.random = RandomStream(plan_.seed, kPaymentKind, i);
        unsigned luck = payment.random.below(100);
        for (const auto &[below, habit] : kHabits) {
            if (luck < below) {
                payment.habit = habit;
                break;
            }
        }
        plan_wish(payment);
        payment.client = i / 2;
        payment.signed_.payer = i / 2;
        payment.signed_.nonce = payment.signed_.purse = i;
        moments[i] = payment.random.below(kDay * 1000);
    }
    plan_forgeries(moments);
    for (std::uint32_t i = 0; i < plan_.payments; ++i) {
        payments_[i].over = std::binary_search(out.begin(), out.end(), i);
        if (!payments_[i].over) {
            totals_.payments++;
            new_request(i, payments_[i].wish, moments[i]);
        }
    }
}

// A forgery is for what its victim wants, and comes shortly before it.
void World::plan_forgeries(std::vector<std::int64_t> &moments)
{
    for (std::uint32_t i = 0; i < plan_.payments; ++i) {
        Payment &payment = payments_[i];
        std::uint32_t victim = i ^ 2;
        if (victim >= plan_.payments
            || (payment.habit != Habit::forges
                && payment.habit != Habit::forges_nonce)) {
            continue;
        }
        payment.wish = payments_[victim].wish;
        std::int64_t early = payment.random.below(20000);
        moments[i] = std::max<std::int64_t>(moments[victim] - early, 0);
    }
}

// What is signed is an offer of that moment.
void World::sign(std::uint32_t number)
{
    Payment &payment = payments_[number];
    Authorization &made = payment.signed_;
    if (made.valid_before != 0) {
        return;
    }
    std::uint32_t victim = number ^ 2;
    if (payment.habit == Habit::forges
        || payment.habit == Habit::forges_nonce) {
        made.payer = victim < payments_.size() ? victim / 2 : made.payer;
        made.forged = true;
        bool nonce =
            payment.habit == Habit::forges_nonce && victim < payments_.size();
        made.nonce = nonce ? victim : made.nonce;
    }
    Offers offers = prices_.offers(payment.wish, now(), prices_.epoch());
    // Some came with the page that a reload has replaced.
    bool older = offers.count > 1 && payment.random.chance(30);
    made.terms = offers.terms[older ? 1 : 0];
    unsigned luck = payment.random.below(20);
    made.valid_before = now() + (luck == 0 ? 40 : luck == 1 ? 100 : kTimeout);
    payment.key = key_of(made);
    payment.payer = sha256(payer_text(made.payer));
    payment.redeliver_key = sha256(std::to_string(payment.client));
    made.purse =
        purse_by_key_.emplace(start_of(payment.key), number).first->second;
    if (payment.habit == Habit::burns && payment.random.chance(30)) {
        chain_.burn(made.purse);
    }
    if (payment.habit == Habit::poor) {
        payment.poor_until = now() + 5 + payment.random.below(100);
    }
}

std::uint32_t World::new_request(std::uint32_t payment, const Wish &wish,
                                 std::int64_t in_ms)
{
    auto number = static_cast<std::uint32_t>(requests_.size());
    Request request;
    request.payment = request.settles = payment;
    request.money = payments_[payment].signed_.purse;
    request.wish = wish;
    request.client = payments_[payment].client;
    request.named = payments_[payment].habit == Habit::names_order;
    requests_.push_back(std::move(request));
    schedule(in_ms, EventKind::present, number);
    return number;
}

void World::present_again(std::uint32_t number, std::int64_t in_ms)
{
    Payment &payment = payments_[number];
    if (!payment.over && payment.tries < kMostTries) {
        new_request(number, payment.wish, in_ms);
    }
}

// The payer's other payment, for the same or for more of it.
void World::sign_again(std::uint32_t number, std::int64_t in_ms)
{
    std::uint32_t next = number ^ 1;
    if (next >= payments_.size() || payments_[next].over
        || payments_[next].tries != 0) {
        return;
    }
    const Payment &payment = payments_[number];
    payments_[next].wish = payment.wish;
    if (payment.habit == Habit::uses_more) {
        payments_[next].wish.body = payment.random.peek() % 2 ? 2 : 0;
    }
    if (payment.habit == Habit::names_order) {
        payments_[next].habit = Habit::names_order;
    }
    new_request(next, payments_[next].wish, in_ms);
}

// The same payment for something else.
void World::steal(std::uint32_t number, std::int64_t in_ms)
{
    Payment &payment = payments_[number];
    Wish other = payment.wish;
    auto client = payment.client;
    switch (payment.random.below(8)) {
    case 0:  // another server, with the Host header of the first one
        other.server = static_cast<std::uint8_t>((other.server + 1) % kServers);
        break;
    case 1:  // another price under the same URL
        other.tier = 1;
        break;
    case 2:
        other.path = 1;
        break;
    case 3:
        other.host = static_cast<std::uint8_t>((other.host + 1) % kServers);
        break;
    case 4:
        other.body = 2;
        break;
    case 5:  // another receiver, at the same price
        other.tier = 2;
        break;
    case 6:  // another asset
        other.tier = 3;
        break;
    default:  // another client that has seen the payment
        client += 1000000;
    }
    totals_.thefts++;
    payment.tries++;
    Request &request = requests_[new_request(number, other, in_ms)];
    request.client = client;
    request.lies = payment.random.chance(50);
}

// The client hung up in time.
void World::after_leaving(std::uint32_t number)
{
    Payment &payment = payments_[number];
    std::int64_t soon = 200 + payment.random.below(20000);
    switch (payment.habit) {
    case Habit::steals:
        steal(number, soon);
        if (payment.random.chance(50)) {
            present_again(number, soon + 5000);
        }
        return;
    case Habit::signs_again:
    case Habit::uses_more:
    case Habit::names_order:
        sign_again(number, soon);
        return;
    default:
        if (payment.random.chance(70)) {
            present_again(number, soon);
        }
    }
}

// A client without an answer, because a worker died or content broke off.
void World::no_answer(const Request &request)
{
    if (request.background || request.gone) {
        return;
    }
    Payment &payment = payments_[request.payment];
    unsigned luck = payment.random.below(100);
    if (purses_[request.money].served == 0 && luck < 80) {
        present_again(request.payment, 500 + payment.random.below(4000));
    } else if (luck < 90) {
        sign_again(request.payment, 500 + payment.random.below(4000));
    }
}

void World::end_request(Request &request)
{
    request.ended = true;
    Worker &worker = workers_[request.worker];
    if (worker.requests > 0) {
        worker.requests--;
    }
    leave_if_done(request.worker);
}

void World::answered(Request &request, int status, const char *word)
{
    end_request(request);
    note(request.payment,
         [&] { return "is answered " + std::to_string(status) + " " + word; });
    if (request.gone || request.background) {
        return;
    }
    if (status == 402) {
        check_refusal(request);
    }
    Payment &payment = payments_[request.payment];
    if (request.wish == payment.wish && request.client == payment.client) {
        payment.last_status = status;
        payment.last_at = request.arrived_at;
        payment.last_worth = request.worth;
    }
    std::int64_t later = 1000 + payment.random.below(30000);
    if (status == 503 || status == 409 || status == 502 || status == 404) {
        if (payment.random.chance(15)) {
            sign_again(request.payment, later);
        } else {
            present_again(request.payment, later);
        }
    } else if (status == 402 && payment.habit == Habit::poor) {
        present_again(request.payment, later + 60000);
    }
}

}  // namespace x402::simulate
