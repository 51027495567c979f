// SPDX-License-Identifier: Apache-2.0
// Where the lines of x402_ledger go: a file that the master opens and USR1
// opens again, or syslog. Lines stay whole under any number of workers: each
// write(2) appends whole lines, and what a full disk cuts is taken back.
#ifndef NGX_HTTP_X402_LEDGER_HPP
#define NGX_HTTP_X402_LEDGER_HPP

#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"

namespace x402 {

struct LedgerTerms {
    std::string target;      // as written: a path, or syslog:...
    std::size_t buffer = 0;  // bytes; 0: each line is written at once
    ngx_msec_t flush = 0;    // how long a line may wait in the buffer

    bool operator==(const LedgerTerms &other) const
    {
        return target == other.target && buffer == other.buffer
               && flush == other.flush;
    }
};

// One destination of a configuration cycle, shared by all that name it.
class Ledger {
public:
    // Lifetime: borrows, of the same cycle.
    Ledger(LedgerTerms terms, Books &books);
    Ledger(const Ledger &) = delete;
    Ledger &operator=(const Ledger &) = delete;

    // While the configuration is read. False: an error was printed, or there
    // is no memory.
    bool open(ngx_conf_t *cf);
    // When all files are known that others write. From here on nginx opens it,
    // except in a configuration test one that is missing and can be made.
    // False: no memory, or an error was printed.
    bool name_file(ngx_cycle_t *cycle);
    const LedgerTerms &terms() const { return terms_; }
    // Empty: it goes to syslog.
    std::string path() const { return file_ ? terms_.target : std::string(); }
    // Its name in the notes of payments, the same in every configuration.
    std::uint64_t tag() const { return tag_; }

    // In a worker, once: notices that the file was deleted or renamed.
    void watch();
    // In a worker: one line with its newline. What cannot be written is
    // counted, and told once in the error log.
    void write(std::string_view line);
    void flush();

private:
    static void on_flush(ngx_open_file_t *file, ngx_log_t *log);
    void check_file();
    void prepare();
    bool write_bytes(std::string_view bytes);
    void take_back(std::string_view written);
    bool ends_with(const struct stat &file, off_t begin,
                   std::string_view text) const;
    void write_counted(std::string_view lines);
    void send(std::string_view line);
    void report_written(std::size_t lines);
    void report_lost(std::size_t lines, int problem);
    const char *remedy_for(int problem) const;

    LedgerTerms terms_;
    Books &books_;
    ngx_open_file_t *file_ = nullptr;
    std::unique_ptr<ngx_syslog_peer_t> syslog_;
    std::string waiting_;
    std::uint64_t tag_;
    bool prepared_ = false;   // since it was opened
    bool is_stream_ = false;  // a pipe or a device
    bool torn_ = false;       // the file ends within a line of this worker
    bool deleted_ = false;    // what is written has no name any more
    unsigned misplaced_ = 0;  // looks in a row at which the path led elsewhere
    std::size_t lost_ = 0;    // since it was told
    std::size_t good_ = 0;    // writes since the last loss
    ngx_msec_t lost_at_ = 0;
    Timer timer_;
    Timer watch_;
};

// postconfiguration: beside the journal, where there is one and no x402_ledger
// says otherwise. False: an error was printed, or memory ran out.
bool add_default_ledger(ngx_conf_t *cf, const std::string &journal);

// A worker begins.
void watch_ledgers(Books &books);
// A worker ends: all that waits in buffers.
void flush_ledgers(Books &books);

// Where events of a location go; nullptr: nowhere.
inline Ledger *ledger_of(const LocationConf &conf, const Books &books)
{
    return conf.ledger_written ? conf.ledger : books.default_ledger();
}

}  // namespace x402

#endif
