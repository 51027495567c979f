// The file of x402_zone's journal: replayed and written anew by the master at
// start, inherited by the workers, who append to it under the zone's lock.
#ifndef NGX_HTTP_X402_JOURNAL_HPP
#define NGX_HTTP_X402_JOURNAL_HPP

#include <string>

#include "nginx/ngx_http_x402_boundary.hpp"
#include "session/claim_table.hpp"

namespace x402 {

class JournalFile : public JournalPort {
public:
    // An absolute path; nothing is opened.
    explicit JournalFile(std::string path) : path_(std::move(path)) {}
    ~JournalFile() override;
    JournalFile(const JournalFile &) = delete;
    JournalFile &operator=(const JournalFile &) = delete;

    // What -t can say without making anything; empty: nothing is wrong.
    std::string objection() const;

    // At start: takes the file for this nginx alone, fills the table from it
    // and writes it anew. Empty: done; else why not, for the operator.
    std::string begin(ClaimTable &table, ngx_log_t *log);
    // At reload: opens it again. It must be the one that the table belongs to.
    std::string resume(const void *table_memory);

    // Money: one write(2), which survives the death of every process, not that
    // of the machine: see docs/design.md.
    bool append(std::string_view record) override;

    int descriptor() const { return file_; }

private:
    std::string replay(ClaimTable &table, int file, ngx_log_t *log) const;
    std::string write_anew(const ClaimTable &table);
    std::string trouble(const char *verb, const std::string &path) const;
    bool identity_of(int file, Digest &identity) const;

    std::string path_;
    int file_ = -1;
    time_t complained_ = 0;
};

}  // namespace x402

#endif
