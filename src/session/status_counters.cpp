// SPDX-License-Identifier: Apache-2.0
// The layout of the block and the one class that knows it, which makes this
// file longer than 400 lines.
#include "session/status_counters.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x78343032636e7472ULL;
// Raised with every change of the structs below.
constexpr std::uint32_t kLayout = 6;
constexpr std::size_t kLine = 64;

constexpr auto relaxed = std::memory_order_relaxed;
using Words16 = std::array<std::atomic<std::uint64_t>, 16>;

std::size_t aligned(std::size_t bytes)
{
    return (bytes + kLine - 1) / kLine * kLine;
}

template <std::size_t N>
void put_text(char (&to)[N], std::uint16_t &size, std::string_view text)
{
    size = static_cast<std::uint16_t>(std::min(text.size(), N));
    std::copy_n(text.data(), size, to);
}

template <std::size_t N>
std::string_view text_of(const char (&from)[N], std::uint16_t size)
{
    return {from, std::min<std::size_t>(size, N)};
}

template <std::size_t N> std::string_view cut(std::string_view text)
{
    return text.substr(0, N);
}

std::uint64_t limb_at(const std::uint8_t *byte)
{
    return std::uint64_t{byte[0]} << 24 | std::uint64_t{byte[1]} << 16
           | std::uint64_t{byte[2]} << 8 | byte[3];
}

void read_duration(const Words16 &words, DurationCounts &out)
{
    for (std::size_t i = 0; i < out.buckets.size(); i++) {
        out.buckets[i] += words[i].load(relaxed);
    }
    out.sum += words[15].load(relaxed);
}

void add_duration(Words16 &words, std::uint64_t ms)
{
    const auto &bounds = DurationCounts::bounds();
    std::size_t bucket = 0;
    while (bucket < bounds.size() && ms > bounds[bucket]) {
        bucket++;
    }
    words[15].fetch_add(ms, relaxed);
    words[bucket].fetch_add(1, relaxed);
}

}  // namespace

struct StatusCounters::Header {
    std::uint64_t magic;
    std::uint32_t layout;
    std::uint32_t reserved;
    std::int64_t started;
    std::atomic<std::uint32_t> labels;
    std::atomic<std::uint32_t> facilitators;
    std::atomic<std::uint32_t> revenues;
    std::atomic<std::uint32_t> census_writes;  // odd: being written
    std::atomic<std::uint32_t> used;           // shards, a bit for each
    ClaimCensus census;
};

struct StatusCounters::LabelName {
    std::uint16_t server_bytes;
    std::uint16_t label_bytes;
    char server[kServerBytes];
    char label[kLabelBytes];
};

struct StatusCounters::FacilitatorName {
    std::uint16_t bytes;
    std::uint16_t reserved;
    std::atomic<std::uint32_t> answered;  // 0: not known, 1: no, 2: yes
    char name[kNameBytes];
};

struct StatusCounters::RevenueName {
    std::atomic<std::uint64_t> hash;  // written last; 0: a free row
    std::uint32_t label;
    std::uint8_t decimals;
    std::uint8_t reserved[3];
    std::uint16_t network_bytes;
    std::uint16_t asset_bytes;
    std::uint16_t pay_to_bytes;
    std::uint16_t symbol_bytes;
    char network[80];
    char asset[128];
    char pay_to[128];
    char symbol[24];
    std::atomic<std::int64_t> day;  // of the latest of `days`
    // What the series held when a day began.
    struct Day {
        std::int64_t day;
        RevenueSum before;
    } days[kDays];
};

struct StatusCounters::Shard {
    struct Label {
        // Whole lines of the cache.
        std::array<Word, (kLabelCounters + 7) / 8 * 8> counters;
        std::array<Word, (kRefusalLabels + 7) / 8 * 8> refusals;
    };
    struct Facilitator {
        struct Endpoint {
            std::array<Word, 24> codes;
            Words16 duration;
        } endpoints[kCallEndpoints];
        std::array<Word, 8> outcomes;
        Word breaker;
        Word reserved[7];
    };
    struct Revenue {
        std::array<Word, 8> limbs;
        Word payments;
        Word reserved[7];
    };

    Label labels[kLabels];
    Facilitator facilitators[kFacilitators];
    Revenue revenues[kRevenues];
    Words16 hold;
    Word ledger_written;
    Word ledger_lost;
    Word events_lost;
    Word reserved[5];
    StoreCounters store;
};

const std::array<std::uint32_t, DurationCounts::kBounds> &
DurationCounts::bounds()
{
    static constexpr std::array<std::uint32_t, kBounds> kMs = {
        10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000};
    return kMs;
}

std::uint64_t DurationCounts::count() const
{
    std::uint64_t all = 0;
    for (std::uint64_t bucket : buckets) {
        all += bucket;
    }
    return all;
}

void RevenueSum::add(const RevenueSum &other)
{
    for (std::size_t i = 0; i < limbs.size(); i++) {
        limbs[i] += other.limbs[i];
    }
    payments += other.payments;
}

void RevenueSum::subtract(const RevenueSum &earlier)
{
    for (std::size_t i = 0; i < limbs.size(); i++) {
        limbs[i] -= earlier.limbs[i];
    }
    payments -= earlier.payments;
}

std::array<std::uint8_t, 32> RevenueSum::bytes() const
{
    std::array<std::uint8_t, 32> out{};
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < limbs.size(); i++) {
        // Neither half can overflow: a limb counts fewer than 2^32 payments.
        std::uint64_t low = (limbs[i] & 0xffffffff) + (carry & 0xffffffff);
        carry = (limbs[i] >> 32) + (carry >> 32) + (low >> 32);
        for (std::size_t byte = 0; byte < 4; byte++) {
            out[31 - i * 4 - byte] =
                static_cast<std::uint8_t>(low >> (8 * byte));
        }
    }
    return out;
}

std::size_t StatusCounters::bytes()
{
    static_assert(Word::is_always_lock_free, "shared between processes");
    static_assert(sizeof(Shard::Label) % kLine == 0
                  && sizeof(Shard::Facilitator) % kLine == 0
                  && sizeof(Shard::Revenue) % kLine == 0
                  && sizeof(Shard) % kLine == 0);
    return aligned(sizeof(Header)) + aligned(kLabels * sizeof(LabelName))
           + aligned(kFacilitators * sizeof(FacilitatorName))
           + aligned(kRevenues * sizeof(RevenueName)) + kShards * sizeof(Shard);
}

void StatusCounters::format(void *memory, std::int64_t now)
{
    auto *head = static_cast<Header *>(memory);
    head->layout = kLayout;
    head->started = now;
    StatusCounters counters(memory, 0);
    auto &other = counters.label_name(kOther);
    put_text(other.label, other.label_bytes, "other");
    auto &unnamed = counters.facilitator_name(kOther);
    put_text(unnamed.name, unnamed.bytes, "other");
    head->labels = head->facilitators = head->revenues = 1;
    std::atomic_thread_fence(std::memory_order_release);
    head->magic = kMagic;
}

bool StatusCounters::recognises(const void *memory)
{
    const auto *head = static_cast<const Header *>(memory);
    return head->magic == kMagic && head->layout == kLayout;
}

StatusCounters::StatusCounters(void *memory, std::size_t worker)
    : memory_(static_cast<std::uint8_t *>(memory)),
      number_(static_cast<std::uint32_t>(worker % kShards)),
      own_(&shard(number_))
{
}

void StatusCounters::use_shard()
{
    header().used.fetch_or(1u << number_, relaxed);
}

template <class Visit> void StatusCounters::each_shard(Visit &&visit) const
{
    std::uint32_t used = header().used.load(relaxed);
    for (std::uint32_t i = 0; i < kShards; i++) {
        if (used >> i & 1) {
            visit(shard(i));
        }
    }
}

StatusCounters::Header &StatusCounters::header() const
{
    return *reinterpret_cast<Header *>(memory_);
}

StatusCounters::LabelName &StatusCounters::label_name(std::uint32_t row) const
{
    return reinterpret_cast<LabelName *>(memory_
                                         + aligned(sizeof(Header)))[row];
}

StatusCounters::FacilitatorName &
StatusCounters::facilitator_name(std::uint32_t row) const
{
    return reinterpret_cast<FacilitatorName *>(
        memory_ + aligned(sizeof(Header))
        + aligned(kLabels * sizeof(LabelName)))[row];
}

StatusCounters::RevenueName &
StatusCounters::revenue_name(std::uint32_t row) const
{
    return reinterpret_cast<RevenueName *>(
        memory_ + aligned(sizeof(Header)) + aligned(kLabels * sizeof(LabelName))
        + aligned(kFacilitators * sizeof(FacilitatorName)))[row];
}

StatusCounters::Shard &StatusCounters::shard(std::uint32_t number) const
{
    return reinterpret_cast<Shard *>(
        memory_ + aligned(sizeof(Header)) + aligned(kLabels * sizeof(LabelName))
        + aligned(kFacilitators * sizeof(FacilitatorName))
        + aligned(kRevenues * sizeof(RevenueName)))[number];
}

std::vector<std::uint32_t> StatusCounters::add_labels(
    const std::vector<std::pair<std::string, std::string>> &labels)
{
    auto key_of = [](std::string_view server, std::string_view label) {
        return std::string(server) + '\0' + std::string(label);
    };
    std::unordered_map<std::string, std::uint32_t> known;
    for (std::uint32_t row = kOther; row < this->labels(); row++) {
        const LabelName &name = label_name(row);
        known.emplace(key_of(text_of(name.server, name.server_bytes),
                             text_of(name.label, name.label_bytes)),
                      row);
    }
    std::vector<std::uint32_t> rows;
    for (const auto &[server, label] : labels) {
        std::string_view kept_server = cut<kServerBytes>(server);
        std::string_view kept_label = cut<kLabelBytes>(label);
        auto [at, added] = known.emplace(key_of(kept_server, kept_label), 0);
        if (added) {
            at->second = append_label(kept_server, kept_label);
        }
        rows.push_back(at->second);
    }
    return rows;
}

std::uint32_t StatusCounters::append_label(std::string_view server,
                                           std::string_view label)
{
    std::uint32_t count = labels();
    if (count == kLabels) {
        return kOther;
    }
    LabelName &name = label_name(count);
    put_text(name.server, name.server_bytes, server);
    put_text(name.label, name.label_bytes, label);
    header().labels.store(count + 1, std::memory_order_release);
    return count;
}

std::uint32_t StatusCounters::add_facilitator(std::string_view name)
{
    name = cut<kNameBytes>(name);
    std::uint32_t count = facilitators();
    for (std::uint32_t row = 1; row < count; row++) {
        if (text_of(facilitator_name(row).name, facilitator_name(row).bytes)
            == name) {
            return row;
        }
    }
    if (count == kFacilitators) {
        return kOther;
    }
    FacilitatorName &added = facilitator_name(count);
    put_text(added.name, added.bytes, name);
    header().facilitators.store(count + 1, std::memory_order_release);
    return count;
}

void StatusCounters::count(std::uint32_t label, LabelCounter counter)
{
    own_->labels[label].counters[static_cast<std::size_t>(counter)].fetch_add(
        1, relaxed);
}

void StatusCounters::count(std::uint32_t label, RefusalLabel reason)
{
    own_->labels[label].refusals[static_cast<std::size_t>(reason)].fetch_add(
        1, relaxed);
}

void StatusCounters::count_call(std::uint32_t facilitator,
                                CallEndpoint endpoint, std::size_t code,
                                std::uint64_t ms)
{
    auto &words = own_->facilitators[facilitator]
                      .endpoints[static_cast<std::size_t>(endpoint)];
    words.codes[code].fetch_add(1, relaxed);
    add_duration(words.duration, ms);
}

void StatusCounters::count_settlement(std::uint32_t facilitator,
                                      SettlementOutcome outcome)
{
    own_->facilitators[facilitator]
        .outcomes[static_cast<std::size_t>(outcome)]
        .fetch_add(1, relaxed);
}

void StatusCounters::count_hold(std::uint64_t ms)
{
    add_duration(own_->hold, ms);
}

void StatusCounters::count_ledger(bool written, std::uint64_t lines)
{
    (written ? own_->ledger_written : own_->ledger_lost)
        .fetch_add(lines, relaxed);
}

void StatusCounters::count_lost_event()
{
    own_->events_lost.fetch_add(1, relaxed);
}

StoreCounters &StatusCounters::store()
{
    return own_->store;
}

void StatusCounters::set_breaker(std::uint32_t facilitator, bool open)
{
    own_->facilitators[facilitator].breaker.store(open ? 1 : 0, relaxed);
}

void StatusCounters::set_answered(std::uint32_t facilitator, bool answered)
{
    // Most calls end as the last one did: the line stays shared then.
    std::uint32_t word = answered ? 2 : 1;
    auto &known = facilitator_name(facilitator).answered;
    if (known.load(relaxed) != word) {
        known.store(word, relaxed);
    }
}

namespace {

std::uint64_t hash_of(const RevenueKey &key)
{
    std::hash<std::string_view> hash;
    std::uint64_t number = key.label;
    for (std::string_view text : {key.network, key.asset, key.pay_to}) {
        number = number * 0x9e3779b97f4a7c15ULL + hash(text);
    }
    return number == 0 ? 1 : number;
}

// As a row can hold it.
RevenueKey fitted(RevenueKey key)
{
    key.network = cut<80>(key.network);
    key.asset = cut<128>(key.asset);
    key.pay_to = cut<128>(key.pay_to);
    key.symbol = cut<24>(key.symbol);
    return key;
}

}  // namespace

bool StatusCounters::same(const RevenueName &row, const RevenueKey &key)
{
    return row.label == key.label
           && text_of(row.pay_to, row.pay_to_bytes) == key.pay_to
           && text_of(row.asset, row.asset_bytes) == key.asset
           && text_of(row.network, row.network_bytes) == key.network;
}

bool StatusCounters::is_revenue(std::uint32_t series,
                                const RevenueKey &key) const
{
    const RevenueName &row = revenue_name(series);
    // A text that is too long for a row is found the long way.
    return row.hash.load(std::memory_order_acquire) != 0 && same(row, key);
}

RevenueKey StatusCounters::revenue_key(std::uint32_t series) const
{
    const RevenueName &row = revenue_name(series);
    RevenueKey key;
    key.label = row.label;
    key.network = text_of(row.network, row.network_bytes);
    key.asset = text_of(row.asset, row.asset_bytes);
    key.pay_to = text_of(row.pay_to, row.pay_to_bytes);
    key.symbol = text_of(row.symbol, row.symbol_bytes);
    key.decimals = row.decimals;
    return key;
}

std::pair<std::string_view, std::string_view>
StatusCounters::label_names(std::uint32_t row) const
{
    const LabelName &name = label_name(row);
    return {text_of(name.server, name.server_bytes),
            text_of(name.label, name.label_bytes)};
}

std::uint32_t StatusCounters::find_revenue(const RevenueKey &wanted) const
{
    RevenueKey key = fitted(wanted);
    std::uint64_t hash = hash_of(key);
    for (std::uint32_t i = 0; i < kRevenues; i++) {
        std::uint32_t row =
            static_cast<std::uint32_t>((hash + i) % (kRevenues - 1)) + 1;
        std::uint64_t known =
            revenue_name(row).hash.load(std::memory_order_acquire);
        if (known == 0) {
            return kOther;
        }
        if (known == hash && same(revenue_name(row), key)) {
            return row;
        }
    }
    return kOther;
}

std::uint32_t StatusCounters::add_revenue(const RevenueKey &wanted)
{
    RevenueKey key = fitted(wanted);
    std::uint32_t known = find_revenue(key);
    if (known != kOther) {
        return known;
    }
    std::uint32_t taken = revenues();
    bool particular = key.label != kOther || !key.pay_to.empty();
    if (taken > kRevenues / 4 * 3 && particular) {
        key.label = kOther;
        key.pay_to = {};
        return add_revenue(key);
    }
    if (taken == kRevenues) {
        return kOther;
    }
    std::uint64_t hash = hash_of(key);
    std::uint32_t row = 1;
    for (std::uint32_t i = 0;; i++) {
        row = static_cast<std::uint32_t>((hash + i) % (kRevenues - 1)) + 1;
        if (revenue_name(row).hash.load(relaxed) == 0) {
            break;
        }
    }
    RevenueName &name = revenue_name(row);
    name.label = key.label;
    name.decimals = key.decimals;
    put_text(name.network, name.network_bytes, key.network);
    put_text(name.asset, name.asset_bytes, key.asset);
    put_text(name.pay_to, name.pay_to_bytes, key.pay_to);
    put_text(name.symbol, name.symbol_bytes, key.symbol);
    header().revenues.store(taken + 1, relaxed);
    name.hash.store(hash, std::memory_order_release);
    return row;
}

bool StatusCounters::is_new_day(std::uint32_t series, std::int64_t day) const
{
    return revenue_name(series).day.load(relaxed) < day;
}

void StatusCounters::begin_day(std::uint32_t series, std::int64_t day)
{
    RevenueName &name = revenue_name(series);
    if (!is_new_day(series, day)) {
        return;
    }
    auto &place = name.days[static_cast<std::uint64_t>(day) % kDays];
    place.before = total(series);
    place.day = day;
    name.day.store(day, relaxed);
}

void StatusCounters::add_amount(std::uint32_t series,
                                const std::array<std::uint8_t, 32> &amount)
{
    auto &words = own_->revenues[series];
    for (std::size_t pair = 0; pair < words.limbs.size() / 2; pair++) {
        // Most amounts fit into the lowest eight bytes.
        const std::uint8_t *byte = &amount[24 - pair * 8];
        std::uint64_t any;
        std::memcpy(&any, byte, sizeof(any));
        if (any == 0) {
            continue;
        }
        words.limbs[2 * pair].fetch_add(limb_at(byte + 4), relaxed);
        words.limbs[2 * pair + 1].fetch_add(limb_at(byte), relaxed);
    }
    words.payments.fetch_add(1, relaxed);
}

void StatusCounters::publish(const ClaimCensus &census)
{
    Header &head = header();
    std::uint32_t writes = head.census_writes.load(relaxed) | 1;
    head.census_writes.store(writes, relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    head.census = census;
    head.census_writes.store(writes + 1, std::memory_order_release);
}

std::optional<ClaimCensus> StatusCounters::census() const
{
    const Header &head = header();
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        std::uint32_t before =
            head.census_writes.load(std::memory_order_acquire);
        ClaimCensus copied = head.census;
        std::atomic_thread_fence(std::memory_order_acquire);
        if (before % 2 == 0 && head.census_writes.load(relaxed) == before) {
            return copied.taken != 0 ? std::optional<ClaimCensus>(copied)
                                     : std::nullopt;
        }
    }
    return std::nullopt;
}

std::int64_t StatusCounters::started() const
{
    return header().started;
}

std::uint32_t StatusCounters::labels() const
{
    return header().labels.load(std::memory_order_acquire);
}

std::uint32_t StatusCounters::facilitators() const
{
    return header().facilitators.load(std::memory_order_acquire);
}

std::uint32_t StatusCounters::revenues() const
{
    return header().revenues.load(relaxed);
}

StatusCounters::LabelView StatusCounters::label(std::uint32_t row) const
{
    LabelView view;
    const LabelName &name = label_name(row);
    view.server = text_of(name.server, name.server_bytes);
    view.label = text_of(name.label, name.label_bytes);
    each_shard([&](const Shard &part) {
        const Shard::Label &words = part.labels[row];
        for (std::size_t n = 0; n < kLabelCounters; n++) {
            view.counters[n] += words.counters[n].load(relaxed);
        }
        for (std::size_t n = 0; n < kRefusalLabels; n++) {
            view.refusals[n] += words.refusals[n].load(relaxed);
        }
    });
    return view;
}

StatusCounters::FacilitatorView
StatusCounters::facilitator(std::uint32_t row) const
{
    FacilitatorView view;
    const FacilitatorName &name = facilitator_name(row);
    view.name = text_of(name.name, name.bytes);
    if (std::uint32_t word = name.answered.load(relaxed)) {
        view.answered = word == 2;
    }
    each_shard([&](const Shard &part) {
        const Shard::Facilitator &words = part.facilitators[row];
        for (std::size_t e = 0; e < kCallEndpoints; e++) {
            for (std::size_t n = 0; n < kCallCodes; n++) {
                view.calls[e][n] += words.endpoints[e].codes[n].load(relaxed);
            }
            read_duration(words.endpoints[e].duration, view.durations[e]);
        }
        for (std::size_t n = 0; n < kSettlementOutcomes; n++) {
            view.outcomes[n] += words.outcomes[n].load(relaxed);
        }
        view.breaker_open =
            view.breaker_open || words.breaker.load(relaxed) != 0;
    });
    return view;
}

RevenueSum StatusCounters::total(std::uint32_t series) const
{
    RevenueSum sum;
    each_shard([&](const Shard &part) {
        const Shard::Revenue &words = part.revenues[series];
        for (std::size_t n = 0; n < sum.limbs.size(); n++) {
            sum.limbs[n] += words.limbs[n].load(relaxed);
        }
        sum.payments += words.payments.load(relaxed);
    });
    return sum;
}

StatusCounters::RevenueView StatusCounters::revenue(std::uint32_t row,
                                                    std::int64_t day) const
{
    RevenueView view;
    const RevenueName &name = revenue_name(row);
    if (name.hash.load(std::memory_order_acquire) == 0) {
        return view;
    }
    view.label = name.label;
    view.network = text_of(name.network, name.network_bytes);
    view.asset = text_of(name.asset, name.asset_bytes);
    view.pay_to = text_of(name.pay_to, name.pay_to_bytes);
    view.symbol = text_of(name.symbol, name.symbol_bytes);
    if (name.decimals != 255) {
        view.decimals = name.decimals;
    }
    // What a day that is kept began with, the earliest within the span; without
    // one nothing came in since.
    std::int64_t first_of_week = day - 6;
    const RevenueName::Day *today = nullptr;
    const RevenueName::Day *week = nullptr;
    for (const RevenueName::Day &kept : name.days) {
        if (kept.day == 0 || kept.day > day) {
            continue;
        }
        today = kept.day == day ? &kept : today;
        if (kept.day >= first_of_week
            && (week == nullptr || kept.day < week->day)) {
            week = &kept;
        }
    }
    RevenueSum at_week = week ? week->before : RevenueSum();
    RevenueSum at_today = today ? today->before : RevenueSum();
    view.all = total(row);
    if (today) {
        view.today = view.all;
        view.today.subtract(at_today);
    }
    if (week) {
        view.week = view.all;
        view.week.subtract(at_week);
    }
    return view;
}

DurationCounts StatusCounters::hold() const
{
    DurationCounts out;
    each_shard([&](const Shard &part) { read_duration(part.hold, out); });
    return out;
}

StoreCounts StatusCounters::store_counts() const
{
    StoreCounts counts;
    each_shard([&](const Shard &part) { part.store.add_to(counts); });
    return counts;
}

std::uint64_t StatusCounters::ledger_lines(bool written) const
{
    std::uint64_t lines = 0;
    each_shard([&](const Shard &part) {
        lines +=
            (written ? part.ledger_written : part.ledger_lost).load(relaxed);
    });
    return lines;
}

std::uint64_t StatusCounters::lost_events() const
{
    std::uint64_t events = 0;
    each_shard(
        [&](const Shard &part) { events += part.events_lost.load(relaxed); });
    return events;
}

}  // namespace x402
