// SPDX-License-Identifier: Apache-2.0
// The journal while nginx runs: what is appended, and how the next edition is
// made of this one.
#include "nginx/zone/ngx_http_x402_journal.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"
#include "nginx/core/ngx_http_x402_thread.hpp"

namespace x402 {

namespace {

constexpr std::uint64_t kCopied = 64 * 1024;  // at once

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
    if (complaint_.is_due()) {
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

}  // namespace x402
