// SPDX-License-Identifier: Apache-2.0
// simulate [--seed N] [--payments N] [--seconds N] [--quiet]: worlds of
// payments until so many were made or so much time is over. Exit 1 at the first
// violated promise: the world is shrunk to few payments and faults, and its
// history is printed. The same seed gives the same worlds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include "world.hpp"

namespace x402::simulate {
namespace {

using Clock = std::chrono::steady_clock;

struct Order {
    std::uint64_t seed = 0;
    std::uint64_t payments = 0;  // 0: no limit
    double seconds = 0;          // 0: no limit
    bool quiet = false;
};

unsigned long long number(std::uint64_t value)
{
    return static_cast<unsigned long long>(value);
}

// The same promise is broken.
bool fails(const Plan &plan, const Violation &found)
{
    constexpr std::size_t kKind = 12;
    auto violation = World(plan).run();
    return violation
           && violation->what.compare(0, kKind, found.what, 0, kKind) == 0;
}

// Leaves out as many of `count` things as can be left out: halves first, then
// smaller pieces.
void shrink(Plan &plan, std::vector<std::uint32_t> Plan::*left_out,
            std::uint32_t count, const Violation &found)
{
    for (std::uint32_t piece = (count + 1) / 2; piece > 0; piece /= 2) {
        for (std::uint32_t from = 0; from < count; from += piece) {
            Plan smaller = plan;
            auto &out = smaller.*left_out;
            for (std::uint32_t i = from; i < std::min(count, from + piece);
                 ++i) {
                if (!std::binary_search(out.begin(), out.end(), i)) {
                    out.insert(std::lower_bound(out.begin(), out.end(), i), i);
                }
            }
            if (out.size() != (plan.*left_out).size()
                && fails(smaller, found)) {
                plan = smaller;
            }
        }
    }
}

void report(Plan plan, const Violation &found, std::uint64_t payments)
{
    std::printf("simulate: seed %llu, %llu payments: payment %u: %s\n",
                number(plan.seed), number(payments), found.payment,
                found.what.c_str());
    std::fflush(stdout);
    shrink(plan, &Plan::faults_left_out, plan.faults, found);
    shrink(plan, &Plan::payments_left_out, plan.payments, found);
    shrink(plan, &Plan::faults_left_out, plan.faults, found);
    plan.record = true;
    World world(plan);
    world.run();
    std::printf("shrunk to %zu payments and %zu faults:\n",
                plan.payments - plan.payments_left_out.size(),
                plan.faults - plan.faults_left_out.size());
    for (const std::string &line : world.history()) {
        std::printf("  %s\n", line.c_str());
    }
    std::printf("again: make simulate SEED=%llu\n", number(plan.seed));
}

double seconds_since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of this process: the machine may have other work.
double cpu_minutes()
{
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC / 60;
}

void print_totals(const Totals &totals)
{
    std::printf(
        "simulate: %llu payments, presented %llu times, %llu settled, %llu "
        "served (%llu owed, %llu again behind a kill), %llu thefts tried, "
        "%llu unknown outcomes, %llu deaths, %llu restarts; %.0f payments a "
        "minute of CPU\n",
        number(totals.payments), number(totals.presented),
        number(totals.settled), number(totals.delivered),
        number(totals.owed_served), number(totals.delivered_again),
        number(totals.thefts), number(totals.unknown), number(totals.deaths),
        number(totals.restarts),
        static_cast<double>(totals.payments) / cpu_minutes());
    std::fflush(stdout);
}

int run(const Order &order)
{
    Clock::time_point start = Clock::now();
    double shown = 0;
    Totals totals;
    Plan plan;
    plan.seed = order.seed;
    for (;; ++plan.seed) {
        double seconds = seconds_since(start);
        if ((order.payments > 0 && totals.payments >= order.payments)
            || (order.seconds > 0 && seconds > order.seconds)) {
            break;
        }
        if (!order.quiet && seconds > shown + 5) {
            shown = seconds;
            print_totals(totals);
        }
        World world(plan);
        if (auto found = world.run()) {
            report(plan, *found, totals.payments + world.totals().payments);
            return 1;
        }
        totals.add(world.totals());
    }
    print_totals(totals);
    // A run in which nothing happened proves nothing.
    if (totals.delivered == 0 || totals.settled == 0 || totals.thefts == 0) {
        std::printf("simulate: nothing was sold\n");
        return 1;
    }
    std::printf("seeds %llu to %llu: 0 violations\n", number(order.seed),
                number(plan.seed - 1));
    return 0;
}

}  // namespace
}  // namespace x402::simulate

int main(int argc, char **argv)
{
    x402::simulate::Order order;
    order.seed = std::random_device{}();
    for (int i = 1; i < argc; ++i) {
        bool has_value = i + 1 < argc;
        if (std::strcmp(argv[i], "--quiet") == 0) {
            order.quiet = true;
        } else if (std::strcmp(argv[i], "--seed") == 0 && has_value) {
            order.seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (std::strcmp(argv[i], "--payments") == 0 && has_value) {
            order.payments = std::strtoull(argv[++i], nullptr, 10);
        } else if (std::strcmp(argv[i], "--seconds") == 0 && has_value) {
            order.seconds = std::strtod(argv[++i], nullptr);
        } else {
            std::fprintf(stderr, "usage: simulate [--seed N] [--payments N] "
                                 "[--seconds N] [--quiet]\n");
            return 2;
        }
    }
    return x402::simulate::run(order);
}
