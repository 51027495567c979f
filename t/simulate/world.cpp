// SPDX-License-Identifier: Apache-2.0
// Time, and the order of events.
#include "world.hpp"

#include <algorithm>

namespace x402::simulate {

void Totals::add(const Totals &other)
{
    payments += other.payments;
    presented += other.presented;
    settled += other.settled;
    delivered += other.delivered;
    owed_served += other.owed_served;
    delivered_again += other.delivered_again;
    unknown += other.unknown;
    thefts += other.thefts;
    deaths += other.deaths;
    restarts += other.restarts;
}

World::World(const Plan &plan)
    : plan_(plan), chain_(plan.payments), purses_(plan.payments)
{
    RandomStream random(plan.seed, 0, 0);
    // A zone that is too small for all, now and then.
    unsigned size = random.below(8);
    memory_.resize((size == 0   ? 128u << 10
                    : size == 1 ? 512u << 10
                                : 4u << 20)
                   / sizeof(memory_[0]));
    roomy_ = size > 1;
    idempotent_ = random.chance(60);
    make_table();
    begin_workers();
    plan_payments();
    for (std::uint32_t i = 0; i < plan_.faults; ++i) {
        RandomStream moment(plan_.seed, kFaultKind, i);
        const auto &out = plan_.faults_left_out;
        if (!std::binary_search(out.begin(), out.end(), i)) {
            schedule(moment.below(kDay * 1000), EventKind::fault, i);
        }
    }
}

void World::schedule(std::int64_t in_ms, EventKind kind, std::uint32_t subject)
{
    events_.push({clock_ + in_ms, order_++, kind, subject});
}

void World::handle_request(const Event &event)
{
    std::uint32_t number = event.subject;
    Request &request = requests_[number];
    if (event.kind == EventKind::settle_arrives) {
        // It left: the chain does not wait for the one that sent it.
        settle_arrives(number);
        return;
    }
    if (request.ended) {
        return;
    }
    switch (event.kind) {
    case EventKind::present:
        present(number);
        break;
    case EventKind::verified:
        verify_answered(number);
        break;
    case EventKind::content:
        content_made(number);
        break;
    case EventKind::settle_answered:
        settle_answered(number);
        break;
    case EventKind::first_bytes:
        first_bytes(number);
        break;
    case EventKind::last_bytes:
        last_bytes(number);
        break;
    case EventKind::client_leaves:
        client_leaves(number);
        break;
    default:
        break;
    }
}

void World::handle(const Event &event)
{
    switch (event.kind) {
    case EventKind::tick:
        if (workers_[event.subject].alive && !workers_[event.subject].leaving) {
            tick(event.subject);
        }
        return;
    case EventKind::fault:
        if (!all_honest_) {
            strike(event.subject);
        }
        return;
    default:
        break;
    }
    handle_request(event);
    const Request &request = requests_[event.subject];
    check_kept(request.money);
    check_kept(payments_[request.payment].signed_.purse);
}

// All are honest from here on, and each open payment is presented once more.
void World::close_accounts()
{
    all_honest_ = true;
    journal_.full = false;
    for (Worker &worker : workers_) {
        worker.fuse = 0;
    }
    if (plan_.record) {
        add_note(0, "all sides are honest from here on");
    }
    for (std::uint32_t i = 0; i < payments_.size(); ++i) {
        Payment &payment = payments_[i];
        bool open = !payment.over && payment.tries > 0
                    && purses_[payment.signed_.purse].served == 0;
        if (open) {
            payment.tries = 3;
            present_again(i, 1000 + (i * 37) % 40000);
        }
    }
}

std::optional<Violation> World::run()
{
    constexpr std::int64_t kClosing = kDay * 1000;
    // Claims outlive their payments by ten minutes, and are asked about until
    // then.
    constexpr std::int64_t kEnd = kClosing + (kTimeout + kAfterlife) * 1000;
    while (!events_.empty() && !violation_ && events_.top().at <= kEnd) {
        Event next = events_.top();
        if (!all_honest_ && next.at >= kClosing) {
            clock_ = kClosing;
            close_accounts();
            continue;
        }
        events_.pop();
        clock_ = next.at;
        try {
            handle(next);
        } catch (const WorkerDied &death) {
            worker_dies(death.worker);
        }
        if (asked_ > paid_) {
            violated(0, "more was asked for than paid");
        }
    }
    if (!violation_) {
        clock_ = kEnd;
        check_end();
    }
    return violation_;
}

}  // namespace x402::simulate
