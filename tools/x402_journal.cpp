// SPDX-License-Identifier: Apache-2.0
// x402-journal: looks into the journal of x402_zone, also while nginx writes
// it. It opens journals for reading only; the one file that it writes is a
// backup, which must not exist before. See docs/journal.md.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "base/json_text.hpp"
#include "base/module_version.hpp"
#include "base/utc_time.hpp"
#include "policy/asset_table.hpp"
#include "session/claim.hpp"
#include "session/claim_journal.hpp"

namespace {

using namespace x402;

constexpr int kFound = 0;
constexpr int kTrouble = 1;
constexpr int kWrongUse = 2;

constexpr int kAttempts = 3;
constexpr useconds_t kPauseMicroseconds = 100000;
constexpr std::size_t kShortestId = 4;

constexpr const char *kUsage =
    "usage: x402-journal list FILE              payments unknown or owed\n"
    "       x402-journal show FILE ID           all that is kept of a payment\n"
    "       x402-journal verify FILE            whether the journal is whole\n"
    "       x402-journal export [--json] FILE   all payments, one line each\n"
    "       x402-journal backup FILE COPY       a copy that nginx can start "
    "from\n"
    "FILE is the path of journal=; its second file FILE.2 is read with it.\n"
    "ID is $x402_payment_id, or its first digits, at least four.\n";

int complain(const std::string &sentence)
{
    std::fprintf(stderr, "x402-journal: %s\n", sentence.c_str());
    return kTrouble;
}

// False: errno says why not. A pipe or a device would be read without end.
bool read_file(const std::string &path, std::string &bytes)
{
    int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return false;
    }
    struct stat about;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(file);
        errno = EINVAL;
        return false;
    }
    char part[65536];
    ssize_t got;
    while ((got = read(file, part, sizeof(part))) > 0) {
        bytes.append(part, static_cast<std::size_t>(got));
    }
    close(file);
    return got == 0;
}

// The file of the two that counts.
struct Journal {
    std::string path;
    std::string bytes;
    JournalSummary summary;
};

bool read_both(const std::string &path, Journal &first, Journal &second)
{
    first = {path, {}, {}};
    second = {path + ".2", {}, {}};
    bool has_first = read_file(first.path, first.bytes);
    int trouble = errno;
    bool has_second = read_file(second.path, second.bytes);
    if (!has_second && errno != ENOENT) {
        complain("\"" + second.path
                 + "\" cannot be read: " + std::strerror(errno));
        return false;
    }
    if (!has_first && (trouble != ENOENT || !has_second)) {
        complain("\"" + path + "\" cannot be read: " + std::strerror(trouble));
        return false;
    }
    first.summary = journal_summary(first.bytes);
    second.summary = journal_summary(second.bytes);
    return true;
}

bool load(const std::string &path, Journal &journal)
{
    // What nginx is writing in this moment is whole in the next.
    for (int attempt = 0; attempt < kAttempts; attempt++) {
        Journal first;
        Journal second;
        if (!read_both(path, first, second)) {
            return false;
        }
        if (!first.summary.is_journal || !second.summary.is_journal) {
            complain("\"" + path
                     + "\" is not a journal of this version of the module");
            return false;
        }
        journal = newer_journal(first.summary, second.summary) == 0
                      ? std::move(first)
                      : std::move(second);
        if (journal.summary.skipped == 0 && journal.summary.complete) {
            break;
        }
        usleep(kPauseMicroseconds);
    }
    return true;
}

// What is wrong with it; empty: nothing.
std::string fault_of(const Journal &journal)
{
    if (journal.bytes.empty()) {
        return "\"" + journal.path
               + "\" is empty: nginx fills it when it starts";
    }
    if (journal.summary.skipped != 0) {
        return std::to_string(journal.summary.skipped)
               + " bytes are not part of a record: nginx was killed while it "
                 "wrote them, or the disk was full; nginx passes over them";
    }
    return journal.summary.complete
               ? ""
               : "\"" + journal.path
                     + "\" is not complete: its end was cut off";
}

// By payment, what the last record says; in the order of their ids.
std::map<Digest, JournalRecord> last_records(const Journal &journal)
{
    std::map<Digest, JournalRecord> last;
    JournalReader reader(
        std::string_view(journal.bytes).substr(journal.summary.counts_from));
    JournalRecord record;
    while (reader.next(record)) {
        if (tells_of_claim(record.kind)) {
            last[record.key] = record;
        } else if (record.kind == JournalKind::freed) {
            last.erase(record.key);
        }
    }
    return last;
}

std::string id_of(const JournalRecord &record)
{
    return hex_encode(record.key.data(), record.key.size());
}

// As a start of nginx reads the state: what was on its way is unknown, and
// content that was charged and not recorded as delivered is owed.
std::string state_of(const JournalRecord &record)
{
    auto state = static_cast<ClaimState>(record.state);
    switch (state) {
    case ClaimState::settling:
        return "unknown";
    case ClaimState::paid:
        return "owed";
    default:
        return record.state <= static_cast<std::uint32_t>(ClaimState::closed)
                   ? claim_state_name(state)
                   : "invalid";
    }
}

std::string amount_of(const JournalRecord &record, bool decimal)
{
    std::string atomic = atomic_amount_text(record.binding.paid);
    const Asset *asset = find_asset_by_address(record.network, record.asset);
    if (!decimal) {
        return atomic;
    }
    return asset ? to_decimal(atomic, asset->decimals) + " "
                       + std::string(asset->symbol)
                 : atomic + " units";
}

std::string time_text(std::int64_t seconds)
{
    return seconds == 0 ? "-" : rfc3339_utc(seconds * 1000).substr(0, 19) + "Z";
}

// Printable, whatever a facilitator wrote.
std::string shown(std::string_view text)
{
    std::string json;
    append_json_string(json, text);
    return text.empty() ? "-" : json.substr(1, json.size() - 2);
}

void print_row(const JournalRecord &record)
{
    std::printf("%s  %-9s  %s  %-20s  %-24s  %s\n",
                id_of(record).substr(0, 16).c_str(), state_of(record).c_str(),
                time_text(record.changed).c_str(),
                amount_of(record, true).c_str(), shown(record.network).c_str(),
                shown(record.payer_text).c_str());
}

std::string counted(std::size_t count, const char *thing)
{
    return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

int list(const Journal &journal)
{
    std::size_t found = 0;
    for (const auto &[key, record] : last_records(journal)) {
        std::string state = state_of(record);
        if (state == "unknown" || state == "owed") {
            if (found++ == 0) {
                std::printf("%-16s  %-9s  %-20s  %-20s  %-24s  %s\n", "payment",
                            "state", "changed", "amount", "network", "payer");
            }
            print_row(record);
        }
    }
    std::printf("%s\n", found == 0 ? "No payment is unknown, and nothing is "
                                     "owed."
                                   : counted(found, "payment").c_str());
    return kFound;
}

void put(std::string &json, const char *key, std::string_view value)
{
    append_json_key(json, key);
    if (value.empty()) {
        json += "null";
    } else {
        append_json_string(json, value);
    }
}

void put_time(std::string &json, const char *key, std::int64_t seconds)
{
    put(json, key, seconds == 0 ? "" : time_text(seconds));
}

std::string json_of(const JournalRecord &record, bool whole)
{
    std::string json = "{";
    put(json, "payment_id", id_of(record));
    put(json, "state", state_of(record));
    put(json, "network", record.network);
    put(json, "asset", record.asset);
    put(json, "payer", record.payer_text);
    put(json, "amount", amount_of(record, false));
    const Asset *asset = find_asset_by_address(record.network, record.asset);
    put(json, "symbol", asset ? asset->symbol : "");
    put(json, "amount_decimal",
        asset ? to_decimal(amount_of(record, false), asset->decimals) : "");
    put_time(json, "changed", record.changed);
    put_time(json, "settle_started", record.settle_started);
    put_time(json, "expires", record.expires);
    append_json_key(json, "executions");
    json += std::to_string(record.executions);
    put(json, "receipt", record.receipt);
    if (whole) {
        put(json, "settle_request", record.settle);
    }
    return json + "}";
}

int export_all(const Journal &journal)
{
    for (const auto &[key, record] : last_records(journal)) {
        std::printf("%s\n", json_of(record, false).c_str());
    }
    return kFound;
}

// `id`: in lower case.
int show(const Journal &journal, std::string_view id)
{
    JournalReader reader(journal.bytes);
    JournalRecord record;
    std::size_t found = 0;
    while (reader.next(record)) {
        bool of_payment =
            tells_of_claim(record.kind) || record.kind == JournalKind::freed;
        if (!of_payment || id_of(record).substr(0, id.size()) != id) {
            continue;
        }
        found++;
        if (record.kind == JournalKind::freed) {
            std::printf("{\"payment_id\":\"%s\",\"state\":\"free\"}\n",
                        id_of(record).c_str());
        } else {
            std::printf("%s\n", json_of(record, true).c_str());
        }
    }
    return found != 0 ? kFound
                      : complain("no payment \"" + std::string(id) + "\" in \""
                                 + journal.path + "\"");
}

int verify(const Journal &journal)
{
    std::printf("%s: %zu bytes, %s, %s, edition %llu\n", journal.path.c_str(),
                journal.bytes.size(),
                counted(journal.summary.records, "record").c_str(),
                counted(last_records(journal).size(), "payment").c_str(),
                static_cast<unsigned long long>(journal.summary.edition));
    return kFound;
}

int backup(const Journal &journal, const std::string &to)
{
    if (!journal.summary.complete) {
        return complain("nothing was copied");
    }
    // Whole records only: nginx may be writing the last one.
    std::string bytes;
    JournalReader reader(journal.bytes);
    JournalRecord record;
    while (reader.next(record)) {
        bytes += journal_bytes(record);
    }
    int file = open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return complain("\"" + to
                        + "\" cannot be made: " + std::strerror(errno));
    }
    std::size_t done = 0;
    while (done < bytes.size()) {
        ssize_t written = write(file, bytes.data() + done, bytes.size() - done);
        if (written <= 0) {
            break;
        }
        done += static_cast<std::size_t>(written);
    }
    bool good = done == bytes.size() && fsync(file) == 0;
    int problem = errno;
    close(file);
    if (!good) {
        unlink(to.c_str());
        return complain("\"" + to
                        + "\" cannot be written: " + std::strerror(problem));
    }
    std::printf("%s: %zu bytes\n", to.c_str(), bytes.size());
    return kFound;
}

// Or its beginning.
bool is_id(std::string_view text)
{
    return text.size() >= kShortestId
           && std::all_of(text.begin(), text.end(), [](unsigned char digit) {
                  return std::isxdigit(digit) != 0;
              });
}

std::string lower_case(std::string text)
{
    for (char &letter : text) {
        letter =
            static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    return text;
}

int wrong_use()
{
    std::fputs(kUsage, stderr);
    return kWrongUse;
}

int run(const std::vector<std::string> &words)
{
    std::string command = words.empty() ? "" : words[0];
    std::size_t operands = command == "show" || command == "backup" ? 2 : 1;
    std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1),
                                  words.end());
    if (command == "export" && !rest.empty() && rest[0] == "--json") {
        rest.erase(rest.begin());
    }
    if (command == "--version") {
        std::printf("x402-journal %s\n", NGX_HTTP_X402_VERSION);
        return kFound;
    }
    if (command == "--help") {
        std::fputs(kUsage, stdout);
        return kFound;
    }
    bool known = command == "list" || command == "show" || command == "verify"
                 || command == "export" || command == "backup";
    Journal journal;
    if (!known || rest.size() != operands
        || (command == "show" && !is_id(rest[1]))) {
        return wrong_use();
    }
    if (!load(rest[0], journal)) {
        return kTrouble;
    }
    std::string fault = fault_of(journal);
    if (!fault.empty()) {
        complain(fault);
    }
    int result = command == "list"     ? list(journal)
                 : command == "show"   ? show(journal, lower_case(rest[1]))
                 : command == "verify" ? verify(journal)
                 : command == "export" ? export_all(journal)
                                       : backup(journal, rest[1]);
    if (std::fflush(stdout) != 0) {
        return complain(std::string("the output cannot be written: ")
                        + std::strerror(errno));
    }
    return fault.empty() ? result : kTrouble;
}

}  // namespace

int main(int count, char **words)
{
    try {
        return run(std::vector<std::string>(words + 1, words + count));
    } catch (const std::exception &problem) {
        return complain(problem.what());
    }
}
