// SPDX-License-Identifier: Apache-2.0
// The journal when nginx starts or reloads: the master's part.
#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

// Closes a file when it goes.
class OpenFile {
public:
    explicit OpenFile(int number) : number_(number) {}
    ~OpenFile()
    {
        if (number_ >= 0) {
            close(number_);
        }
    }
    OpenFile(const OpenFile &) = delete;
    OpenFile &operator=(const OpenFile &) = delete;

    int number() const { return number_; }
    int release() { return std::exchange(number_, -1); }

private:
    int number_;
};

// The bytes of a file, as long as it lives.
class MappedFile {
public:
    explicit MappedFile(int file)
    {
        struct stat about;
        if (fstat(file, &about) != 0) {
            return;
        }
        size_ = static_cast<std::size_t>(about.st_size);
        if (size_ == 0) {
            good_ = true;
            return;
        }
        memory_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
        good_ = memory_ != MAP_FAILED;
    }
    ~MappedFile()
    {
        if (good_ && size_ != 0) {
            munmap(memory_, size_);
        }
    }
    MappedFile(const MappedFile &) = delete;
    MappedFile &operator=(const MappedFile &) = delete;

    bool good() const { return good_; }
    std::string_view bytes() const
    {
        return size_ == 0 ? std::string_view()
                          : std::string_view(static_cast<const char *>(memory_),
                                             size_);
    }

private:
    std::size_t size_ = 0;
    void *memory_ = nullptr;
    bool good_ = false;
};

void log_replay(ngx_log_t *log, const std::string &path,
                const ReplayReport &report)
{
    log_line(NGX_LOG_NOTICE, log,
             "journal \"" + path + "\": " + std::to_string(report.records)
                 + " records replayed");
    if (report.skipped != 0) {
        log_line(NGX_LOG_WARN, log,
                 "journal \"" + path + "\": " + std::to_string(report.skipped)
                     + " bytes are not a record and were skipped; nginx was "
                       "killed while it wrote them, or the disk was full");
    }
    if (report.homeless != 0) {
        log_line(NGX_LOG_CRIT, log,
                 "journal \"" + path + "\": no room in the zone for "
                     + std::to_string(report.homeless)
                     + " records; raise the size of x402_zone");
    }
}

// Why these are not two files of a journal; empty: they are.
std::string unusable_files(const std::string (&paths)[2],
                           const std::string_view (&bytes)[2],
                           const JournalSummary (&what)[2], unsigned newer)
{
    for (unsigned i = 0; i < 2; i++) {
        bool empty = i == newer && !bytes[i].empty() && what[i].records == 0;
        if (!what[i].is_journal || empty) {
            return "\"" + paths[i]
                   + "\" is not a journal of this build; move it away to begin "
                     "a new one, which forgets the payments in it";
        }
    }
    return "";
}

}  // namespace

std::string JournalFile::validate() const
{
    std::optional<MappedFile> mapped[2];
    std::string_view bytes[2];
    JournalSummary what[2];
    what[0].is_journal = what[1].is_journal = true;  // a missing one is made
    for (unsigned i = 0; i < 2; i++) {
        const std::string &path = paths_[i];
        struct stat about;
        if (stat(path.c_str(), &about) == 0) {
            if (!S_ISREG(about.st_mode)) {
                return "journal is not a regular file: \"" + path + "\"";
            }
            if (access(path.c_str(), R_OK | W_OK) != 0) {
                return trouble("opened", path);
            }
            OpenFile file(
                open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
            mapped[i].emplace(file.number());
            if (!mapped[i]->good()) {
                return trouble("read", path);
            }
            bytes[i] = mapped[i]->bytes();
            what[i] = journal_summary(bytes[i]);
        } else if (errno != ENOENT) {
            return trouble("opened", path);
        }
    }
    std::string why =
        unusable_files(paths_, bytes, what, newer_journal(what[0], what[1]));
    if (!why.empty()) {
        return why;
    }
    // A new one is written beside it and takes its place.
    std::string directory = folder_of(paths_[0]);
    return access(directory.c_str(), W_OK | X_OK) == 0
               ? ""
               : trouble("made in", directory);
}

// Of both, since both are written to.
bool JournalFile::identity(Digest &out) const
{
    std::string text;
    for (unsigned i = 0; i < 2; i++) {
        struct stat about;
        if (fstat(files_[i], &about) != 0) {
            return false;
        }
        text += paths_[i] + '\0' + std::to_string(about.st_dev) + '\0'
                + std::to_string(about.st_ino) + '\0';
    }
    out = sha256(text);
    return true;
}

// Fills the table from the file that counts; `edition`: the highest seen.
std::string JournalFile::choose(ClaimTable &table, ngx_log_t *log,
                                std::uint64_t &edition) const
{
    MappedFile first(files_[0]);
    MappedFile second(files_[1]);
    if (!first.good() || !second.good()) {
        return trouble("read", first.good() ? paths_[1] : paths_[0]);
    }
    JournalSummary what[] = {journal_summary(first.bytes()),
                             journal_summary(second.bytes())};
    unsigned newer = newer_journal(what[0], what[1]);
    std::string_view bytes = newer == 0 ? first.bytes() : second.bytes();
    std::string why =
        unusable_files(paths_, {first.bytes(), second.bytes()}, what, newer);
    if (!why.empty()) {
        return why;
    }
    edition = std::max(what[0].edition, what[1].edition);
    bytes.remove_prefix(what[newer].counts_from);
    if (!bytes.empty()) {
        ReplayReport report;
        if (other_ == 0) {
            report = table.replay(bytes, ngx_time());
        } else if (!table.follow(bytes, ngx_pid, ngx_time(), report)) {
            return "journal \"" + paths_[newer] + "\": no place in the zone";
        }
        log_replay(log, paths_[newer], report);
    }
    return "";
}

// Complete and on the disk before it takes the place of the first one, and is
// newer than both: the second is then no more than what was.
std::string JournalFile::write_anew(const ClaimTable &table,
                                    std::uint64_t edition)
{
    std::string fresh = paths_[0] + ".new";
    OpenFile file(open(
        fresh.c_str(),
        O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.number() < 0) {
        return trouble("made", fresh);
    }
    bool written = flock(file.number(), LOCK_EX | LOCK_NB) == 0
                   && write_fully(file.number(),
                                  journal_edge(JournalKind::begin, edition));
    std::size_t place = 0;
    for (bool more = true; more && written;) {
        std::string records;
        more = table.journal().part(place, ngx_time(), records);
        written = write_fully(file.number(), records);
    }
    written = written
              && write_fully(file.number(),
                             journal_edge(JournalKind::complete, edition))
              && fsync(file.number()) == 0
              && rename(fresh.c_str(), paths_[0].c_str()) == 0;
    if (!written) {
        std::string why = trouble("written", fresh);
        unlink(fresh.c_str());
        return why;
    }
    OpenFile directory(
        open(folder_of(paths_[0]).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() < 0 || fsync(directory.number()) != 0) {
        return trouble("written", folder_of(paths_[0]));
    }
    close(std::exchange(files_[0], file.release()));
    return clear(edition + 1) ? "" : trouble("written", paths_[1]);
}

std::string JournalFile::open_both(int flags)
{
    for (unsigned i = 0; i < 2; i++) {
        files_[i] =
            open(paths_[i].c_str(),
                 O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | flags, 0600);
        struct stat about;
        if (files_[i] < 0 || fstat(files_[i], &about) != 0) {
            return trouble("opened", paths_[i]);
        }
        if (!S_ISREG(about.st_mode)) {
            return "journal is not a regular file: \"" + paths_[i] + "\"";
        }
    }
    return "";
}

std::string JournalFile::begin(ClaimTable &table, ngx_log_t *log)
{
    std::string why = open_both(O_CREAT);
    if (why.empty()) {
        why = open_lock();
    }
    if (!why.empty()) {
        return why;
    }
    if (flock(files_[0], LOCK_EX | LOCK_NB) == 0) {
        return begin_alone(table, log);
    }
    // Two of them would each know half of the payments, unless this one was
    // started by the other and follows it.
    if (ngx_inherited && holder() == getppid()) {
        return begin_beside(table, log);
    }
    return "journal \"" + paths_[0]
           + "\" is in use by another nginx, or by workers of one that has "
             "ended; end them first";
}

std::string JournalFile::begin_alone(ClaimTable &table, ngx_log_t *log)
{
    std::uint64_t edition = 0;
    std::string why = choose(table, log, edition);
    edition = (edition | 1) + 1;  // the first file's
    if (why.empty()) {
        why = write_anew(table, edition);
    }
    Digest id;
    if (why.empty() && !identity(id)) {
        why = trouble("read", paths_[0]);
    }
    if (!why.empty()) {
        return why;
    }
    if (!set_holder(ngx_pid)) {
        return trouble("written", lock_path_);
    }
    table.set_journal_identity(id, edition, size(edition));
    // nginx: the file goes with its configuration at a reload. This one is
    // never closed, on purpose: the lock lasts as long as any process of this
    // nginx.
    return fcntl(files_[0], F_DUPFD_CLOEXEC, 0) < 0
               ? trouble("opened", paths_[0])
               : "";
}

std::string JournalFile::resume(const void *table_memory)
{
    std::string why = open_both(0);
    if (why.empty()) {
        why = open_lock();
    }
    if (!why.empty()) {
        return why;
    }
    // The former nginx has not ended yet: all of it is read once more.
    std::int64_t other = holder();
    other_ = other != ngx_pid && process_is_alive(other) ? other : 0;
    if (other_ != 0 && fcntl(files_[0], F_DUPFD_CLOEXEC, 0) < 0) {
        return trouble("opened", paths_[0]);
    }
    Digest id;
    if (!identity(id) || id != ClaimTable::journal_identity(table_memory)) {
        return "journal \"" + paths_[0]
               + "\" is not the one in use; its path must not change on "
                 "reload, and neither it nor its second file may be moved: "
                 "restart nginx, or put them back";
    }
    return "";
}

}  // namespace x402
