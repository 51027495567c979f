// SPDX-License-Identifier: Apache-2.0
// The journal while nginx runs: what is appended, how the next edition is made
// of this one, and how two nginx share it while a binary is upgraded.
#include "nginx/zone/ngx_http_x402_journal.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"
#include "nginx/core/ngx_http_x402_thread.hpp"

namespace x402 {

namespace {

constexpr std::uint64_t kCopied = 64 * 1024;  // at once

constexpr std::size_t kHolderBytes = 21;  // 20 digits and a newline
constexpr unsigned kTries = 20;           // for a record that is half written
constexpr unsigned kLockTries = 50;
constexpr ngx_msec_t kLockPause = 100;

// Of `path.lock`. Opened once by the master and inherited by all workers of all
// its configurations, so that they hold one lock together; never closed, and
// the path does not change.
int lock_file = -1;

// Of this nginx, in any of its processes.
std::int64_t master_process()
{
    return ngx_process == NGX_PROCESS_WORKER ? getppid() : ngx_pid;
}

}  // namespace

JournalFile::~JournalFile()
{
    for (int number : files_) {
        if (number >= 0) {
            close(number);
        }
    }
}

bool JournalFile::write_fully(int file, std::string_view bytes)
{
    while (!bytes.empty()) {
        ssize_t written = write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::string JournalFile::trouble(const char *verb, const std::string &path)
{
    int problem = errno;
    return std::string("journal cannot be ") + verb + ": \"" + path + "\" ("
           + std::to_string(problem) + ": " + std::strerror(problem) + ")";
}

bool JournalFile::append(std::uint64_t edition, std::string_view record)
{
    if (write_fully(file(edition), record)) {
        return true;
    }
    int problem = errno;
    if (failure_log_.is_due()) {
        // The caller changes a claim and does not expect it to fail halfway.
        guarded(ngx_cycle->log, 0, [&] {
            errno = problem;
            log_line(NGX_LOG_CRIT, ngx_cycle->log,
                     trouble("written", edition)
                         + "; payments are rejected until it can: free "
                           "disk space there");
            return 0;
        });
    }
    return false;
}

bool JournalFile::clear(std::uint64_t edition)
{
    return ftruncate(file(edition), 0) == 0;
}

std::string JournalFile::misplaced() const
{
    for (unsigned i = 0; i < 2; i++) {
        if (leads_elsewhere(paths_[i], files_[i])) {
            return "journal \"" + paths_[i]
                   + "\" was moved or deleted while nginx writes it, and a "
                     "restart would forget its payments: move it back, or, if "
                     "it is gone, stop nginx only after you have copied /proc/"
                   + std::to_string(ngx_pid) + "/fd/"
                   + std::to_string(files_[i]) + " to that path";
        }
    }
    return "";
}

std::uint64_t JournalFile::size(std::uint64_t edition) const
{
    struct stat about;
    return fstat(file(edition), &about) == 0
               ? static_cast<std::uint64_t>(about.st_size)
               : 0;
}

std::optional<std::uint64_t>
JournalFile::copy(std::uint64_t edition, std::uint64_t from, std::uint64_t most)
{
    std::string bytes(static_cast<std::size_t>(most), '\0');
    ssize_t got = pread(file(edition), bytes.data(), bytes.size(),
                        static_cast<off_t>(from));
    if (got < 0
        || !write_fully(file(edition + 1),
                        {bytes.data(), static_cast<std::size_t>(got)})) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(got);
}

bool JournalFile::carry_over(std::uint64_t edition, std::uint64_t from)
{
    for (;;) {
        auto copied = copy(edition, from, kCopied);
        if (!copied || *copied == 0) {
            return copied.has_value();
        }
        from += *copied;
    }
}

bool JournalFile::digest(std::uint64_t edition, std::uint64_t from, Digest &out)
{
    std::uint64_t end = size(edition);
    if (end < from) {
        return false;
    }
    std::string bytes(static_cast<std::size_t>(end - from), '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
        ssize_t part = pread(file(edition), &bytes[got], bytes.size() - got,
                             static_cast<off_t>(from + got));
        if (part <= 0) {
            return false;
        }
        got += static_cast<std::size_t>(part);
    }
    out = sha256(bytes);
    return true;
}

int JournalFile::duplicate(std::uint64_t edition) const
{
    return fcntl(file(edition), F_DUPFD_CLOEXEC, 0);
}

FlushState JournalFile::flush(std::uint64_t edition) const
{
    return flush_in_thread(duplicate(edition), true);
}

FlushState flush_in_thread(int number, bool closes)
{
    if (number < 0) {
        return nullptr;
    }
    auto state = std::make_shared<std::atomic<Flush>>(Flush::running);
    bool started = start_thread([state, number, closes] {
        bool good = fsync(number) == 0;
        if (closes) {
            close(number);
        }
        *state = good ? Flush::done : Flush::failed;
    });
    if (!started) {
        if (closes) {
            close(number);
        }
        return nullptr;
    }
    return state;
}

// --- a binary upgrade: two nginx, one journal
//
// The new master is started by the old one and has a zone of its own. It fills
// it from the journal, and a worker reads on while the old workers end, so that
// settlements that finish late are known here, too. Both append whole records
// to the same file; a claim is changed by the one that has it in hand
// (session/claim_replay.hpp). When no process of the old nginx is left, its
// lock of the journal is taken.
//
// `path.lock` says which master has the journal, and keeps it from being
// rewritten while there are two.

std::string JournalFile::open_lock()
{
    if (lock_file < 0) {
        lock_file = open(lock_path_.c_str(),
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (lock_file < 0) {
        return trouble("opened", lock_path_);
    }
    // Held alone for as long as the journal is rewritten.
    for (unsigned i = 0; flock(lock_file, LOCK_SH | LOCK_NB) != 0; i++) {
        if (i == kLockTries) {
            return "journal \"" + paths_[0]
                   + "\" is being rewritten by another nginx; try again";
        }
        ngx_msleep(kLockPause);
    }
    return "";
}

bool JournalFile::lock_alone()
{
    // Not in one step, but only another start of nginx could come between.
    if (other_ == 0 && flock(lock_file, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    flock(lock_file, LOCK_SH | LOCK_NB);
    return false;
}

void JournalFile::unlock_alone()
{
    flock(lock_file, LOCK_SH | LOCK_NB);
}

std::int64_t JournalFile::holder()
{
    char text[kHolderBytes + 1] = {};
    std::int64_t process = 0;
    bool known = pread(lock_file, text, kHolderBytes, 0)
                     == static_cast<ssize_t>(kHolderBytes)
                 && std::sscanf(text, "%20" SCNd64 "\n", &process) == 1;
    return known ? process : 0;
}

bool JournalFile::set_holder(std::int64_t process)
{
    char text[kHolderBytes + 1];
    std::snprintf(text, sizeof(text), "%020" PRId64 "\n", process);
    return pwrite(lock_file, text, kHolderBytes, 0)
           == static_cast<ssize_t>(kHolderBytes);
}

std::string JournalFile::begin_beside(ClaimTable &table, ngx_log_t *log)
{
    other_ = getppid();
    std::uint64_t edition = 0;
    std::string why = choose(table, log, edition);
    Digest id;
    if (why.empty() && !identity(id)) {
        why = trouble("read", paths_[0]);
    }
    if (!why.empty()) {
        return why;
    }
    table.set_journal_identity(id, edition, size(edition));
    log_line(NGX_LOG_NOTICE, log,
             "journal \"" + paths_[0]
                 + "\" is written together with the nginx that started this "
                   "one, until that one has exited");
    // As in begin_alone(): the lock that will be taken lasts.
    return fcntl(files_[0], F_DUPFD_CLOEXEC, 0) < 0
               ? trouble("opened", paths_[0])
               : "";
}

bool JournalFile::catch_up(ClaimTable &table)
{
    std::uint64_t edition = table.journal_edition();
    std::uint64_t end = size(edition);
    if (end <= followed_) {
        return true;
    }
    std::string bytes(static_cast<std::size_t>(end - followed_), '\0');
    ssize_t got = pread(file(edition), bytes.data(), bytes.size(),
                        static_cast<off_t>(followed_));
    ReplayReport report;
    if (got != static_cast<ssize_t>(bytes.size())
        || !table.follow(bytes, master_process(), ngx_time(), report)) {
        return false;
    }
    // The other one may be in the middle of a record.
    if (report.skipped != 0 && again_++ < kTries) {
        return false;
    }
    again_ = 0;
    followed_ = end;
    return true;
}

bool JournalFile::take_over(ClaimTable &table)
{
    if (flock(files_[0], LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    other_ = 0;
    sign();
    table.end_follow(master_process(), ngx_time());
    return true;
}

void JournalFile::sign()
{
    if (holder() == master_process()) {
        other_ = 0;  // taken over before this worker was started
    } else if (other_ == 0) {
        // nginx: the master reads its configuration before it is a daemon.
        set_holder(master_process());
    }
}

}  // namespace x402
