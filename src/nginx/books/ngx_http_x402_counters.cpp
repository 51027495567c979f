// SPDX-License-Identifier: Apache-2.0
#include "nginx/books/ngx_http_x402_counters.hpp"

#include <algorithm>

#include "base/utf8_text.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

// An operator cannot write a zone of this name.
constexpr std::string_view kZoneName = "x402:books";
constexpr std::size_t kLongestLabel = StatusCounters::kLabelBytes;

// nginx: a zone belongs to the module whose tag it has, compared by address.
ngx_uint_t zone_tag;

// What fits, and no part of a letter of UTF-8.
std::string_view whole_letters(std::string_view text, std::size_t most)
{
    if (text.size() > most) {
        while (most > 0
               && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) {
            most--;
        }
    }
    return text.substr(0, most);
}

u_char *block_of(const ngx_shm_zone_t *zone)
{
    constexpr std::size_t kAlignment = 64;
    u_char *behind_header = zone->shm.addr + kZoneHeader;
    return ngx_align_ptr(behind_header, kAlignment);
}

char *set_label(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    ngx_str_t name = arguments(cf)[1];
    if (lcf->label.data != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    std::string error = validate_variable("x402_label", view(name));
    if (error.empty() && (name.len == 0 || name.len > kLongestLabel)) {
        error = "\"x402_label\" must have 1 to " + std::to_string(kLongestLabel)
                + " bytes";
    }
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    lcf->label = name;
    lcf->label_used = record_setting(
        cf, "x402_label has no effect: no location that it is written for has "
            "a price; write the price there, or remove the label");
    return lcf->label_used ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace

ngx_uint_t Books::add_label(std::string_view server, std::string_view label)
{
    // As notes and rows keep them, and as readers see them: two series of one
    // name would spoil a scrape.
    std::string shown_server = shown_name(server);
    std::string shown_label = shown_name(label);
    server = whole_letters(shown_server, StatusCounters::kServerBytes);
    label = whole_letters(shown_label, StatusCounters::kLabelBytes);
    std::string both = std::string(server) + '\0' + std::string(label);
    auto [at, added] = numbers_.emplace(std::move(both), labels_.size());
    if (added) {
        labels_.emplace_back(server, label);
        label_rows_.push_back(StatusCounters::kOther);
        label_series_.push_back(StatusCounters::kOther);
    }
    return at->second;
}

ngx_uint_t Books::find_label(std::string_view server,
                             std::string_view label) const
{
    auto at = numbers_.find(std::string(server) + '\0' + std::string(label));
    return at == numbers_.end() ? 0 : at->second;
}

bool Books::add_zone(ngx_conf_t *cf)
{
    ngx_str_t name = to_ngx_str(kZoneName);
    std::size_t bytes =
        kZoneHeader + 64 + StatusCounters::bytes() + PaymentNotes::bytes();
    zone_ = ngx_shared_memory_add(cf, &name, bytes, &zone_tag);
    if (zone_ == nullptr) {
        return false;
    }
    zone_->init = on_init;
    zone_->data = this;
    if (labels_.size() > StatusCounters::kLabels) {
        log_line(NGX_LOG_WARN, cf->log,
                 std::to_string(labels_.size() - 1)
                     + " locations have a price and a label of their own, and "
                       "x402_status counts "
                     + std::to_string(StatusCounters::kLabels - 1)
                     + ": give locations that belong together the same "
                       "x402_label");
    }
    return true;
}

// Memory of another build is cleared: these are figures, not money.
void Books::begin(ngx_shm_zone_t *zone, bool used_before)
{
    u_char *block = block_of(zone);
    if (!used_before || !StatusCounters::recognises(block)) {
        if (used_before) {
            ngx_memzero(block, StatusCounters::bytes() + PaymentNotes::bytes());
        } else {
            clear_zone_from(zone, block);
        }
        StatusCounters::format(block, ngx_time());
    }
    counters_.emplace(block, 0);
    notes_.emplace(block + StatusCounters::bytes());
    for (const std::string &url : facilitators_) {
        counters_->add_facilitator(url);
    }
    // The first one stands for locations without a label.
    std::vector<std::uint32_t> rows =
        counters_->add_labels({labels_.begin() + 1, labels_.end()});
    std::copy(rows.begin(), rows.end(), label_rows_.begin() + 1);
}

ngx_int_t Books::on_init(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        auto *books = static_cast<Books *>(zone->data);
        bool used_before = old_data != nullptr || zone->shm.exists;
        books->begin(zone, used_before);
        bool shares = used_before || ngx_inherited;
        return static_cast<ngx_int_t>(
            books->open_outbox(shares, zone->shm.log) ? NGX_OK : NGX_ERROR);
    });
}

// A configuration that is only tested opens nothing.
bool Books::open_outbox(bool shares, ngx_log_t *log)
{
    if (outbox_ == nullptr) {
        return true;
    }
    std::string why =
        ngx_test_config ? outbox_->validate() : outbox_->open(shares, log);
    if (!why.empty()) {
        log_line(NGX_LOG_EMERG, log, why);
    }
    return why.empty();
}

void Books::append_event(std::string_view line)
{
    int problem = 0;
    {
        ZoneLock lock(zone_);
        problem = outbox_->append(line) ? 0 : errno;
    }
    if (problem == 0) {
        return;
    }
    counters_->count_lost_event();
    if (outbox_failure_log_.is_due()) {
        errno = problem;
        log_line(NGX_LOG_CRIT, ngx_cycle->log,
                 outbox_->trouble("written")
                     + "; payments go on, and events do not reach the webhook, "
                     + std::to_string(counters_->lost_events())
                     + " so far: free disk space there, and take them from the "
                       "ledger, or from the lines \"payment\" of this log, "
                       "level notice, if the ledger was lost as well");
    }
}

bool Books::turn_outbox()
{
    ZoneLock lock(zone_);
    return outbox_->turn();
}

void Books::clear_former_outbox()
{
    ZoneLock lock(zone_);
    outbox_->clear_former();
}

void Books::recount_outbox()
{
    ZoneLock lock(zone_);
    outbox_->recount();
}

void Books::enter(std::size_t worker)
{
    if (counters_) {
        counters_.emplace(block_of(zone_), worker);
        counters_->use_shard();
    }
}

void Books::count_revenue(ngx_uint_t label, RevenueKey key,
                          const std::array<std::uint8_t, 32> &amount)
{
    std::uint32_t series = series_of(label, key);
    if (series == StatusCounters::kOther && counters_) {
        key.label = row_of_label(label);
        ZoneLock lock(zone_);
        series = counters_->add_revenue(key);
    }
    count_revenue(series, amount);
}

void Books::count_revenue(std::uint32_t series,
                          const std::array<std::uint8_t, 32> &amount)
{
    if (!counters_ || series == StatusCounters::kOther) {
        return;
    }
    std::int64_t day = day_of(ngx_time());
    if (counters_->is_new_day(series, day)) {
        ZoneLock lock(zone_);
        counters_->begin_day(series, day);
    }
    counters_->add_amount(series, amount);
}

std::uint32_t Books::series_of(ngx_uint_t label, RevenueKey key)
{
    if (!counters_) {
        return StatusCounters::kOther;
    }
    key.label = row_of_label(label);
    std::uint32_t &latest = label_series_[label];
    if (latest == StatusCounters::kOther
        || !counters_->is_revenue(latest, key)) {
        latest = counters_->find_revenue(key);
    }
    return latest;
}

std::uint32_t Books::put_note(const Digest &payment, std::string_view text)
{
    if (!notes_) {
        return 0;
    }
    ZoneLock lock(zone_);
    return notes_->put(payment, text, ngx_time());
}

std::string Books::find_note(const Digest &payment)
{
    if (!notes_) {
        return {};
    }
    ZoneLock lock(zone_);
    return notes_->find(payment);
}

void Books::erase_note(const Digest &payment)
{
    if (notes_) {
        ZoneLock lock(zone_);
        notes_->erase(payment);
    }
}

void Books::erase_note_at(std::uint32_t place, const Digest &payment)
{
    if (notes_) {
        notes_->erase_at(place, payment);
    }
}

void Books::publish(const ClaimCensus &census)
{
    if (counters_) {
        ZoneLock lock(zone_);
        counters_->publish(census);
    }
}

namespace {

PricedLocation place_of(const LocationConf &conf,
                        const ngx_http_core_loc_conf_t &clcf,
                        const ngx_http_core_srv_conf_t &cscf)
{
    PricedLocation place;
    place.label = conf.label_number;
    place.by_default = !conf.ledger_written;
    place.ledger = conf.ledger;
    place.path = copy(clcf.name);
    auto *names = static_cast<ngx_http_server_name_t *>(cscf.server_names.elts);
    for (ngx_uint_t i = 0; i < cscf.server_names.nelts; i++) {
        place.servers.push_back(copy(names[i].name));
    }
    bool is_path = clcf.name.len == 0 || clcf.name.data[0] == '/';
#if (NGX_PCRE)
    is_path = is_path && clcf.regex == nullptr;
#endif
    place.match = !is_path           ? PricedLocation::Match::unknown
                  : clcf.exact_match ? PricedLocation::Match::exact
                                     : PricedLocation::Match::prefix;
    return place;
}

}  // namespace

void merge_books(ngx_conf_t *cf, LocationConf &conf, const LocationConf &outer)
{
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    if (!conf.ledger_written) {
        conf.ledger_written = outer.ledger_written;
        conf.ledger = outer.ledger;
        conf.ledger_used = outer.ledger_used;
    }
    if (conf.label.data == nullptr) {
        conf.label = outer.label;
        conf.label_used = outer.label_used;
    }
    if (!conf.has_price()) {
        return;
    }
    // nginx: `if` and `limit_except` are locations without a name.
    bool nameless = clcf->noname && outer.label_number != 0;
    if (conf.label.data == nullptr && nameless) {
        conf.label_number = outer.label_number;
        main_conf(cf)->books->places().add(place_of(conf, *clcf, *cscf));
        return;
    }
    std::string_view label = view(conf.label.data ? conf.label : clcf->name);
    Books &books = *main_conf(cf)->books;
    conf.label_number = books.add_label(view(cscf->server_name),
                                        label.empty() ? "server" : label);
    books.places().add(place_of(conf, *clcf, *cscf));
}

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_label(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_label, conf);
}
