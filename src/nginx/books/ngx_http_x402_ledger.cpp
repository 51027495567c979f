// SPDX-License-Identifier: Apache-2.0
// The writer and the directive that opens it know the same about a target,
// which makes this file longer than 400 lines.
#include "nginx/books/ngx_http_x402_ledger.hpp"

#include <cerrno>
#include <climits>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256_digest.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"
#include "protocol/ledger_line.hpp"

namespace x402 {

namespace {

constexpr std::string_view kSyslog = "syslog:";
constexpr std::size_t kSyslogHeader = 1024;  // with host name and tag
constexpr std::size_t kDefaultBuffer = 64 * 1024;
constexpr ssize_t kLeastBuffer = 4 * 1024;
constexpr ssize_t kMostBuffer = 64 * 1024 * 1024;
constexpr ngx_msec_t kDefaultFlush = 1000;
constexpr ngx_int_t kLongestFlush = 24 * 3600 * 1000;

std::size_t lines_in(std::string_view text)
{
    std::size_t lines = 0;
    for (std::size_t at = text.find('\n'); at != std::string_view::npos;
         at = text.find('\n', at + 1)) {
        lines++;
    }
    return lines;
}

constexpr ngx_msec_t kLookEvery = 1000;
constexpr unsigned kLooks = 2;        // a rotation is between two of them
constexpr unsigned kTellEvery = 600;  // looks
constexpr ngx_msec_t kQuiet = 10000;  // without a loss
constexpr std::size_t kQuietWrites = 2;

std::uint64_t tag_of(std::string_view target)
{
    std::uint64_t tag;
    Digest digest = sha256(target);
    std::memcpy(&tag, digest.data(), sizeof(tag));
    return tag;
}

// What a pipe takes as a whole or not at all: lines up to that size, or a
// longer one alone.
std::size_t piece_of(std::string_view lines)
{
    std::size_t newline = lines.substr(0, PIPE_BUF).rfind('\n');
    if (newline == std::string_view::npos) {
        newline = lines.find('\n');
    }
    return newline == std::string_view::npos ? lines.size() : newline + 1;
}

std::string with_errno(int problem)
{
    return " (" + std::to_string(problem) + ": " + std::strerror(problem) + ")";
}

// `end`: where the path leads, if it is a link.
std::string cannot_be_made(const std::string &path, const std::string &end,
                           int problem)
{
    return "ledger \"" + path + "\" cannot be made: the folder \""
           + folder_of(end) + "\" cannot be used" + with_errno(problem)
           + "; make it, or write another path";
}

bool is_pipe(const std::string &path)
{
    struct stat about;
    return stat(path.c_str(), &about) == 0 && S_ISFIFO(about.st_mode);
}

int open_pipe(const std::string &path)
{
    return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

// It is kept open as long as the configuration, because a reader whose last
// writer leaves may end.
std::string unread_pipe(ngx_pool_t &pool, const std::string &path)
{
    ngx_pool_cleanup_t *cln =
        ngx_pool_cleanup_add(&pool, sizeof(ngx_pool_cleanup_file_t));
    if (cln == nullptr) {
        return "no memory";
    }
    int fd = open_pipe(path);
    if (fd < 0) {
        return "ledger \"" + path + "\" is a pipe that cannot be written now"
               + with_errno(errno)
               + ", so that nginx would wait for its reader; start that first, "
                 "or write the path of a file";
    }
    auto *file = static_cast<ngx_pool_cleanup_file_t *>(cln->data);
    file->fd = fd;
    file->name = reinterpret_cast<u_char *>(const_cast<char *>("a pipe"));
    file->log = pool.log;
    cln->handler = ngx_pool_cleanup_file;
    return {};
}

// Why nginx should not try to open it; empty: it may.
std::string in_the_way(ngx_pool_t &pool, const std::string &path)
{
    if (is_pipe(path)) {
        return unread_pipe(pool, path);
    }
    struct stat about;
    if (stat(path.c_str(), &about) == 0) {
        return S_ISDIR(about.st_mode)
                   ? "ledger \"" + path
                         + "\" is a folder; write the path of a file in it"
                   : std::string();
    }
    bool no_folder = errno == ENOENT || errno == ENOTDIR;
    std::string end = end_of_links(path);
    return no_folder && access(folder_of(end).c_str(), X_OK) != 0
               ? cannot_be_made(path, end, errno)
               : std::string();
}

// Something is in it, and no line of a ledger. One that was cut by hand may
// begin within a line, and a loss of power may leave zeros.
bool is_foreign(const std::string &path)
{
    constexpr std::size_t kLook = 64 * 1024;
    struct stat about;
    if (stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) {
        return false;
    }
    std::string text = beginning_of(path, kLook);
    std::string_view begin = kLedgerLineBegin;
    constexpr std::string_view kBlank("\n\0", 2);
    return text.size() >= begin.size() && text.find(begin) == std::string::npos
           && text.find_first_not_of(kBlank) != std::string::npos;
}

}  // namespace

Ledger::Ledger(LedgerTerms terms, Books &books)
    : terms_(std::move(terms)),
      books_(books),
      tag_(tag_of(terms_.target)),
      timer_(
          AtQuit::cancel,
          [](void *ledger) { static_cast<Ledger *>(ledger)->flush(); }, this),
      watch_(
          AtQuit::cancel,
          [](void *ledger) { static_cast<Ledger *>(ledger)->check_file(); },
          this)
{
}

bool Ledger::open(ngx_conf_t *cf)
{
    if (terms_.target.compare(0, kSyslog.size(), kSyslog) == 0) {
        syslog_ = std::make_unique<ngx_syslog_peer_t>();
        return ngx_syslog_process_conf(cf, syslog_.get()) == NGX_CONF_OK;
    }
    std::string wrong = in_the_way(*cf->cycle->pool, terms_.target);
    if (!wrong.empty()) {
        conf_error(cf, wrong);
        return false;
    }
    // nginx: logs of one path share its data, in which a log looks for a buffer
    // of its own. A file without a name is shared with nothing.
    ngx_str_t nameless = ngx_null_string;
    file_ = ngx_conf_open_file(cf->cycle, &nameless);
    if (file_ == nullptr) {
        return false;
    }
    file_->fd = NGX_INVALID_FILE;
    // nginx: USR1 and the end of a worker flush what a file's owner holds.
    file_->flush = on_flush;
    file_->data = this;
    return true;
}

// nginx: files without a name are passed over when all are opened. A pipe has
// none, because at USR1 workers would wait for a reader of it.
bool Ledger::name_file(ngx_cycle_t *cycle)
{
    if (file_ == nullptr || (ngx_test_config && could_be_made(terms_.target))) {
        return true;
    }
    if (is_pipe(terms_.target)) {
        file_->fd = open_pipe(terms_.target);
        return true;  // without its reader by now: lines are lost, and told
    }
    if (is_foreign(terms_.target)) {
        log_line(NGX_LOG_EMERG, cycle->log,
                 "\"" + terms_.target
                     + "\" has something else in it than a ledger; write "
                       "another path at x402_ledger, or move that file away");
        return false;
    }
    file_->name = pool_copy(cycle->pool, terms_.target);
    return file_->name.data != nullptr;
}

void Ledger::on_flush(ngx_open_file_t *file, ngx_log_t *)
{
    guarded(ngx_cycle->log, 0, [&] {
        auto *ledger = static_cast<Ledger *>(file->data);
        ledger->flush();
        // It is opened again.
        ledger->prepared_ = false;
        ledger->deleted_ = false;
        ledger->misplaced_ = 0;
        return 0;
    });
}

void Ledger::watch()
{
    if (file_) {
        watch_.arm(kLookEvery);
    }
}

void Ledger::check_file()
{
    watch_.arm(kLookEvery);
    struct stat own;
    if (ngx_exiting || fstat(file_->fd, &own) != 0 || !S_ISREG(own.st_mode)
        || !leads_elsewhere(terms_.target, file_->fd)) {
        misplaced_ = 0;
        deleted_ = false;
        return;
    }
    misplaced_++;
    deleted_ = own.st_nlink == 0 && misplaced_ >= kLooks;
    // One worker logs for all.
    if (ngx_worker != 0 || misplaced_ % kTellEvery != kLooks) {
        return;
    }
    log_line(deleted_ ? NGX_LOG_CRIT : NGX_LOG_WARN, ngx_cycle->log,
             "ledger \"" + terms_.target
                 + (deleted_ ? "\" was deleted, and its lines are lost"
                             : "\" was renamed, and its lines go on into the "
                               "renamed file")
                 + ": send USR1 to nginx (nginx -s reopen), which makes it "
                   "again");
}

// nginx: workers share what the master has opened. A pipe that is full would
// stop them all.
void Ledger::prepare()
{
    struct stat about;
    prepared_ = true;
    is_stream_ = fstat(file_->fd, &about) == 0 && !S_ISREG(about.st_mode);
    int flags = is_stream_ ? fcntl(file_->fd, F_GETFL) : -1;
    if (flags >= 0) {
        fcntl(file_->fd, F_SETFL, flags | O_NONBLOCK);
    }
}

void Ledger::write(std::string_view line)
{
    if (syslog_) {
        send(line);
        return;
    }
    if (terms_.buffer == 0) {
        write_counted(line);
        return;
    }
    if (waiting_.size() + line.size() > terms_.buffer) {
        flush();
    }
    waiting_ += line;
    // A worker that ends cannot wait for a timer.
    if (waiting_.size() >= terms_.buffer || ngx_exiting || ngx_terminate) {
        flush();
    } else if (!timer_.armed()) {
        timer_.arm(terms_.flush);
    }
}

void Ledger::flush()
{
    timer_.disarm();
    if (!waiting_.empty()) {
        std::string lines;
        lines.swap(waiting_);
        write_counted(lines);
    }
}

// The part of a line that a short write left is cut off again, unless another
// worker has written after it, which is unlikely on a full disk.
void Ledger::take_back(std::string_view written)
{
    std::size_t newline = written.rfind('\n');
    std::string_view torn = newline == std::string_view::npos
                                ? written
                                : written.substr(newline + 1);
    if (is_stream_) {
        torn_ = !torn.empty();
        return;
    }
    struct stat about;
    if (torn.empty() || fstat(file_->fd, &about) != 0
        || about.st_size < static_cast<off_t>(torn.size())) {
        return;
    }
    off_t begin = about.st_size - static_cast<off_t>(torn.size());
    if (!ends_with(about, begin, torn) || ftruncate(file_->fd, begin) != 0) {
        torn_ = true;
    }
}

// nginx: a log is open for writing only.
bool Ledger::ends_with(const struct stat &file, off_t begin,
                       std::string_view text) const
{
    int reader = ::open(reinterpret_cast<const char *>(file_->name.data),
                        O_RDONLY | O_CLOEXEC);
    if (reader < 0) {
        return false;
    }
    struct stat about;
    std::string end(text.size(), '\0');
    bool same = fstat(reader, &about) == 0 && about.st_dev == file.st_dev
                && about.st_ino == file.st_ino
                && pread(reader, end.data(), end.size(), begin)
                       == static_cast<ssize_t>(end.size())
                && end == text;
    close(reader);
    return same;
}

bool Ledger::write_bytes(std::string_view bytes)
{
    std::size_t done = 0;
    if (!prepared_) {
        prepare();
    }
    while (done < bytes.size()) {
        std::string_view rest = bytes.substr(done);
        ssize_t written = ::write(file_->fd, rest.data(),
                                  is_stream_ ? piece_of(rest) : rest.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            int problem = written < 0 ? errno : ENOSPC;
            std::string_view part = bytes.substr(0, done);
            take_back(part);
            books_.count_ledger(true, lines_in(part));
            report_lost(lines_in(bytes) - lines_in(part), problem);
            return false;
        }
        done += static_cast<std::size_t>(written);
    }
    return true;
}

void Ledger::write_counted(std::string_view lines)
{
    if (torn_ && write_bytes("\n")) {
        torn_ = false;
    }
    if (!write_bytes(lines)) {
        return;
    }
    report_written(lines_in(lines));
}

// Where some lines are taken and others are not, such as at a slow reader, that
// is one trouble.
void Ledger::report_written(std::size_t lines)
{
    books_.count_ledger(!deleted_, lines);
    if (lost_ == 0 || ++good_ < kQuietWrites
        || ngx_current_msec - lost_at_ < kQuiet) {
        return;
    }
    log_line(NGX_LOG_NOTICE, ngx_cycle->log,
             "ledger \"" + terms_.target + "\" is written again; "
                 + std::to_string(lost_)
                 + " lines of this worker are missing in it");
    lost_ = 0;
}

const char *Ledger::remedy_for(int problem) const
{
    if (syslog_ && problem != EAGAIN) {
        return problem == EMSGSIZE ? "a file takes lines of any length"
                                   : "start the syslog server";
    }
    switch (problem) {
    case EAGAIN:
        return syslog_ ? "the syslog server is too slow, or has stopped"
                       : "the program that reads the pipe is too slow, or "
                         "has stopped";
    case EPIPE:
        return "start the program that reads the pipe";
    default:
        return "free disk space there";
    }
}

void Ledger::report_lost(std::size_t lines, int problem)
{
    bool first = lost_ == 0;
    lost_ += lines;
    lost_at_ = ngx_current_msec;
    good_ = 0;
    books_.count_ledger(false, lines);
    if (first) {
        log_line(NGX_LOG_CRIT, ngx_cycle->log,
                 "ledger \"" + terms_.target + "\" cannot be written"
                     + with_errno(problem)
                     + "; payments go on, their lines are lost: "
                     + remedy_for(problem) + ", x402_status counts them");
    }
}

void Ledger::send(std::string_view line)
{
    line.remove_suffix(1);  // syslog has its own end
    std::string message(kSyslogHeader + line.size(), '\0');
    auto *begin = reinterpret_cast<u_char *>(message.data());
    u_char *end = ngx_syslog_add_header(syslog_.get(), begin);
    end = ngx_cpymem(end, line.data(), line.size());
    auto size = static_cast<std::size_t>(end - begin);
    ssize_t sent = ngx_syslog_send(syslog_.get(), begin, size);
    if (sent == static_cast<ssize_t>(size)) {
        report_written(1);
    } else {
        report_lost(1, ngx_socket_errno);
    }
}

namespace {

bool is_same_place(const Ledger &known, const std::string &target)
{
    return known.terms().target == target
           || (!known.path().empty()
               && target.compare(0, kSyslog.size(), kSyslog) != 0
               && FilePlace(known.path()) == FilePlace(target));
}

// The ledger of these terms, made when it is the first time. nullptr: an error
// was printed, or memory ran out.
Ledger *find_or_add_ledger(ngx_conf_t *cf, LedgerTerms terms)
{
    Books &books = *main_conf(cf)->books;
    for (Ledger *known : books.ledgers()) {
        if (known->terms() == terms) {
            return known;
        }
        if (!is_same_place(*known, terms.target)) {
            continue;
        }
        if (known->terms().buffer == terms.buffer
            && known->terms().flush == terms.flush) {
            return known;
        }
        conf_error(cf, "\"" + terms.target
                           + "\" is already a ledger with another buffer= or "
                             "flush=; write the same ones");
        return nullptr;
    }
    constexpr std::string_view kRequestId = "request_id";
    ngx_str_t request_id = to_ngx_str(kRequestId);
    books.request_id = ngx_http_get_variable_index(cf, &request_id);
    if (books.request_id == NGX_ERROR) {
        return nullptr;
    }
    auto *made = pool_new<Ledger>(cf->cycle->pool, std::move(terms), books);
    if (made == nullptr || !made->open(cf)) {
        return nullptr;
    }
    books.ledgers().push_back(made);
    return made;
}

}  // namespace

void watch_ledgers(Books &books)
{
    for (Ledger *ledger : books.ledgers()) {
        ledger->watch();
    }
}

void flush_ledgers(Books &books)
{
    for (Ledger *ledger : books.ledgers()) {
        ledger->flush();
    }
}

bool add_default_ledger(ngx_conf_t *cf, const std::string &journal)
{
    LedgerTerms terms;
    terms.target = journal + ".ledger";
    Ledger *ledger = find_or_add_ledger(cf, std::move(terms));
    main_conf(cf)->books->set_default_ledger(ledger);
    return ledger != nullptr;
}

namespace {

// name=value among the parameters; empty: it is another one.
std::string_view value_of(std::string_view word, std::string_view name)
{
    return word.substr(0, name.size()) == name ? word.substr(name.size())
                                               : std::string_view();
}

std::string read_parameter(std::string_view word, LedgerTerms &terms)
{
    std::string_view text = value_of(word, "format=");
    if (!text.empty()) {
        return text == "json" ? ""
                              : "unknown format \"" + std::string(text)
                                    + "\"; json is the only one";
    }
    if (text = value_of(word, "buffer="); !text.empty() && !terms.buffer) {
        ngx_str_t size = to_ngx_str(text);
        ssize_t bytes = ngx_parse_size(&size);
        if (bytes < kLeastBuffer || bytes > kMostBuffer) {
            return "invalid buffer size \"" + std::string(text)
                   + "\"; write at least 4k, and at most 64m";
        }
        terms.buffer = static_cast<std::size_t>(bytes);
        return {};
    }
    if (text = value_of(word, "flush="); !text.empty() && !terms.flush) {
        ngx_str_t time = to_ngx_str(text);
        ngx_int_t ms = ngx_parse_time(&time, 0);
        if (ms <= 0 || ms > kLongestFlush) {
            return "invalid flush time \"" + std::string(text)
                   + "\"; write one such as flush=1s, and at most 1d";
        }
        terms.flush = static_cast<ngx_msec_t>(ms);
        return {};
    }
    return "unknown or repeated parameter \"" + std::string(word)
           + "\"; write format=json, buffer=size or flush=time";
}

// A word that means no path: on, and off in other letters.
bool is_switch(std::string_view word)
{
    std::string small(word);
    for (char &letter : small) {
        letter = static_cast<char>(ngx_tolower(letter));
    }
    return small == "on" || small == "off";
}

char *set_ledger(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    std::string_view target = view(arguments(cf)[1]);
    if (lcf->ledger_written) {
        return const_cast<char *>("is duplicate");
    }
    lcf->ledger_written = true;
    if (target == "off") {
        return cf->args->nelts == 2
                   ? NGX_CONF_OK
                   : conf_error(cf, "\"x402_ledger off\" stands alone");
    }
    std::string error = validate_variable("x402_ledger", target);
    if (error.empty() && (target.empty() || is_switch(target))) {
        error = "\"x402_ledger\" needs a path, syslog:... or off";
    }
    LedgerTerms terms;
    bool is_syslog = target.substr(0, kSyslog.size()) == kSyslog;
    for (ngx_uint_t i = 2; error.empty() && i < cf->args->nelts; i++) {
        error = read_parameter(view(arguments(cf)[i]), terms);
    }
    if (error.empty() && is_syslog && (terms.buffer || terms.flush)) {
        error = "syslog is sent line by line: no buffer= and no flush= there";
    }
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    if (terms.flush != 0 && terms.buffer == 0) {
        terms.buffer = kDefaultBuffer;
    } else if (terms.buffer != 0 && terms.flush == 0) {
        terms.flush = kDefaultFlush;
    }
    ngx_str_t path = arguments(cf)[1];
    if (!is_syslog && ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    terms.target = copy(path);
    lcf->ledger = find_or_add_ledger(cf, std::move(terms));
    lcf->ledger_used = record_setting(
        cf, "x402_ledger has no effect: no location that it is written for has "
            "a price; write the price there, or remove the ledger");
    return lcf->ledger && lcf->ledger_used
               ? NGX_CONF_OK
               : static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_ledger(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_ledger, conf);
}
