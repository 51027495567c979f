// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_journal_tasks.hpp"

#include <algorithm>
#include <cerrno>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kPollInterval = 1000;
constexpr ngx_msec_t kStep = 1;
constexpr ngx_msec_t kDisk = 20;
constexpr ngx_msec_t kAfterTrouble = 60 * 1000;
// Worthwhile: several times as long as when it was last rewritten.
constexpr std::uint64_t kMinSize = 1024 * 1024;
constexpr std::uint64_t kGrowthFactor = 4;
constexpr std::uint64_t kCopied = 256 * 1024;  // in one step
constexpr std::uint64_t kMaxTail = 64 * 1024;  // under the lock

constexpr ngx_msec_t kFollowInterval = 20;  // between two reads

}  // namespace

JournalCompaction::JournalCompaction(ngx_shm_zone_t *zone, ClaimOwner owner,
                                     JournalFile &journal)
    : zone_(zone),
      owner_(owner),
      journal_(journal),
      timer_(
          AtQuit::cancel,
          [](void *compaction) {
              static_cast<JournalCompaction *>(compaction)->on_timer();
          },
          this)
{
    timer_.arm(kPollInterval);
}

JournalCompaction::~JournalCompaction()
{
    give_up_turn();
}

void JournalCompaction::on_timer()
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        give_up_turn();  // another worker starts again
        return;
    }
    ngx_msec_t next =
        guarded(ngx_cycle->log, ngx_msec_t{0}, [&] { return step(); });
    if (next == 0) {
        give_up_turn();  // no memory
        next = kAfterTrouble;
    }
    timer_.arm(next);
}

void JournalCompaction::give_up_turn()
{
    if (phase_ != Phase::idle) {
        phase_ = Phase::idle;
        flush_ = nullptr;
        LockedClaims claims(zone_);
        claims->journal().end_checkpoint(owner_);
        journal_.unlock_alone();
    }
}

ngx_msec_t JournalCompaction::step()
{
    switch (phase_) {
    case Phase::idle:
        return begin();
    case Phase::table:
        return write_table();
    case Phase::tail:
        return copy_tail();
    case Phase::flushing:
    case Phase::turned:
        return wait_for_disk();
    }
    return kPollInterval;
}

ngx_msec_t JournalCompaction::begin()
{
    {
        LockedClaims claims(zone_);
        edition_ = claims->journal_edition();
        copied_ = journal_.size(edition_);
        if (copied_ < std::max(kMinSize, kGrowthFactor * claims->journal_base())
            || !journal_.lock_alone()) {
            return kPollInterval;
        }
        if (!claims->journal().begin_checkpoint(owner_)) {
            journal_.unlock_alone();
            return kPollInterval;
        }
    }
    phase_ = Phase::table;
    place_ = 0;
    return journal_.extend(edition_ + 1,
                           journal_edge(JournalKind::begin, edition_ + 1))
               ? kStep
               : give_up(journal_.trouble("rewritten", edition_ + 1));
}

ngx_msec_t JournalCompaction::write_table()
{
    std::string records;
    bool more =
        LockedClaims(zone_)->journal().part(place_, ngx_time(), records);
    if (!records.empty() && !journal_.extend(edition_ + 1, records)) {
        return give_up(journal_.trouble("rewritten", edition_ + 1));
    }
    if (!more) {
        phase_ = Phase::tail;
    }
    return kStep;
}

// Copies what was appended in the meantime.
ngx_msec_t JournalCompaction::copy_tail()
{
    auto got = journal_.copy(edition_, copied_, kCopied);
    if (!got) {
        return give_up(journal_.trouble("rewritten", edition_ + 1));
    }
    copied_ += *got;
    if (*got >= kMaxTail) {
        return kStep;
    }
    flushed_ = journal_.size(edition_ + 1);
    flush_ = journal_.flush(edition_ + 1);
    phase_ = Phase::flushing;
    return flush_ ? kDisk : give_up("journal cannot be rewritten: no thread");
}

ngx_msec_t JournalCompaction::wait_for_disk()
{
    switch (flush_->load()) {
    case Flush::running:
        return kDisk;
    case Flush::failed:
        errno = EIO;
        return give_up(journal_.trouble("flushed", edition_ + 1));
    case Flush::done:
        break;
    }
    return phase_ == Phase::flushing ? turn() : finish();
}

ngx_msec_t JournalCompaction::turn()
{
    std::uint64_t grown = journal_.size(edition_) - copied_;
    if (grown > kMaxTail) {
        phase_ = Phase::tail;
        return kStep;
    }
    bool turned =
        LockedClaims(zone_)->journal().turn(owner_, copied_, flushed_);
    if (!turned) {
        return give_up(journal_.trouble("rewritten", edition_ + 1));
    }
    flush_ = journal_.flush(edition_ + 1);
    phase_ = Phase::turned;
    return flush_ ? kDisk : give_up("journal cannot be flushed: no thread");
}

// The former edition has been kept until here, in case the power failed.
ngx_msec_t JournalCompaction::finish()
{
    std::uint64_t former = journal_.size(edition_);
    if (!journal_.clear(edition_)) {
        return give_up(journal_.trouble("emptied", edition_));
    }
    log_line(NGX_LOG_NOTICE, ngx_cycle->log,
             "journal rewritten: " + std::to_string(former) + " bytes are "
                 + std::to_string(journal_.size(edition_ + 1)) + " now");
    give_up_turn();
    return kPollInterval;
}

// The present edition continues unchanged.
ngx_msec_t JournalCompaction::give_up(const std::string &why)
{
    log_line(
        NGX_LOG_CRIT, ngx_cycle->log,
        why + "; it keeps growing, and the module tries again in a minute");
    if (phase_ != Phase::turned) {
        journal_.clear(edition_ + 1);
    }
    give_up_turn();
    return kAfterTrouble;
}

JournalFollower::JournalFollower(ngx_shm_zone_t *zone, JournalFile &journal)
    : zone_(zone),
      journal_(journal),
      timer_(
          AtQuit::cancel,
          [](void *follower) {
              static_cast<JournalFollower *>(follower)->step();
          },
          this)
{
    timer_.arm(1);
}

void JournalFollower::step()
{
    if (guarded(ngx_cycle->log, true, [&] { return read_on(); })) {
        timer_.arm(kFollowInterval);
    }
}

bool JournalFollower::read_on()
{
    // Money: asked first, so that all it wrote is there to be read.
    bool ended = !process_is_alive(journal_.other());
    LockedClaims claims(zone_);
    ClaimTable &table = *claims.operator->();
    if (!journal_.catch_up(table) || !ended || !journal_.take_over(table)) {
        return true;
    }
    log_line(NGX_LOG_NOTICE, ngx_cycle->log,
             "the old nginx has exited, and journal \"" + journal_.path()
                 + "\" is written by this one alone");
    return false;
}

}  // namespace x402
