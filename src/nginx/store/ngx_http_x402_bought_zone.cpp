// SPDX-License-Identifier: Apache-2.0
// The file is an image of the table: a cell is written over its place by one
// pwrite(2) under the zone's lock. It is not flushed to the disk for each
// payment: what a loss of power takes costs its payer a payment.
#include "nginx/store/ngx_http_x402_bought_zone.hpp"

#include <cstring>

#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/store/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

constexpr std::string_view kDefaultZone = "x402_bought";
constexpr std::size_t kDefaultBytes = 1024 * 1024;

// nginx: zones of one tag are one kind; its address says which.
char zone_tag;

// Of one configuration; the workers inherit the open file.
struct BoughtFile {
    std::string path;  // empty: none
    ngx_fd_t fd = NGX_INVALID_FILE;
    bool failed = false;  // said once for each worker

    BoughtFile() = default;
    ~BoughtFile()
    {
        if (fd != NGX_INVALID_FILE) {
            ngx_close_file(fd);
        }
    }
    BoughtFile(const BoughtFile &) = delete;
    BoughtFile &operator=(const BoughtFile &) = delete;
};

BoughtFile &file_of(const ngx_shm_zone_t *zone)
{
    return *static_cast<BoughtFile *>(zone->data);
}

u_char *table_of(const ngx_shm_zone_t *zone)
{
    return zone->shm.addr + kZoneHeader;
}

std::size_t table_bytes(const ngx_shm_zone_t *zone)
{
    return zone->shm.size - kZoneHeader;
}

// Bad input: the file is written anew, so it must not be another program's. One
// cell may be torn by a loss of power; a file of foreign bytes has no other.
bool is_own_file(const BoughtFile &file)
{
    char bytes[BoughtTable::kCellBytes];
    bool foreign = false;
    ssize_t got;
    for (off_t at = 0; (got = pread(file.fd, bytes, sizeof(bytes), at)) > 0;
         at += static_cast<off_t>(sizeof(bytes))) {
        switch (BoughtTable::kind_of({bytes, static_cast<std::size_t>(got)})) {
        case BoughtTable::CellKind::whole:
            return true;
        case BoughtTable::CellKind::foreign:
            foreign = true;
            break;
        case BoughtTable::CellKind::empty:
            break;
        }
    }
    return !foreign;
}

bool open_file(ngx_shm_zone_t *zone)
{
    BoughtFile &file = file_of(zone);
    if (file.path.empty()) {
        return true;
    }
    file.fd = ngx_open_file(file.path.c_str(), NGX_FILE_RDWR,
                            NGX_FILE_CREATE_OR_OPEN, 0600);
    if (file.fd == NGX_INVALID_FILE) {
        std::string why = std::strerror(ngx_errno);
        log_line(NGX_LOG_EMERG, zone->shm.log,
                 "file \"" + file.path
                     + "\" of x402_sign_in cannot be opened: " + why);
        return false;
    }
    if (!is_own_file(file)) {
        log_line(NGX_LOG_EMERG, zone->shm.log,
                 "file \"" + file.path
                     + "\" is not one of x402_sign_in, and would be "
                       "overwritten; write another path after file=");
        return false;
    }
    return true;
}

bool write_cell(const BoughtFile &file, const BoughtTable &table,
                std::size_t cell)
{
    std::string_view bytes = table.bytes_of(cell);
    auto at = static_cast<off_t>(cell * BoughtTable::kCellBytes);
    return pwrite(file.fd, bytes.data(), bytes.size(), at)
           == static_cast<ssize_t>(bytes.size());
}

// What an earlier nginx remembered; the table may have another size now, so
// that it is written anew.
void read_file(ngx_shm_zone_t *zone, BoughtTable &table)
{
    const BoughtFile &file = file_of(zone);
    char bytes[BoughtTable::kCellBytes];
    std::size_t restored = 0;
    for (off_t at = 0; pread(file.fd, bytes, sizeof(bytes), at)
                       == static_cast<ssize_t>(sizeof(bytes));
         at += static_cast<off_t>(sizeof(bytes))) {
        restored += table.restore({bytes, sizeof(bytes)}, ngx_time()) ? 1 : 0;
    }
    bool whole = ftruncate(file.fd, 0) == 0;
    for (std::size_t cell = 0; whole && cell < table.cells(); cell++) {
        whole = write_cell(file, table, cell);
    }
    log_line(whole ? NGX_LOG_NOTICE : NGX_LOG_CRIT, zone->shm.log,
             whole ? std::to_string(restored) + " purchases read from \""
                         + file.path + "\""
                   : "file \"" + file.path
                         + "\" of x402_sign_in cannot be written: purchases "
                           "are forgotten with the next restart; make room");
}

bool begin(ngx_shm_zone_t *zone, bool used)
{
    if (!open_file(zone)) {
        return false;
    }
    if (used && BoughtTable::recognises(table_of(zone), table_bytes(zone))) {
        return true;
    }
    if (used) {
        ngx_memzero(table_of(zone), table_bytes(zone));
    } else {
        clear_zone_from(zone, table_of(zone));
    }
    BoughtTable::format(table_of(zone), table_bytes(zone));
    if (file_of(zone).fd != NGX_INVALID_FILE && !ngx_test_config) {
        BoughtTable table(table_of(zone));
        read_file(zone, table);
    }
    return true;
}

ngx_int_t on_init(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        bool begun = begin(zone, old_data != nullptr || zone->shm.exists);
        return static_cast<ngx_int_t>(begun ? NGX_OK : NGX_ERROR);
    });
}

}  // namespace

ngx_shm_zone_t *bought_zone(ngx_conf_t *cf,
                            std::optional<std::string_view> written,
                            const std::string &path)
{
    std::string_view word = written.value_or(kDefaultZone);
    std::size_t colon = word.find(':');
    std::size_t bytes = written ? 0 : kDefaultBytes;
    if (colon != std::string_view::npos) {
        ngx_str_t size = to_ngx_str(word.substr(colon + 1));
        ssize_t parsed = ngx_parse_size(&size);
        if (parsed < 32 * 1024) {
            conf_error(cf, "\"zone=" + std::string(word)
                               + "\" needs a size of at least 32k, such as "
                                 "zone=bought:1m");
            return nullptr;
        }
        bytes = static_cast<std::size_t>(parsed);
    }
    ngx_str_t name = pool_copy(cf->pool, word.substr(0, colon));
    if (name.len == 0) {
        conf_error(cf, "\"zone=\" has no name; write zone=bought:1m");
        return nullptr;
    }
    ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, bytes, &zone_tag);
    if (zone == nullptr) {
        return nullptr;
    }
    if (zone->data == nullptr) {
        zone->init = on_init;
        zone->data = pool_new<BoughtFile>(cf->pool);
        if (zone->data == nullptr) {
            return nullptr;
        }
    }
    BoughtFile &file = file_of(zone);
    if (!path.empty() && !file.path.empty() && file.path != path) {
        conf_error(cf, "zone \"" + copy(name) + "\" has the file \"" + file.path
                           + "\" already; write another zone=");
        return nullptr;
    }
    file.path = path.empty() ? file.path : path;
    return zone;
}

void remember_bought(ngx_shm_zone_t *zone, const BoughtKey &key,
                     const AmountBytes &asked, std::int64_t until,
                     ngx_log_t *log)
{
    BoughtFile &file = file_of(zone);
    bool written = true;
    {
        ZoneLock lock(zone);
        BoughtTable table(table_of(zone));
        auto cell = table.remember(key, asked, until, ngx_time());
        if (cell && file.fd != NGX_INVALID_FILE) {
            written = write_cell(file, table, *cell);
        }
    }
    if (!written && !file.failed) {
        log_line(NGX_LOG_CRIT, log,
                 "file \"" + file.path
                     + "\" of x402_sign_in cannot be written: purchases are "
                       "forgotten with the next restart; make room");
    }
    file.failed = !written;
}

std::optional<AmountBytes>
find_bought(ngx_shm_zone_t *zone, const BoughtKey &key, std::int64_t &until)
{
    ZoneLock lock(zone);
    return BoughtTable(table_of(zone)).find(key, ngx_time(), until);
}

}  // namespace x402
