// SPDX-License-Identifier: Apache-2.0
#include "nginx/zone/ngx_http_x402_zone.hpp"

#include <algorithm>
#include <csignal>
#include <memory>

#include "base/token_signature.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"
#include "session/claim_change.hpp"

namespace x402 {

namespace {

// What a zone is cut into: the table of claims, after it the names of payments
// (a sixteenth), and the cache of what facilitators support, if the zone is
// large enough for one. All lie after nginx's slab header; the slab allocator
// itself is never used.
struct ZoneParts {
    explicit ZoneParts(std::size_t zone_bytes)
        : cache(SupportedCache::shape_in(zone_bytes - kZoneHeader))
    {
        static_assert(sizeof(ngx_slab_pool_t) <= kZoneHeader);
        std::size_t whole = (zone_bytes - kZoneHeader) / 8 * 8;
        names_bytes = std::max(whole / 16 / 8 * 8, PaymentIds::least_bytes());
        table_bytes = whole - names_bytes - cache.bytes();
    }

    static u_char *table_of(const ngx_shm_zone_t *zone)
    {
        return zone->shm.addr + kZoneHeader;
    }
    u_char *names_of(const ngx_shm_zone_t *zone) const
    {
        return table_of(zone) + table_bytes;
    }
    u_char *cache_of(const ngx_shm_zone_t *zone) const
    {
        return names_of(zone) + names_bytes;
    }

    SupportedCache::Shape cache;
    std::size_t names_bytes;
    std::size_t table_bytes;
};

bool refuse_zone(ngx_shm_zone_t *zone, const std::string &why)
{
    log_line(NGX_LOG_EMERG, zone->shm.log,
             "zone \"" + copy(zone->shm.name) + "\" " + why);
    return false;
}

// A zone of another name or size would be a new, empty one, and payments would
// be forgotten: refused, the old configuration stays.
const ngx_shm_zone_t *zone_before(const ngx_shm_zone_t *zone)
{
    auto *part = &ngx_cycle->shared_memory.part;
    for (; part; part = part->next) {
        auto *old = static_cast<ngx_shm_zone_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (old[i].tag == zone->tag && old[i].shm.addr != nullptr) {
                return &old[i];
            }
        }
    }
    return nullptr;
}

// What `data` of the module's zone points to, in the pool of its configuration.
struct ZoneData {
    std::unique_ptr<JournalFile> journal;  // as x402_zone names it
    bool sync = false;                     // it is brought to the disk
    std::unique_ptr<PaymentIds> names;     // in a worker, as the next
    std::unique_ptr<ClaimTable> table;
};

ZoneData *data_of(const ngx_shm_zone_t *zone)
{
    return static_cast<ZoneData *>(zone->data);
}

// The table exists; its journal is replayed, or continues. A configuration test
// opens nothing.
bool init_journal(ngx_shm_zone_t *zone, void *table_memory, bool used_before)
{
    JournalFile *journal = data_of(zone)->journal.get();
    if (journal == nullptr) {
        return !used_before
               || ClaimTable::journal_identity(table_memory) == Digest()
               || refuse_zone(zone, "has a journal that cannot be removed on "
                                    "reload; restart nginx, or write "
                                    "journal= again");
    }
    std::string why;
    if (ngx_test_config) {
        why = journal->validate();
    } else if (used_before) {
        why = journal->resume(table_memory);
    } else {
        ClaimTable table(table_memory, process_is_alive);
        why = journal->begin(table, zone->shm.log);
    }
    if (why.empty()) {
        return true;
    }
    log_line(NGX_LOG_EMERG, zone->shm.log, why);
    return false;
}

// Judged by what is in the memory, never by what an earlier build of the module
// left in `data`.
bool recognises_zone(const ngx_shm_zone_t *zone, const ZoneParts &parts)
{
    return ClaimTable::recognises(ZoneParts::table_of(zone), parts.table_bytes)
           && PaymentIds::recognises(parts.names_of(zone), parts.names_bytes)
           && (parts.cache.places == 0
               || SupportedCache::recognises(parts.cache_of(zone),
                                             parts.cache));
}

bool init_zone(ngx_shm_zone_t *zone, bool used_before)
{
    ZoneParts parts(zone->shm.size);
    if (used_before) {
        return (recognises_zone(zone, parts)
                || refuse_zone(zone,
                               "was made by another build of this module; "
                               "restart nginx to begin a new one"))
               && init_journal(zone, ZoneParts::table_of(zone), true);
    }
    if (const ngx_shm_zone_t *old = zone_before(zone)) {
        return refuse_zone(zone,
                           "cannot replace zone \"" + copy(old->shm.name)
                               + "\" on reload: neither name nor size of "
                                 "x402_zone may change, or payments would be "
                                 "forgotten; restart nginx, or write the old "
                                 "ones");
    }
    clear_zone_from(zone, ZoneParts::table_of(zone));
    if (parts.cache.places != 0) {
        SupportedCache::format(parts.cache_of(zone), parts.cache);
    }
    if (!ClaimTable::format(ZoneParts::table_of(zone), parts.table_bytes)
        || !PaymentIds::format(parts.names_of(zone), parts.names_bytes)) {
        return refuse_zone(zone, "is too small");
    }
    std::uint64_t secret = 0;
    if (fill_random(&secret, sizeof(secret))) {
        PaymentIds::use_secret(parts.names_of(zone), secret);
    }
    return init_journal(zone, ZoneParts::table_of(zone), false);
}

ngx_int_t init_zone_hook(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        bool used_before = old_data != nullptr || zone->shm.exists;
        return static_cast<ngx_int_t>(init_zone(zone, used_before) ? NGX_OK
                                                                   : NGX_ERROR);
    });
}

}  // namespace

bool process_is_alive(std::int64_t process)
{
    return kill(static_cast<pid_t>(process), 0) == 0 || ngx_errno == NGX_EPERM;
}

void clear_zone_from(const ngx_shm_zone_t *zone, u_char *begin)
{
    u_char *end = zone->shm.addr + zone->shm.size;
#if !(NGX_DEBUG_MALLOC)
    end = reinterpret_cast<ngx_slab_pool_t *>(zone->shm.addr)->start;
#endif
    if (end > begin) {
        ngx_memzero(begin, static_cast<std::size_t>(end - begin));
    }
}

std::size_t least_zone_bytes()
{
    return 64 * 1024;
}

ngx_shm_zone_t *add_zone(ngx_conf_t *cf, ngx_str_t name, std::size_t bytes,
                         const std::string &journal, bool sync)
{
    ngx_shm_zone_t *zone =
        ngx_shared_memory_add(cf, &name, bytes, &ngx_http_x402_module);
    if (zone == nullptr) {
        return nullptr;
    }
    auto *data = pool_new<ZoneData>(cf->cycle->pool);
    if (data == nullptr) {
        return nullptr;
    }
    if (!journal.empty()) {
        data->journal = std::make_unique<JournalFile>(journal);
        data->sync = sync;
    }
    zone->init = init_zone_hook;
    zone->data = data;  // never nullptr: seen again after a reload
    if (ngx_test_config && !ngx_quiet_mode) {
        // As nginx says "syntax is ok": a notice would not reach the terminal.
        std::size_t claims =
            ClaimTable::capacity_of(ZoneParts(bytes).table_bytes);
        ngx_log_stderr(0, "x402: zone \"%V\" holds %uz claims", &name, claims);
    }
    return zone;
}

bool has_journal(const ngx_shm_zone_t *zone)
{
    return data_of(zone)->journal != nullptr;
}

bool syncs_journal(const ngx_shm_zone_t *zone)
{
    return data_of(zone)->sync;
}

JournalFile *journal_of(const ngx_shm_zone_t *zone)
{
    return data_of(zone)->journal.get();
}

LockedClaims::LockedClaims(ngx_shm_zone_t *zone)
    : lock_(zone), table_(data_of(zone)->table.get())
{
}

const ClaimMemory *claims_to_count(const ngx_shm_zone_t *zone)
{
    return &data_of(zone)->table->memory();
}

PaymentIds payment_ids_in(ngx_shm_zone_t *zone)
{
    return PaymentIds(ZoneParts(zone->shm.size).names_of(zone));
}

std::optional<SupportedCache> cache_in(ngx_shm_zone_t *zone)
{
    ZoneParts parts(zone->shm.size);
    if (parts.cache.places == 0) {
        return std::nullopt;
    }
    return SupportedCache(parts.cache_of(zone), process_is_alive);
}

ZoneLock::ZoneLock(ngx_shm_zone_t *zone)
    : pool_(reinterpret_cast<ngx_slab_pool_t *>(zone->shm.addr))
{
    ngx_shmtx_lock(&pool_->mutex);
}

ZoneLock::~ZoneLock()
{
    ngx_shmtx_unlock(&pool_->mutex);
}

ClaimOwner enter_zone(ngx_shm_zone_t *zone)
{
    ZoneData *data = data_of(zone);
    data->table = std::make_unique<ClaimTable>(ZoneParts::table_of(zone),
                                               process_is_alive);
    data->names =
        std::make_unique<PaymentIds>(ZoneParts(zone->shm.size).names_of(zone));
    data->table->use_names(data->names.get());
    data->table->journal().use(data->journal.get());
    LockedClaims claims(zone);
    return claims->attach(ngx_pid, ngx_time());
}

void leave_zone(ngx_shm_zone_t *zone, ClaimOwner owner)
{
    {
        LockedClaims claims(zone);
        claims->detach(owner, ngx_time());
    }
    data_of(zone)->table.reset();
}

void apply_claim_change(ngx_shm_zone_t *zone, ClaimRef claim,
                        ClaimChange change)
{
    // Most steps change nothing of a claim: no need for the lock.
    if (claim && change != ClaimChange::keep) {
        apply_claim_change(*LockedClaims(zone), claim, change, ngx_time());
    }
}

}  // namespace x402
