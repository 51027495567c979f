#include "nginx/settlement/ngx_http_x402_journal.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nginx/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr time_t kComplainEvery = 60;

std::string directory_of(const std::string &path)
{
    std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

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

bool write_fully(int file, std::string_view bytes)
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

// A checkpoint: gathered, so that it is not one write for each claim.
class CheckpointPort : public JournalPort {
public:
    explicit CheckpointPort(int file) : file_(file) {}

    bool append(std::string_view record) override
    {
        gathered_.append(record);
        return gathered_.size() < 64 * 1024 || flush();
    }
    bool flush()
    {
        bool done = write_fully(file_, gathered_);
        gathered_.clear();
        return done;
    }

private:
    int file_;
    std::string gathered_;
};

}  // namespace

JournalFile::~JournalFile()
{
    if (file_ >= 0) {
        close(file_);
    }
}

std::string JournalFile::trouble(const char *verb,
                                 const std::string &path) const
{
    int problem = errno;
    return std::string("journal cannot be ") + verb + ": \"" + path + "\" ("
           + std::to_string(problem) + ": " + std::strerror(problem) + ")";
}

std::string JournalFile::objection() const
{
    struct stat about;
    if (stat(path_.c_str(), &about) == 0) {
        if (!S_ISREG(about.st_mode)) {
            return "journal is no regular file: \"" + path_ + "\"";
        }
        if (access(path_.c_str(), R_OK | W_OK) != 0) {
            return trouble("opened", path_);
        }
    } else if (errno != ENOENT) {
        return trouble("opened", path_);
    }
    // A new one is written beside it and takes its place.
    std::string directory = directory_of(path_);
    return access(directory.c_str(), W_OK | X_OK) == 0
               ? ""
               : trouble("made in", directory);
}

bool JournalFile::identity_of(int file, Digest &identity) const
{
    struct stat about;
    if (fstat(file, &about) != 0) {
        return false;
    }
    identity = sha256(path_ + '\0' + std::to_string(about.st_dev) + '\0'
                      + std::to_string(about.st_ino));
    return true;
}

std::string JournalFile::replay(ClaimTable &table, int file,
                                ngx_log_t *log) const
{
    struct stat about;
    if (fstat(file, &about) != 0) {
        return trouble("read", path_);
    }
    if (!S_ISREG(about.st_mode)) {
        return "journal is no regular file: \"" + path_ + "\"";
    }
    if (about.st_size == 0) {
        return "";
    }
    auto size = static_cast<std::size_t>(about.st_size);
    void *memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (memory == MAP_FAILED) {
        return trouble("read", path_);
    }
    ReplayReport report =
        table.replay({static_cast<const char *>(memory), size}, ngx_time());
    munmap(memory, size);

    if (report.records == 0) {
        return "\"" + path_
               + "\" is no journal of this build; move it away to begin a new "
                 "one, which forgets the payments in it";
    }
    std::string text = "journal \"" + path_ + "\": "
                       + std::to_string(report.records) + " records replayed";
    log_line(NGX_LOG_NOTICE, log, text);
    if (report.skipped != 0) {
        log_line(NGX_LOG_WARN, log,
                 "journal \"" + path_ + "\": " + std::to_string(report.skipped)
                     + " bytes are no record and were passed over; nginx was "
                       "killed while it wrote them, or the disk was full");
    }
    if (report.homeless != 0) {
        log_line(NGX_LOG_CRIT, log,
                 "journal \"" + path_ + "\": no room in the zone for "
                     + std::to_string(report.homeless)
                     + " records; raise the size of x402_zone");
    }
    return "";
}

// Complete and on the disk before it takes the place of the old one.
std::string JournalFile::write_anew(const ClaimTable &table)
{
    std::string fresh = path_ + ".new";
    OpenFile file(open(
        fresh.c_str(),
        O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.number() < 0) {
        return trouble("made", fresh);
    }
    CheckpointPort port(file.number());
    bool written = flock(file.number(), LOCK_EX | LOCK_NB) == 0
                   && table.write_all(port) && port.flush()
                   && fsync(file.number()) == 0
                   && rename(fresh.c_str(), path_.c_str()) == 0;
    if (!written) {
        std::string why = trouble("written", fresh);
        unlink(fresh.c_str());
        return why;
    }
    OpenFile directory(
        open(directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() < 0 || fsync(directory.number()) != 0) {
        return trouble("written", directory_of(path_));
    }
    file_ = file.release();
    return "";
}

std::string JournalFile::begin(ClaimTable &table, ngx_log_t *log)
{
    OpenFile former(
        open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
    if (former.number() < 0) {
        return trouble("opened", path_);
    }
    // Two of them would each know half of the payments: no binary upgrade.
    if (flock(former.number(), LOCK_EX | LOCK_NB) != 0) {
        return "journal \"" + path_
               + "\" is in use by another nginx, or by workers that outlived "
                 "theirs; end them first";
    }
    std::string why = replay(table, former.number(), log);
    if (why.empty()) {
        why = write_anew(table);
    }
    Digest identity;
    if (why.empty() && !identity_of(file_, identity)) {
        why = trouble("read", path_);
    }
    if (!why.empty()) {
        return why;
    }
    table.set_journal_identity(identity);
    // nginx: file_ goes with its configuration at a reload. This one is never
    // closed, on purpose: the lock lasts as long as any process of this nginx.
    return fcntl(file_, F_DUPFD_CLOEXEC, 0) < 0 ? trouble("opened", path_) : "";
}

std::string JournalFile::resume(const void *table_memory)
{
    file_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
    if (file_ < 0) {
        return trouble("opened", path_);
    }
    Digest identity;
    if (!identity_of(file_, identity)
        || identity != ClaimTable::journal_identity(table_memory)) {
        return "journal \"" + path_
               + "\" is not the one that is written now; its path may not "
                 "change on reload, nor may it be moved: restart nginx, or "
                 "put it back";
    }
    return "";
}

bool JournalFile::append(std::string_view record)
{
    if (write_fully(file_, record)) {
        return true;
    }
    int problem = errno;
    if (complained_ == 0 || ngx_time() - complained_ >= kComplainEvery) {
        complained_ = ngx_time();
        // Whoever changes a claim does not expect it to fail in the middle.
        guarded(ngx_cycle->log, 0, [&] {
            errno = problem;
            log_line(NGX_LOG_CRIT, ngx_cycle->log,
                     trouble("written", path_)
                         + "; payments are turned away until it can: make "
                           "room there");
            return 0;
        });
    }
    return false;
}

}  // namespace x402
