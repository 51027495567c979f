// SPDX-License-Identifier: Apache-2.0
#include "nginx/zone/ngx_http_x402_journal_sync.hpp"

#include <condition_variable>
#include <mutex>

#include <unistd.h>
#if (NGX_LINUX)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kStay = 1000;
constexpr long kPatience = 20 * 1000 * 1000;  // ns, for another's flush

}  // namespace

// All that the thread touches, beside shared memory, which lasts as long as the
// process. The last one to need it frees it.
struct JournalSync::Thread final : CommitDisk {
    explicit Thread(ClaimHeader &header)
        : words(header.commit), edition(header.journal_edition)
    {
    }

    bool flush() override
    {
        // Money: after the number of records was read, so that a journal that
        // turns meanwhile has all of them (JournalWriter::turn).
        std::uint64_t now = __atomic_load_n(&edition, __ATOMIC_ACQUIRE);
        return fdatasync(files[now & 1].number()) == 0;
    }
    bool lives(std::uint32_t process) override
    {
        return process_is_alive(process);
    }
    void wait(std::atomic<std::uint32_t> &rounds, std::uint32_t seen) override
    {
        timespec limit = {0, kPatience};
#if (NGX_LINUX)
        syscall(SYS_futex, &rounds, FUTEX_WAIT, seen, &limit, nullptr, 0);
#else
        limit.tv_nsec /= 20;
        nanosleep(&limit, nullptr);
#endif
    }
    void wake(std::atomic<std::uint32_t> &rounds) override
    {
#if (NGX_LINUX)
        syscall(SYS_futex, &rounds, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
#endif
    }

    void run()
    {
        std::uint64_t served = 0;
        std::unique_lock<std::mutex> lock(mutex);
        for (;;) {
            asked.wait(lock, [&] { return stopped || wanted > served; });
            if (stopped) {
                return;
            }
            std::uint64_t ticket = wanted;
            lock.unlock();
            bool good = commit(words, *this, self, ticket);
            lock.lock();
            // What failed may be asked for again.
            served = good ? ticket : 0;
            wanted = good ? wanted : 0;
            send_report(report);
        }
    }

    CommitState &words;
    const std::uint64_t &edition;
    std::uint32_t self = static_cast<std::uint32_t>(ngx_pid);
    Descriptor files[2];
    Descriptor report;
    std::mutex mutex;
    std::condition_variable asked;
    std::uint64_t wanted = 0;
    bool stopped = false;
};

JournalSync::JournalSync(const ngx_shm_zone_t *zone)
    : header_(claims_to_count(zone)->header()),
      words_(header_.commit),
      journal_(*journal_of(zone)),
      report_([](void *sync) { static_cast<JournalSync *>(sync)->report(); },
              this)
{
    ngx_queue_init(&waiting_);
    failed_.data = this;
    failed_.log = ngx_cycle->log;
    failed_.handler = [](ngx_event_t *event) {
        auto *sync = static_cast<JournalSync *>(event->data);
        if (!event->timedout) {
            sync->fail(sync->words_.appended.load());
            return;
        }
        event->timedout = 0;
        if (!ngx_queue_empty(&sync->waiting_)) {
            ngx_add_timer(event, kStay);
        }
    };
}

JournalSync::~JournalSync()
{
    while (!ngx_queue_empty(&waiting_)) {
        wait_of(ngx_queue_head(&waiting_))->stop();
    }
    if (failed_.posted) {
        ngx_delete_posted_event(&failed_);
    }
    if (failed_.timer_set) {
        ngx_del_timer(&failed_);
    }
    if (thread_) {
        std::lock_guard<std::mutex> lock(thread_->mutex);
        thread_->stopped = true;
        thread_->asked.notify_one();
    }
}

bool JournalSync::start()
{
    auto thread = std::make_shared<Thread>(header_);
    for (unsigned i = 0; i < 2; i++) {
        thread->files[i] = Descriptor(journal_.duplicate(i));
        if (!thread->files[i].is_open()) {
            return false;
        }
    }
    thread->report = report_.open();
    if (!thread->report.is_open()) {
        return false;
    }
    if (!start_thread([thread] { thread->run(); })) {
        report_.close();
        return false;
    }
    thread_ = std::move(thread);
    return true;
}

void JournalSync::ask(std::uint64_t ticket)
{
    bool running =
        thread_ || guarded(ngx_cycle->log, false, [&] { return start(); });
    if (!running) {
        ngx_post_event(&failed_, &ngx_posted_events);
        return;
    }
    std::lock_guard<std::mutex> lock(thread_->mutex);
    if (thread_->wanted < ticket) {
        thread_->wanted = ticket;
        thread_->asked.notify_one();
    } else if (words_.durable.load() >= ticket) {
        // It is there already, and nothing else would say so.
        send_report(thread_->report);
    }
}

DiskWait *JournalSync::wait_of(ngx_queue_t *link)
{
    return ngx_queue_data(link, DiskWait, link_);
}

void JournalSync::flush()
{
    ask(words_.appended.load());
}

// A waiter that is called may wait again, or end other waiters.
void JournalSync::report()
{
    std::uint64_t last = words_.appended.load();
    std::uint64_t durable = words_.durable.load();
    while (!ngx_queue_empty(&waiting_)) {
        DiskWait *wait = wait_of(ngx_queue_head(&waiting_));
        if (wait->ticket_ > durable) {
            break;
        }
        wait->stop();
        wait->done_(wait->data_, true);
    }
    if (words_.lost.load() != 0) {
        log_failure();
        fail(last);
    } else if (!ngx_queue_empty(&waiting_)) {
        ask(wait_of(ngx_queue_last(&waiting_))->ticket_);
    }
}

void JournalSync::fail(std::uint64_t last)
{
    while (!ngx_queue_empty(&waiting_)) {
        DiskWait *wait = wait_of(ngx_queue_head(&waiting_));
        if (wait->ticket_ > last) {
            break;
        }
        wait->stop();
        wait->done_(wait->data_, false);
    }
}

void JournalSync::log_failure()
{
    if (!failure_log_.is_due()) {
        return;
    }
    guarded(ngx_cycle->log, 0, [&] {
        log_line(NGX_LOG_CRIT, ngx_cycle->log,
                 "journal \"" + journal_.path()
                     + "\" cannot be flushed to the disk; payments are "
                       "rejected until it can: look at the disk");
        return 0;
    });
}

void DiskWait::begin(JournalSync &sync, Done done, void *data)
{
    sync_ = &sync;
    done_ = done;
    data_ = data;
    ticket_ = sync.words_.appended.load();
    ngx_queue_insert_tail(&sync.waiting_, &link_);
    // nginx: a worker that was asked to quit goes when no timer is left, and
    // with it the requests that wait.
    if (!sync.failed_.timer_set) {
        ngx_add_timer(&sync.failed_, kStay);
    }
    sync.ask(ticket_);
}

void DiskWait::stop()
{
    if (sync_) {
        ngx_queue_remove(&link_);
        if (ngx_queue_empty(&sync_->waiting_) && sync_->failed_.timer_set) {
            ngx_del_timer(&sync_->failed_);
        }
        sync_ = nullptr;
    }
}

}  // namespace x402
