// SPDX-License-Identifier: Apache-2.0
// Files that the module alone may write. Lines of a log in a journal would be
// read as a torn end of it, in a ledger they are not JSON, and a file that
// another one empties would forget payments.
//
// nginx: an error_log of the main level may be configured after http {}, so
// that all files are known when the core modules are asked, after the last line
// was read and before the first file is opened.
#include <vector>

#include "nginx/books/ngx_http_x402_ledger.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"
#include "nginx/zone/ngx_http_x402_bought_zone.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

struct OwnFile {
    FilePlace place;
    const char *owner;
};

// False: an error was printed.
bool is_free(const std::vector<OwnFile> &own, const std::string &path,
             const char *use, ngx_log_t *log)
{
    FilePlace place(path);
    for (const OwnFile &file : own) {
        if (place == file.place) {
            log_line(NGX_LOG_EMERG, log,
                     "\"" + path + "\" belongs to " + file.owner + ", and "
                         + use + "; write another path there");
            return false;
        }
    }
    return true;
}

std::vector<OwnFile> journal_files(const MainConf &mcf)
{
    std::vector<OwnFile> own;
    if (const JournalFile *journal =
            mcf.zone ? journal_of(mcf.zone) : nullptr) {
        for (const char *end :
             {"", ".2", ".lock", ".new", ".events", ".events.2"}) {
            own.push_back(
                {FilePlace(journal->path() + end), "the journal of x402_zone"});
        }
    }
    return own;
}

constexpr const char *kLogged = "a log or ledger is written to it";

// nginx: the one that it opens by itself, where no error_log of the main level
// names a file. That happens after this check.
bool is_default_log_free(const std::vector<OwnFile> &own, ngx_cycle_t *cycle)
{
    ngx_str_t path = cycle->error_log;
    if (path.len == 0 || ngx_log_get_file_log(&cycle->new_log) != nullptr) {
        return true;
    }
    return ngx_conf_full_name(cycle, &path, 0) == NGX_OK
           && is_free(own, copy(path), kLogged, cycle->log);
}

// Ledgers have no name among these yet.
bool are_logs_free(const std::vector<OwnFile> &own, ngx_cycle_t *cycle)
{
    ngx_list_part_t *part = &cycle->open_files.part;
    for (; part != nullptr; part = part->next) {
        auto *files = static_cast<ngx_open_file_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            // nginx: standard error is a file without a name.
            if (files[i].name.len != 0
                && !is_free(own, copy(files[i].name), kLogged, cycle->log)) {
                return false;
            }
        }
    }
    return is_default_log_free(own, cycle);
}

// They are the module's own from here on. What keeps nothing, such as the
// standard output of a container, may have several writers of whole lines.
bool add_ledgers(std::vector<OwnFile> &own, const MainConf &mcf,
                 ngx_cycle_t *cycle)
{
    own.push_back(
        {FilePlace(copy(cycle->conf_file)), "the configuration of nginx"});
    for (const Ledger *ledger : mcf.books->ledgers()) {
        std::string path = ledger->path();
        if (path.empty()) {
            continue;
        }
        if (!is_free(own, path, kLogged, cycle->log)) {
            return false;
        }
        FilePlace place(path);
        if (!place.keeps_nothing) {
            own.push_back({std::move(place), "x402_ledger"});
        }
    }
    return true;
}

bool check_own_files(ngx_cycle_t *cycle, const MainConf &mcf)
{
    std::vector<OwnFile> own = journal_files(mcf);
    for (const std::string &path : bought_files(*cycle)) {
        if (!is_free(own, path, "file= of x402_sign_in names it", cycle->log)) {
            return false;
        }
        own.push_back({FilePlace(path), "x402_sign_in"});
    }
    if (!add_ledgers(own, mcf, cycle)) {
        return false;
    }
    if (own.empty()) {
        return true;
    }
    auto *core = reinterpret_cast<ngx_core_conf_t *>(
        ngx_get_conf(cycle->conf_ctx, ngx_core_module));
    return are_logs_free(own, cycle)
           && is_free(own, copy(core->pid), "pid names it", cycle->log)
           && is_free(own, copy(core->oldpid), "pid makes it", cycle->log);
}

char *init_conf(ngx_cycle_t *cycle)
{
    auto *mcf = static_cast<MainConf *>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module));
    if (mcf == nullptr) {
        return NGX_CONF_OK;  // nothing is sold without http {}
    }
    if (!check_own_files(cycle, *mcf)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (Ledger *ledger : mcf->books->ledgers()) {
        if (!ledger->name_file(cycle)) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

namespace {

char *on_init_conf(ngx_cycle_t *cycle, void *)
{
    return guarded(cycle->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return init_conf(cycle); });
}

ngx_core_module_t context = {ngx_string("x402_files"), nullptr, on_init_conf};

}  // namespace

// It has no directives, and is a core module for that one call.
extern "C" {
extern ngx_module_t ngx_http_x402_files_module;
}

ngx_module_t ngx_http_x402_files_module = {
    NGX_MODULE_V1, &context, nullptr, NGX_CORE_MODULE,
    nullptr,       nullptr,  nullptr, nullptr,
    nullptr,       nullptr,  nullptr, NGX_MODULE_V1_PADDING,
};
