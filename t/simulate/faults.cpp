// SPDX-License-Identifier: Apache-2.0
// Workers, and what happens to them.
#include <algorithm>
#include <set>

#include "world.hpp"

namespace x402::simulate {

namespace {

// A plain function is asked whether a process lives.
std::set<std::int64_t> &living_processes()
{
    static std::set<std::int64_t> processes;
    return processes;
}

bool process_lives(std::int64_t process)
{
    return living_processes().count(process) != 0;
}

constexpr std::size_t kNamesBytes = 256u << 10;
constexpr std::size_t kLeastJournal = 64u << 10;

}  // namespace

// Of zeroed memory.
void World::make_table()
{
    std::size_t bytes = memory_.size() * sizeof(memory_[0]);
    ClaimTable::format(memory_.data(), bytes);
    names_memory_.assign(kNamesBytes / sizeof(names_memory_[0]), 0);
    PaymentIds::format(names_memory_.data(), kNamesBytes);
    table_.emplace(memory_.data(), process_lives);
    names_.emplace(names_memory_.data());
    table_->use_names(&*names_);
    table_->journal().use(&journal_);
    living_processes().clear();
}

std::uint32_t World::begin_worker()
{
    auto number = static_cast<std::uint32_t>(workers_.size());
    Worker worker;
    worker.process = 100 + number;
    living_processes().insert(worker.process);
    worker.owner = table_->attach(worker.process, now());
    workers_.push_back(worker);
    schedule(1000 + 10 * (number % 7), EventKind::tick, number);
    return number;
}

void World::begin_workers()
{
    for (std::uint32_t &number : active_) {
        number = begin_worker();
    }
}

// Every access to what workers share is a moment at which one can die.
ClaimTable &World::claims(std::uint32_t worker)
{
    may_die(worker);
    return *table_;
}

void World::may_die(std::uint32_t number)
{
    Worker &worker = workers_[number];
    if (worker.fuse > 0 && --worker.fuse == 0) {
        throw WorkerDied{number};
    }
}

void World::strike(std::uint32_t fault)
{
    RandomStream random(plan_.seed, kFaultKind, fault);
    random.next();
    unsigned what = random.below(100);
    std::uint32_t worker = active_[random.below(kActive)];
    unsigned steps = 1 + random.below(24);
    if (what < 50) {
        workers_[worker].fuse = steps;
    } else if (what < 65) {
        worker_dies(worker);
    } else if (what < 85) {
        reload();
    } else if (what < 95) {
        restart();
    } else {
        journal_.full = !journal_.full;
        disk_was_full_ = true;
        if (plan_.record) {
            add_note(0, journal_.full ? "the disk of the journal is full"
                                      : "the disk has room again");
        }
    }
}

void World::end_requests_of(std::uint32_t worker)
{
    for (std::size_t i = 0; i < requests_.size(); ++i) {
        Request &request = requests_[i];
        if (request.ended || request.arrived_at < 0
            || request.worker != worker) {
            continue;
        }
        if (request.sent) {
            purses_[request.money].on_wire--;
        }
        request.ended = true;
        no_answer(request);
    }
}

void World::worker_dies(std::uint32_t number)
{
    Worker &worker = workers_[number];
    if (!worker.alive) {
        return;
    }
    if (plan_.record) {
        add_note(0, "worker " + std::to_string(number) + " dies");
    }
    totals_.deaths++;
    worker.alive = false;
    living_processes().erase(worker.process);
    end_requests_of(number);
    for (std::uint32_t &active : active_) {
        if (active == number) {
            active = begin_worker();
        }
    }
}

// The zone stays; old workers finish what they have begun.
void World::reload()
{
    if (plan_.record) {
        add_note(0, "reload: prices move, other workers begin");
    }
    prices_.reload(now());
    std::uint32_t old[kActive];
    std::copy(std::begin(active_), std::end(active_), old);
    begin_workers();
    for (std::uint32_t number : old) {
        Worker &worker = workers_[number];
        worker.leaving = true;
        table_->journal().end_checkpoint(worker.owner);
        leave_if_done(number);
    }
}

void World::leave_if_done(std::uint32_t number)
{
    Worker &worker = workers_[number];
    if (worker.alive && worker.leaving && worker.requests == 0) {
        table_->detach(worker.owner, now());
        worker.alive = false;
        living_processes().erase(worker.process);
    }
}

// A claim that was taken over while the disk was full is that of the payment
// before, if the journal could not be written since.
void World::hold_written_purses()
{
    for (Purse &purse : purses_) {
        if (purse.written == 0) {
            continue;
        }
        const Payment &before = payments_[purse.written - 1];
        const ClaimCell *cell = cell_of(before.key);
        if (cell && cell->redeliver_key == before.redeliver_key) {
            purse.payment = purse.written - 1;
            purse.client = before.client;
            purse.bought = purse.written_bought;
            purse.asked = purse.written_asked;
        }
        purse.written = 0;
    }
}

// All that was in memory is gone; the journal is what is known.
void World::restart()
{
    if (plan_.record) {
        add_note(0, "all processes die; nginx starts and reads its journal");
    }
    totals_.restarts++;
    for (std::uint32_t i = 0; i < workers_.size(); ++i) {
        if (workers_[i].alive) {
            workers_[i].alive = false;
            end_requests_of(i);
        }
    }
    std::string texts[] = {journal_.text(0), journal_.text(1)};
    JournalSummary what[] = {journal_summary(texts[0]),
                             journal_summary(texts[1])};
    std::uint64_t edition =
        (std::max(what[0].edition, what[1].edition) | 1) + 1;
    journal_ = MemoryJournal();
    std::fill(memory_.begin(), memory_.end(), 0);
    make_table();
    unsigned newer = newer_journal(what[0], what[1]);
    std::string_view counted =
        std::string_view(texts[newer]).substr(what[newer].counts_from);
    table_->replay(counted, now());
    std::string &fresh = journal_.text(edition);
    fresh = journal_edge(JournalKind::begin, edition);
    std::size_t place = 0;
    while (table_->journal().part(place, now(), fresh)) {
    }
    fresh += journal_edge(JournalKind::complete, edition);
    table_->set_journal_identity({}, edition, fresh.size());
    hold_written_purses();
    restarted_at_ = now();
    begin_workers();
}

// One step a second, so that deaths and restarts come between the steps.
void World::rewrite_journal(std::uint32_t number)
{
    Worker &worker = workers_[number];
    JournalWriter &journal = table_->journal();
    std::uint64_t edition = table_->journal_edition();
    std::string &next = journal_.text(edition + 1);
    switch (worker.journal_step) {
    case 0:
        worker.journal_copied = journal_.text(edition).size();
        worker.journal_place = 0;
        if (worker.journal_copied
                < std::max(kLeastJournal, 4 * table_->journal_base())
            || !journal.begin_checkpoint(worker.owner)) {
            return;
        }
        next = journal_edge(JournalKind::begin, edition + 1);
        break;
    case 1:
        for (unsigned i = 0; i < 8; i++) {
            if (!journal.part(worker.journal_place, now(), next)) {
                worker.journal_step++;
                return;
            }
        }
        return;
    case 2:
        if (!journal.turn(worker.owner, worker.journal_copied, next.size())) {
            journal_.clear(edition + 1);
            journal.end_checkpoint(worker.owner);
            worker.journal_step = 0;
            return;
        }
        break;
    default:
        journal_.clear(edition + 1);  // the former one
        journal.end_checkpoint(worker.owner);
        worker.journal_step = 0;
        return;
    }
    worker.journal_step++;
}

void World::tick(std::uint32_t number)
{
    schedule(1000, EventKind::tick, number);
    rewrite_journal(number);
    worker_asks_again(number);
}

}  // namespace x402::simulate
