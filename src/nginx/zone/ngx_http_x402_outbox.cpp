// SPDX-License-Identifier: Apache-2.0
// The layout of the files and the one class that knows it, which makes this
// file longer than 400 lines.
#include "nginx/zone/ngx_http_x402_outbox.hpp"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <functional>
#include <unordered_map>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/json_document.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"

namespace x402 {

namespace {

constexpr std::size_t kRead = 256 * 1024;
constexpr std::size_t kHeadBytes = 43;  // '#', two numbers of 20 digits
constexpr char kWaits = '{';
constexpr char kReceived = '-';
constexpr char kComplete = '#';
constexpr char kIncomplete = '?';
// From here on the events leave a part of the disk to journal and ledger.
constexpr std::uint64_t kUnwatched = 64 * 1024;
constexpr std::uint64_t kMostKept = 64 * 1024 * 1024;

std::string trouble_with(const char *verb, const std::string &path)
{
    int problem = errno;
    return std::string("x402_webhook: \"") + path + "\" cannot be " + verb
           + " (" + std::to_string(problem) + ": " + std::strerror(problem)
           + ")";
}

bool set_lock(int file, short kind)
{
    struct flock lock {};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    return fcntl(file, F_SETLK, &lock) == 0;
}

bool write_all(int file, std::string_view bytes)
{
    while (!bytes.empty()) {
        ssize_t written = write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            errno = written == 0 ? ENOSPC : errno;
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::string head_text(char first, std::uint64_t edition)
{
    char text[kHeadBytes + 1];
    std::snprintf(text, sizeof(text), "%c%020" PRIu64 " %020d\n", first,
                  edition, 0);
    return std::string(text, kHeadBytes);
}

// Of a file that was emptied by hand: never one that it had before, so that
// a process that knows a place in it sees that the place is gone.
std::uint64_t new_edition()
{
    const ngx_time_t &now = *ngx_timeofday();
    return static_cast<std::uint64_t>(now.sec) * 1000
           + static_cast<std::uint64_t>(now.msec);
}

std::uint64_t lines_in(std::string_view bytes)
{
    return static_cast<std::uint64_t>(
        std::count(bytes.begin(), bytes.end(), '\n'));
}

// As is_whole_event(), for many lines. A loss of power may leave zeros.
bool looks_whole(std::string_view line)
{
    return !line.empty() && line.front() == kWaits && line.back() == '}'
           && line.find('\0') == std::string_view::npos;
}

// Of an event, whether it was received or not.
std::size_t hash_of(std::string_view line)
{
    return std::hash<std::string_view>{}(line.substr(1));
}

// It begins with nothing that was ever written there. A loss of power may leave
// zeros.
bool is_foreign(const std::string &path)
{
    constexpr std::string_view kFirst("#?{-\n\0", 6);
    std::string first = beginning_of(path, 1);
    return !first.empty() && kFirst.find(first) == std::string_view::npos;
}

// What -t can say about a file; empty: nothing is wrong.
std::string wrong_with(const std::string &path)
{
    struct stat about;
    if (lstat(path.c_str(), &about) != 0) {
        return errno == ENOENT ? "" : trouble_with("opened", path);
    }
    if (S_ISLNK(about.st_mode)) {
        return "x402_webhook: \"" + path
               + "\" is a symbolic link; put the journal where its events are "
                 "to be kept";
    }
    if (!S_ISREG(about.st_mode)) {
        return "x402_webhook: \"" + path + "\" is not a regular file";
    }
    if (access(path.c_str(), R_OK | W_OK) != 0) {
        return trouble_with("opened", path);
    }
    return is_foreign(path) ? "x402_webhook: \"" + path
                                  + "\" is not a file of events, and would be "
                                    "emptied; move it away, or write another "
                                    "journal=path"
                            : "";
}

}  // namespace

bool is_whole_event(std::string_view line)
{
    return looks_whole(line) && JsonDocument::parse(line);
}

Outbox::~Outbox()
{
    for (int number : {files_[0], files_[1], marks_[0], marks_[1]}) {
        if (number >= 0) {
            close(number);
        }
    }
}

std::string Outbox::trouble(const char *verb) const
{
    return trouble_with(verb, paths_[present()]);
}

std::string Outbox::validate() const
{
    std::string why = wrong_with(paths_[0]);
    return why.empty() ? wrong_with(paths_[1]) : why;
}

std::string Outbox::open_both()
{
    constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    for (unsigned i = 0; i < 2; i++) {
        const char *path = paths_[i].c_str();
        files_[i] = ::open(path, kFlags | O_APPEND, 0600);
        marks_[i] = files_[i] < 0 ? -1 : ::open(path, kFlags, 0600);
        if (marks_[i] < 0) {
            return trouble_with("opened", paths_[i]);
        }
    }
    return "";
}

std::string Outbox::open(bool shares, ngx_log_t *log)
{
    std::string why = validate();
    if (why.empty()) {
        why = open_both();
    }
    if (why.empty() && flock(files_[0], LOCK_EX | LOCK_NB) == 0) {
        why = begin(log);  // no other process has them
    } else if (why.empty() && !shares) {
        why = "x402_webhook: \"" + paths_[0]
              + "\" is in use by another nginx, or by workers of one that has "
                "ended; end them first";
    }
    if (why.empty() && flock(files_[0], LOCK_SH) != 0) {
        why = trouble_with("locked", paths_[0]);
    }
    if (why.empty()) {
        waiting();  // counted once for all workers
    }
    return why;
}

std::string Outbox::begin(ngx_log_t *log)
{
    unsigned from = size(0) == 0 && size(1) == 0 ? 1 : present();
    take_headless(from);
    auto was = head(from);
    const Rescued rescued = rescue(from);
    take_rescued(rescued, from, log);
    std::optional<std::uint64_t> skipped;
    // The former one is written over: from then on this one has to be there.
    if (size(1 - from) == 0 || fsync(files_[from]) == 0) {
        skipped = copy_waiting(from, 1 - from, (was ? was->edition : 0) + 1,
                               rescued, true);
    }
    if (!skipped) {
        // A full or broken disk: it continues with what there is.
        return was ? "" : trouble_with("written", paths_[1 - from]);
    }
    if (*skipped != 0) {
        log_line(
            NGX_LOG_WARN, log,
            "x402_webhook: " + std::to_string(*skipped) + " bytes in \""
                + paths_[from]
                + "\" belong to no whole event and were skipped; nginx or its "
                  "machine was stopped while it wrote them");
    }
    if (size(1 - from) > kHeadBytes && fsync(files_[1 - from]) != 0) {
        return "";  // the former one stays until its turn comes
    }
    clear_former();
    return "";
}

std::optional<Outbox::Head> Outbox::head(unsigned i) const
{
    char text[kHeadBytes + 1] = {};
    Head head;
    bool known = pread(marks_[i], text, kHeadBytes, 0)
                     == static_cast<ssize_t>(kHeadBytes)
                 && std::sscanf(text, "#%20" SCNu64 " %20" SCNu64,
                                &head.edition, &head.received)
                        == 2
                 && text[kHeadBytes - 1] == '\n';
    return known ? std::optional<Head>(head) : std::nullopt;
}

// Without a head, that which has something.
unsigned Outbox::present() const
{
    auto first = head(0);
    auto second = head(1);
    if (first && second) {
        return first->edition >= second->edition ? 0 : 1;
    }
    if (first || second) {
        return first ? 0 : 1;
    }
    return size(0) == 0 && size(1) != 0 ? 1 : 0;
}

std::uint64_t Outbox::size(unsigned i) const
{
    struct stat about;
    return fstat(files_[i], &about) == 0
               ? static_cast<std::uint64_t>(about.st_size)
               : 0;
}

Outbox::Extent Outbox::extent() const
{
    unsigned i = present();
    auto has = head(i);
    return {has ? has->edition : 0, has ? kHeadBytes : 0, size(i)};
}

std::string Outbox::read_file(unsigned i, std::uint64_t from,
                              std::size_t most) const
{
    std::string bytes(most, '\0');
    ssize_t got =
        pread(marks_[i], bytes.data(), bytes.size(), static_cast<off_t>(from));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

std::string Outbox::read(std::uint64_t from, std::size_t most) const
{
    return read_file(present(), from, most);
}

// A receiver that is away must not keep the journal from being written.
bool Outbox::make_room(std::uint64_t size) const
{
    struct statvfs disk;
    if (size < kUnwatched || fstatvfs(files_[0], &disk) != 0) {
        return true;
    }
    std::uint64_t kept =
        std::min<std::uint64_t>(disk.f_blocks * disk.f_frsize / 4, kMostKept);
    return disk.f_bavail * disk.f_frsize >= kept;
}

bool Outbox::append(std::string_view line)
{
    unsigned i = present();
    std::uint64_t before = size(i);
    if (!make_room(before)) {
        errno = ENOSPC;
        return false;
    }
    // What was cut off there must not swallow this one.
    std::string separated;
    if (before == 0) {
        separated = head_text(kComplete, new_edition());
    } else if (read_file(i, before - 1, 1) != "\n") {
        separated = "\n";
    }
    if (!separated.empty()) {
        separated += line;
        line = separated;
    }
    if (write_all(files_[i], line)) {
        return true;
    }
    int problem = errno;
    if (size(i) != before
        && ftruncate(files_[i], static_cast<off_t>(before)) != 0) {
        // The next line begins after what is left of this one.
    }
    errno = problem;
    return false;
}

std::uint64_t Outbox::waiting() const
{
    unsigned i = present();
    auto has = head(i);
    std::uint64_t edition = has ? has->edition : 0;
    std::uint64_t end = size(i);
    if (count_.edition != edition || count_.upto > end || count_.upto == 0) {
        count_ = {edition, has ? kHeadBytes : 0, 0};
    }
    while (count_.upto < end) {
        std::string bytes = read_file(i, count_.upto, kRead);
        std::size_t last = bytes.rfind('\n');
        if (last == std::string::npos) {
            break;
        }
        bytes.resize(last + 1);
        count_.lines += lines_in(bytes);
        count_.upto += bytes.size();
    }
    std::uint64_t received = has ? has->received : 0;
    return count_.lines > received ? count_.lines - received : 0;
}

void Outbox::write_received(unsigned i, std::uint64_t received) const
{
    char text[21];
    std::snprintf(text, sizeof(text), "%020" PRIu64, received);
    if (pwrite(marks_[i], text, 20, kHeadBytes - 21) != 20) {
        // The figure is wrong until it is counted again.
    }
}

void Outbox::drop(std::uint64_t begin)
{
    unsigned i = present();
    if (pwrite(marks_[i], &kReceived, 1, static_cast<off_t>(begin)) != 1) {
        return;  // sent again after a restart
    }
    if (auto has = head(i)) {
        write_received(i, has->received + 1);
    }
}

void Outbox::recount()
{
    unsigned i = present();
    if (!head(i)) {
        return;
    }
    std::uint64_t from = kHeadBytes;
    std::uint64_t received = 0;
    for (;;) {
        std::string bytes = read_file(i, from, kRead);
        std::size_t last = bytes.rfind('\n');
        if (last == std::string::npos) {
            break;
        }
        from += last + 1;
        for (std::size_t at = 0; at <= last; at = bytes.find('\n', at) + 1) {
            received += bytes[at] == kWaits ? 0 : 1;
        }
    }
    write_received(i, received);
}

template <class Take> void Outbox::each_line(unsigned i, Take take) const
{
    std::uint64_t place = head(i) ? kHeadBytes : 0;
    for (;;) {
        std::string bytes = read_file(i, place, kRead);
        if (bytes.empty()) {
            return;
        }
        std::size_t begin = 0;
        for (std::size_t end = bytes.find('\n'); end != std::string::npos;
             end = bytes.find('\n', begin)) {
            take(std::string_view(&bytes[begin], end - begin), false);
            begin = end + 1;
        }
        if (begin == 0) {
            take(std::string_view(bytes), true);
            begin = bytes.size();
        }
        place += begin;
    }
}

Outbox::Rescued Outbox::rescue(unsigned present) const
{
    unsigned former = 1 - present;
    auto is = head(present);
    auto was = head(former);
    Rescued rescued;
    if (!is || !was || was->edition + 1 != is->edition) {
        return rescued;
    }
    std::unordered_map<std::size_t, bool> received;
    each_line(present, [&](std::string_view line, bool) {
        if (!line.empty()) {
            received[hash_of(line)] = line.front() == kReceived;
        }
    });
    each_line(former, [&](std::string_view line, bool torn) {
        auto found =
            line.empty() ? received.end() : received.find(hash_of(line));
        bool waits = torn ? is_whole_event(line) : looks_whole(line);
        if (waits && (found == received.end() || !found->second)) {
            if (found == received.end()) {
                rescued.lost.append(line).push_back('\n');
            }
            rescued.lines.append(line).push_back('\n');
            rescued.known.insert(hash_of(line));
        }
    });
    return rescued.lost.empty() ? Rescued() : rescued;
}

void Outbox::take_rescued(const Rescued &rescued, unsigned present,
                          ngx_log_t *log)
{
    if (rescued.lost.empty()) {
        return;
    }
    std::string found =
        "x402_webhook: " + std::to_string(lines_in(rescued.lost))
        + " events were gone from \"" + paths_[present]
        + "\" after a loss of power, and were found in the "
          "file before it";
    if (!append(rescued.lost)) {
        // The copy has them, if that can be written.
        found += "; " + trouble("written");
    }
    log_line(NGX_LOG_WARN, log, found);
}

void Outbox::take_headless(unsigned present)
{
    constexpr std::string_view kZero("\0", 1);
    unsigned later = 1 - present;
    if (!head(present) || head(later) || read_file(later, 0, 1) != kZero) {
        return;
    }
    std::unordered_set<std::size_t> known;
    each_line(present, [&](std::string_view line, bool) {
        if (!line.empty()) {
            known.insert(hash_of(line));
        }
    });
    std::string lines;
    each_line(later, [&](std::string_view line, bool torn) {
        line.remove_prefix(std::min(line.find_first_not_of('\0'), line.size()));
        bool waits = torn ? is_whole_event(line) : looks_whole(line);
        if (waits && known.count(hash_of(line)) == 0) {
            lines.append(line).push_back('\n');
        }
    });
    if (!lines.empty() && !append(lines)) {
        // A full or broken disk: they are lost with their file.
    }
}

std::optional<std::uint64_t> Outbox::copy_waiting(unsigned from, unsigned to,
                                                  std::uint64_t edition,
                                                  const Rescued &rescued,
                                                  bool flushes)
{
    std::uint64_t skipped = 0;
    bool good = ftruncate(files_[to], 0) == 0
                && write_all(files_[to], head_text(kIncomplete, edition))
                && write_all(files_[to], rescued.lines);
    std::string waiting;
    auto write = [&] {
        good = good && write_all(files_[to], waiting);
        waiting.clear();
    };
    each_line(from, [&](std::string_view line, bool torn) {
        if (torn ? is_whole_event(line) : looks_whole(line)) {
            if (rescued.known.count(hash_of(line)) == 0) {
                waiting.append(line).push_back('\n');
            }
        } else if (!line.empty() && line.front() != kReceived) {
            skipped += line.size();
        }
        if (waiting.size() >= kRead) {
            write();
        }
    });
    write();
    good = good && (!flushes || fsync(files_[to]) == 0);
    if (!good || pwrite(marks_[to], &kComplete, 1, 0) != 1) {
        int problem = errno;
        if (ftruncate(files_[to], 0) != 0) {
            // It has no head that counts.
        }
        errno = problem;
        return std::nullopt;
    }
    return skipped;
}

bool Outbox::turn()
{
    bool turned = false;
    if (flock(files_[0], LOCK_EX | LOCK_NB) == 0) {
        unsigned from = present();
        auto has = head(from);
        turned =
            has
            && copy_waiting(from, 1 - from, has->edition + 1, Rescued(), false)
                   .has_value();
    }
    // Linux: the shared lock is gone also if the other one was refused.
    // Without it a reload would take the files for unused ones.
    flock(files_[0], LOCK_SH | LOCK_NB);
    return turned;
}

void Outbox::clear_former()
{
    unsigned i = present();
    if (head(i) && size(1 - i) != 0 && ftruncate(files_[1 - i], 0) != 0) {
        // It is emptied when its turn comes.
    }
}

bool Outbox::take_turn()
{
    return set_lock(marks_[1], F_WRLCK);
}

void Outbox::leave_turn()
{
    set_lock(marks_[1], F_UNLCK);
}

std::string Outbox::misplaced() const
{
    for (unsigned i = 0; i < 2; i++) {
        if (leads_elsewhere(paths_[i], files_[i])) {
            return "x402_webhook: \"" + paths_[i]
                   + "\" was moved or deleted while nginx writes it, and a "
                     "restart or reload would forget the events that wait in "
                     "it: move it back, or, if it is gone, copy /proc/"
                   + std::to_string(ngx_pid) + "/fd/"
                   + std::to_string(files_[i])
                   + " to that path, and then restart nginx";
        }
    }
    return "";
}

}  // namespace x402
