// SPDX-License-Identifier: Apache-2.0
// The counters of x402_status in a shared memory zone of their own, which is
// kept over reloads, and the rows that this configuration's locations and
// facilitators have there.
#ifndef NGX_HTTP_X402_COUNTERS_HPP
#define NGX_HTTP_X402_COUNTERS_HPP

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nginx/books/ngx_http_x402_priced_locations.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_outbox.hpp"
#include "session/payment_notes.hpp"
#include "session/status_counters.hpp"

namespace x402 {

// Of one configuration; made before the first directive is read.
class Books {
public:
    // While the configuration is read: what loc_conf.label_number is.
    ngx_uint_t add_label(std::string_view server, std::string_view label);
    void add_facilitator(std::string url)
    {
        facilitators_.push_back(std::move(url));
    }
    // After it was read; false: an error was printed, or memory ran out.
    bool add_zone(ngx_conf_t *cf);

    // nullptr if there is no zone: nothing is sold and nothing is shown.
    StatusCounters *counters() { return counters_ ? &*counters_ : nullptr; }
    // In a worker, once.
    void enter(std::size_t worker);

    void count(ngx_uint_t label, LabelCounter counter)
    {
        if (counters_) {
            counters_->count(label_rows_[label], counter);
        }
    }
    void count(ngx_uint_t label, RefusalLabel reason)
    {
        if (counters_) {
            counters_->count(label_rows_[label], reason);
        }
    }
    std::uint32_t row_of_label(ngx_uint_t label) const
    {
        return label_rows_[label];
    }
    // Server and label; "" and "" for a number of no label.
    const std::pair<std::string, std::string> &label(ngx_uint_t number) const
    {
        return labels_[number];
    }
    // Of one that was added.
    std::uint32_t row_of_facilitator(std::string_view url)
    {
        return counters_ ? counters_->add_facilitator(url)
                         : StatusCounters::kOther;
    }
    // Money that was settled, at a location of this configuration.
    void count_revenue(ngx_uint_t label, RevenueKey key,
                       const std::array<std::uint8_t, 32> &amount);
    void count_revenue(std::uint32_t series,
                       const std::array<std::uint8_t, 32> &amount);
    // Where such money is counted; kOther: nowhere yet.
    std::uint32_t series_of(ngx_uint_t label, RevenueKey key);
    void publish(const ClaimCensus &census);
    void count_ledger(bool written, std::uint64_t lines)
    {
        if (counters_) {
            counters_->count_ledger(written, lines);
        }
    }
    void count_hold(ngx_msec_t ms)
    {
        if (counters_) {
            counters_->count_hold(ms);
        }
    }

    // Beside the claim of a payment, while its outcome is open. Returns the
    // place of the note.
    std::uint32_t put_note(const Digest &payment, std::string_view text);
    std::string find_note(const Digest &payment);
    void erase_note(const Digest &payment);
    void erase_note_at(std::uint32_t place, const Digest &payment);

    // Its number; 0: this configuration does not know it.
    ngx_uint_t find_label(std::string_view server,
                          std::string_view label) const;
    PricedLocations &places() { return places_; }

    // nginx: the index of $request_id, so that all who use it see the same one.
    ngx_int_t request_id = NGX_ERROR;

    // Of x402_webhook; nullptr: none. Lifetime: the configuration cycle.
    Outbox *outbox() const { return outbox_; }
    void set_outbox(Outbox *outbox) { outbox_ = outbox; }
    // One whole line for it.
    void append_event(std::string_view line);
    // As those of the outbox, under the lock.
    bool turn_outbox();
    void clear_former_outbox();
    void recount_outbox();

    // Of x402_ledger. Lifetime: the configuration cycle.
    std::vector<Ledger *> &ledgers() { return ledgers_; }
    Ledger *default_ledger() const { return default_ledger_; }
    void set_default_ledger(Ledger *ledger)
    {
        default_ledger_ = ledger;
        places_.set_default(ledger);
    }

private:
    static ngx_int_t on_init(ngx_shm_zone_t *zone, void *old_data);
    void begin(ngx_shm_zone_t *zone, bool used_before);
    bool open_outbox(bool shares, ngx_log_t *log);

    ngx_shm_zone_t *zone_ = nullptr;
    std::vector<std::pair<std::string, std::string>> labels_ = {{"", ""}};
    std::unordered_map<std::string, ngx_uint_t> numbers_;
    std::vector<std::uint32_t> label_rows_ = {StatusCounters::kOther};
    PricedLocations places_;
    // Of each label the series that its latest payment was counted in: most
    // locations have one.
    std::vector<std::uint32_t> label_series_ = {StatusCounters::kOther};
    std::vector<std::string> facilitators_;
    std::vector<Ledger *> ledgers_;
    Ledger *default_ledger_ = nullptr;
    Outbox *outbox_ = nullptr;
    LogThrottle outbox_failure_log_{300};
    std::optional<StatusCounters> counters_;
    std::optional<PaymentNotes> notes_;
};

// merge: inherits ledger and label, and numbers the label.
void merge_books(ngx_conf_t *cf, LocationConf &conf, const LocationConf &outer);

}  // namespace x402

#endif
