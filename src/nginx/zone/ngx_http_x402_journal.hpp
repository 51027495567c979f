// SPDX-License-Identifier: Apache-2.0
// The files of x402_zone's journal: replayed and rewritten by the master at
// start, inherited by the workers, which append to one of them under the zone's
// lock. The other, `path.2`, takes its turn when the journal is rewritten
// while nginx runs (worker/ngx_http_x402_journal_tasks): a worker can
// neither make nor rename files in a directory of root, so both are opened
// beforehand. Sources: journal, and journal_start for the master at start.
#ifndef NGX_HTTP_X402_JOURNAL_HPP
#define NGX_HTTP_X402_JOURNAL_HPP

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "session/claim_table.hpp"

namespace x402 {

// How far a flush is, which a thread does.
enum class Flush { running, done, failed };
using FlushState = std::shared_ptr<std::atomic<Flush>>;
// nullptr: a thread or a descriptor could not be had.
FlushState flush_in_thread(int number, bool closes);

class JournalFile : public JournalPort {
public:
    // An absolute path; nothing is opened.
    explicit JournalFile(const std::string &path)
        : paths_{path, path + ".2"}, lock_path_(path + ".lock")
    {
    }
    ~JournalFile() override;
    JournalFile(const JournalFile &) = delete;
    JournalFile &operator=(const JournalFile &) = delete;

    const std::string &path() const { return paths_[0]; }

    // What -t can say without making anything; empty: nothing is wrong.
    std::string validate() const;

    // At start: takes the files for this nginx alone, fills the table from them
    // and rewrites them. Empty: done; else why not, for the operator.
    std::string begin(ClaimTable &table, ngx_log_t *log);
    // At reload: opens them again. They must be those that the table belongs
    // to.
    std::string resume(const void *table_memory);

    // --- a binary upgrade

    // The master of the nginx that still writes the journal, too; 0: there is
    // none.
    std::int64_t other() const { return other_; }
    // Reads what it has written since. False: something could not be read, and
    // is read again.
    bool catch_up(ClaimTable &table);
    // It has ended. True: the journal is this nginx's alone.
    bool take_over(ClaimTable &table);
    // A worker: whose the journal is, for the next upgrade.
    void sign();
    bool lock_alone() override;
    void unlock_alone() override;

    // Money: one write(2), which survives the death of every process, not that
    // of the machine: see docs/internals.md.
    bool append(std::uint64_t edition, std::string_view record) override;
    bool clear(std::uint64_t edition) override;
    bool carry_over(std::uint64_t edition, std::uint64_t from) override;
    bool digest(std::uint64_t edition, std::uint64_t from,
                Digest &out) override;

    // As append(), for what no request waits for.
    bool extend(std::uint64_t edition, std::string_view records)
    {
        return write_fully(file(edition), records);
    }
    // A file whose path leads elsewhere by now, or nowhere, in words for the
    // operator; empty: both are where they belong.
    std::string misplaced() const;
    // Bytes; 0 also when it cannot be told.
    std::uint64_t size(std::uint64_t edition) const;
    // Copies at most `most` bytes of this edition, from there on, after the
    // next one. How many; nullopt: it cannot be written.
    std::optional<std::uint64_t> copy(std::uint64_t edition, std::uint64_t from,
                                      std::uint64_t most);
    // Another descriptor of the file of that edition, the caller's; -1: none.
    int duplicate(std::uint64_t edition) const;
    // To the disk, which may take its time. nullptr: there is no thread.
    FlushState flush(std::uint64_t edition) const;

    // Of the file of that edition, with errno's word.
    std::string trouble(const char *verb, std::uint64_t edition) const
    {
        return trouble(verb, paths_[edition & 1]);
    }

private:
    static std::string trouble(const char *verb, const std::string &path);
    static bool write_fully(int file, std::string_view bytes);
    std::string open_both(int flags);
    std::string choose(ClaimTable &table, ngx_log_t *log,
                       std::uint64_t &edition) const;
    std::string write_anew(const ClaimTable &table, std::uint64_t edition);
    bool identity(Digest &out) const;
    int file(std::uint64_t edition) const { return files_[edition & 1]; }

    std::string open_lock();
    std::string begin_alone(ClaimTable &table, ngx_log_t *log);
    std::string begin_beside(ClaimTable &table, ngx_log_t *log);
    static std::int64_t holder();
    static bool set_holder(std::int64_t process);

    std::string paths_[2];
    std::string lock_path_;
    int files_[2] = {-1, -1};
    std::int64_t other_ = 0;
    std::uint64_t followed_ = 0;  // bytes of the present edition
    unsigned again_ = 0;          // tries to read something torn
    LogThrottle failure_log_{60};
};

}  // namespace x402

#endif
