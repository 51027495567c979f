// SPDX-License-Identifier: Apache-2.0
// The file is an image of the table: a cell is written over its place by one
// pwrite(2) under the zone's lock. It is not flushed to the disk for each
// payment: what a loss of power takes costs its payer a payment.
#include "nginx/zone/ngx_http_x402_bought_zone.hpp"

#include <cstring>

#include "base/token_signature.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

namespace x402 {

namespace {

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

// Bad input: the file is rewritten, so it must not be another program's. One
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
            // The last cell may be cut off where its disk was full.
            foreign = foreign || at == 0 || got == sizeof(bytes);
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
    if (file.path.empty() || (ngx_test_config && could_be_made(file.path))) {
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

bool write_cell(const BoughtFile &file, std::string_view bytes,
                std::size_t cell)
{
    auto at = static_cast<off_t>(cell * BoughtTable::kCellBytes);
    return pwrite(file.fd, bytes.data(), bytes.size(), at)
           == static_cast<ssize_t>(bytes.size());
}

template <class Visit> void each_cell(const BoughtFile &file, Visit visit)
{
    char bytes[BoughtTable::kCellBytes];
    for (off_t at = 0; pread(file.fd, bytes, sizeof(bytes), at)
                       == static_cast<ssize_t>(sizeof(bytes));
         at += static_cast<off_t>(sizeof(bytes))) {
        visit(std::string_view(bytes, sizeof(bytes)));
    }
}

// What an earlier nginx remembered, and where: another one may still write to
// its file. The table may have another size now, so that it is rewritten.
void read_file(ngx_shm_zone_t *zone, BoughtTable &table)
{
    const BoughtFile &file = file_of(zone);
    each_cell(file, [&](std::string_view bytes) {
        if (auto secret = BoughtTable::secret_in(bytes)) {
            table.use_secret(*secret);
        }
    });
    std::size_t restored = 0;
    each_cell(file, [&](std::string_view bytes) {
        restored += table.restore(bytes, ngx_time()) ? 1 : 0;
    });
    bool whole = ftruncate(file.fd, 0) == 0;
    for (std::size_t cell = 0; whole && cell < table.cells(); cell++) {
        whole = write_cell(file, table.bytes_of(cell), cell);
    }
    whole = whole && write_cell(file, table.secret_cell(), table.cells());
    log_line(whole ? NGX_LOG_NOTICE : NGX_LOG_CRIT, zone->shm.log,
             whole ? std::to_string(restored) + " purchases read from \""
                         + file.path + "\""
                   : "file \"" + file.path
                         + "\" of x402_sign_in cannot be written: purchases "
                           "are lost at the next restart; free disk space");
}

ngx_int_t on_init(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        if (!open_file(zone)) {
            return static_cast<ngx_int_t>(NGX_ERROR);
        }
        if (!begin_table<BoughtTable>(zone, old_data)) {
            return static_cast<ngx_int_t>(NGX_OK);
        }
        BoughtTable table(table_of(zone));
        BoughtSecret secret{};
        // Without random bytes thieves can choose places, and no more.
        if (fill_random(secret.data(), secret.size())) {
            table.use_secret(secret);
        }
        if (file_of(zone).fd != NGX_INVALID_FILE && !ngx_test_config) {
            read_file(zone, table);
        }
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

const TableZoneKind kKind = {"x402_bought", "bought:1m", on_init};

template <class Visit>
void each_bought_zone(const ngx_cycle_t &cycle, Visit &&visit)
{
    for (const ngx_list_part_t *part = &cycle.shared_memory.part; part;
         part = part->next) {
        auto *zones = static_cast<const ngx_shm_zone_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (zones[i].init == on_init && zones[i].data) {
                visit(zones[i]);
            }
        }
    }
}

// Each zone writes the whole of its file.
bool is_file_of_another(ngx_conf_t *cf, const ngx_shm_zone_t &own,
                        const std::string &path)
{
    bool found = false;
    each_bought_zone(*cf->cycle, [&](const ngx_shm_zone_t &zone) {
        found = found || (&zone != &own && file_of(&zone).path == path);
    });
    return found;
}

}  // namespace

std::vector<std::string> bought_files(const ngx_cycle_t &cycle)
{
    std::vector<std::string> files;
    each_bought_zone(cycle, [&](const ngx_shm_zone_t &zone) {
        if (!file_of(&zone).path.empty()) {
            files.push_back(file_of(&zone).path);
        }
    });
    return files;
}

ngx_shm_zone_t *bought_zone(ngx_conf_t *cf,
                            std::optional<std::string_view> written,
                            const std::string &path)
{
    ngx_shm_zone_t *zone = add_table_zone(cf, kKind, written);
    if (zone == nullptr) {
        return nullptr;
    }
    if (zone->data == &kKind) {
        zone->data = pool_new<BoughtFile>(cf->pool);
        if (zone->data == nullptr) {
            return nullptr;
        }
    }
    BoughtFile &file = file_of(zone);
    if (!path.empty() && is_file_of_another(cf, *zone, path)) {
        conf_error(cf, "file \"" + path
                           + "\" is that of another zone= of x402_sign_in; "
                             "write one file for each");
        return nullptr;
    }
    if (!path.empty() && !file.path.empty() && file.path != path) {
        conf_error(cf, "zone \"" + copy(zone->shm.name) + "\" has the file \""
                           + file.path + "\" already; write another zone=");
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
            written = write_cell(file, table.bytes_of(*cell), *cell);
        }
    }
    if (!written && !file.failed) {
        log_line(NGX_LOG_CRIT, log,
                 "file \"" + file.path
                     + "\" of x402_sign_in cannot be written: purchases are "
                       "lost at the next restart; free disk space");
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
