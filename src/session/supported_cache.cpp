// SPDX-License-Identifier: Apache-2.0
#include "session/supported_cache.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x78343032626f6172ULL;
// Raised with every change of the structs below: a worker of another build
// must not read this cache.
constexpr std::uint32_t kLayout = 1;

constexpr std::uint32_t kMaxPlaces = 16;
constexpr std::size_t kMaxTextBytes = 16 * 1024;
constexpr std::size_t kLeastPlaceBytes = 8 * 1024;
constexpr std::uint64_t kForgotten = 2 * SupportedCache::kLongestFresh;
constexpr std::uint64_t kLookAgain = 1000;
// A worker knows the time of its last event, so that it may be behind another
// one. A moment that is further ahead is of a clock that began again.
constexpr std::uint64_t kBehind = 5000;
constexpr std::uint32_t kManyFailures = 1000;

// The compiler must not move a store over the one after the fence.
void store_fence()
{
    std::atomic_thread_fence(std::memory_order_release);
}

// ms until a moment that is at most `longest` ahead; 0: it is past.
std::uint64_t time_until(std::uint64_t moment, std::uint64_t now,
                         std::uint64_t longest)
{
    return moment > now && moment - now <= longest + kBehind ? moment - now : 0;
}

}  // namespace

struct SupportedCache::Header {
    std::uint64_t magic;
    std::uint32_t layout;
    std::uint32_t places;
    std::uint32_t text_bytes;
    std::uint32_t last_edition;
};

struct SupportedCache::Sheet {
    std::uint64_t kept_for;
    std::uint32_t bytes;
    std::uint32_t reserved;
    // the text follows
};

struct SupportedCache::Place {
    std::uint64_t facilitator;  // 0: none
    // Edition, and in its lowest bit the sheet that is shown; 0: none. Written
    // last, read without the lock.
    std::atomic<std::uint32_t> shown;
    std::uint32_t failures;
    std::uint64_t touched;
    std::uint64_t fresh_until;
    std::uint64_t retry_at;
    std::int64_t leaseholder;  // process; 0: none
    std::uint64_t lease_until;
    std::uint64_t read_by;
    std::uint32_t read_edition;
    std::uint32_t reserved;
};

std::size_t SupportedCache::Shape::bytes() const
{
    static_assert(std::atomic<std::uint32_t>::is_always_lock_free,
                  "shared between processes");
    static_assert(sizeof(Header) % 8 == 0 && sizeof(Place) % 8 == 0
                  && sizeof(Sheet) % 8 == 0);
    return places
               ? sizeof(Header)
                     + places
                           * (sizeof(Place) + 2 * (sizeof(Sheet) + text_bytes))
               : 0;
}

SupportedCache::Shape SupportedCache::shape_in(std::size_t bytes)
{
    std::size_t budget = bytes / 16;
    std::size_t header = sizeof(Header);
    std::size_t places =
        budget > header ? (budget - header) / kLeastPlaceBytes : 0;
    if (places == 0) {
        return {};
    }
    places = std::min<std::size_t>(places, kMaxPlaces);
    std::size_t each = (budget - header) / places - sizeof(Place);
    std::size_t text = std::min(each / 2 - sizeof(Sheet), kMaxTextBytes);
    return {static_cast<std::uint32_t>(places),
            static_cast<std::uint32_t>(text / 8 * 8)};
}

void SupportedCache::format(void *memory, Shape shape)
{
    auto *header = static_cast<Header *>(memory);
    header->layout = kLayout;
    header->places = shape.places;
    header->text_bytes = shape.text_bytes;
    store_fence();
    header->magic = kMagic;
}

bool SupportedCache::recognises(const void *memory, Shape shape)
{
    const auto *header = static_cast<const Header *>(memory);
    return header->magic == kMagic && header->layout == kLayout
           && header->places == shape.places
           && header->text_bytes == shape.text_bytes;
}

SupportedCache::SupportedCache(void *memory, IsAlive is_alive)
    : memory_(static_cast<std::uint8_t *>(memory)), is_alive_(is_alive)
{
}

SupportedCache::Place &SupportedCache::at(std::uint32_t place) const
{
    return reinterpret_cast<Place *>(memory_ + sizeof(Header))[place];
}

SupportedCache::Sheet &SupportedCache::sheet_of(std::uint32_t place,
                                                std::uint32_t index) const
{
    const auto *header = reinterpret_cast<const Header *>(memory_);
    std::size_t sheets = sizeof(Header) + header->places * sizeof(Place);
    std::size_t number = std::size_t(place) * 2 + index;
    return *reinterpret_cast<Sheet *>(
        memory_ + sheets + number * (sizeof(Sheet) + header->text_bytes));
}

// It belongs to none while it is neither the old facilitator's nor the new
// one's.
void SupportedCache::clear(Place &place, std::uint64_t facilitator,
                           std::uint64_t now)
{
    place.facilitator = 0;
    store_fence();
    place.shown.store(0, std::memory_order_relaxed);
    place.failures = 0;
    place.touched = now;
    place.fresh_until = place.retry_at = 0;
    place.leaseholder = 0;
    place.read_edition = 0;
    store_fence();
    place.facilitator = facilitator;
}

std::uint32_t SupportedCache::enter(std::uint64_t facilitator,
                                    std::uint64_t now)
{
    std::uint32_t places = reinterpret_cast<Header *>(memory_)->places;
    std::uint32_t vacant = kNoPlace;
    for (std::uint32_t i = 0; i < places; i++) {
        Place &place = at(i);
        if (place.facilitator == facilitator) {
            place.touched = now;
            return i;
        }
        bool is_later = place.touched > now;
        bool forgotten = place.facilitator == 0
                         || (is_later ? place.touched - now > kBehind
                                      : now - place.touched > kForgotten);
        if (vacant == kNoPlace && forgotten) {
            vacant = i;
        }
    }
    if (vacant != kNoPlace) {
        clear(at(vacant), facilitator, now);
    }
    return vacant;
}

std::uint32_t SupportedCache::edition(std::uint32_t place) const
{
    return at(place).shown.load(std::memory_order_relaxed) >> 1;
}

std::optional<SupportedText>
SupportedCache::read(std::uint32_t place, std::uint64_t facilitator) const
{
    const Place &entry = at(place);
    if (entry.facilitator != facilitator) {
        return std::nullopt;
    }
    SupportedText shown;
    std::uint32_t word = entry.shown.load(std::memory_order_relaxed);
    if (word != 0) {
        const Sheet &sheet = sheet_of(place, word & 1);
        shown.edition = word >> 1;
        shown.kept_for = sheet.kept_for;
        shown.text.assign(reinterpret_cast<const char *>(&sheet + 1),
                          sheet.bytes);
    }
    return shown;
}

SupportedTurn SupportedCache::take_turn(std::uint32_t place,
                                        std::int64_t process,
                                        std::uint64_t needs, std::uint64_t now,
                                        std::uint64_t lease)
{
    Place &entry = at(place);
    std::uint32_t word = entry.shown.load(std::memory_order_relaxed);
    if (word != 0) {
        std::uint64_t kept_for = sheet_of(place, word & 1).kept_for;
        std::uint64_t fresh = time_until(entry.fresh_until, now, kLongestFresh);
        if (fresh != 0 && (kept_for == 0 || kept_for == needs)) {
            return {false, fresh};
        }
    }
    std::uint64_t pause = time_until(entry.retry_at, now, kLongestRetry);
    if (entry.failures != 0 && pause != 0) {
        return {false, pause};
    }
    // One process has one turn: what it left behind is its own to take.
    if (entry.leaseholder != 0 && entry.leaseholder != process
        && time_until(entry.lease_until, now, kLongestLease) != 0
        && is_alive_(entry.leaseholder)) {
        return {false, kLookAgain};
    }
    entry.leaseholder = 0;
    store_fence();
    entry.lease_until = now + lease;
    store_fence();
    entry.leaseholder = process;
    return {true, 0};
}

void SupportedCache::give_up(std::uint32_t place, std::int64_t process)
{
    Place &entry = at(place);
    if (entry.leaseholder == process) {
        entry.leaseholder = 0;
    }
}

bool SupportedCache::show(std::uint32_t place, const SupportedText &text,
                          std::uint64_t now, std::uint64_t lifetime)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (text.text.size() > header->text_bytes) {
        return false;
    }
    Place &entry = at(place);
    std::uint32_t word = entry.shown.load(std::memory_order_relaxed);
    const Sheet &old = sheet_of(place, word & 1);
    bool same =
        word != 0 && old.kept_for == text.kept_for
        && std::string_view(reinterpret_cast<const char *>(&old + 1), old.bytes)
               == text.text;
    if (!same) {
        std::uint32_t index = word != 0 ? (word & 1) ^ 1 : 0;
        Sheet &sheet = sheet_of(place, index);
        sheet.kept_for = text.kept_for;
        sheet.bytes = static_cast<std::uint32_t>(text.text.size());
        std::memcpy(&sheet + 1, text.text.data(), text.text.size());
        // 31 bits: two thousand million editions before one comes again.
        std::uint32_t edition = (header->last_edition + 1) & 0x7fffffff;
        header->last_edition = edition = edition != 0 ? edition : 1;
        store_fence();
        entry.shown.store(edition << 1 | index, std::memory_order_relaxed);
        store_fence();
    }
    // Behind the text: the old one must not become fresh by the new one's time.
    entry.fresh_until = now + std::min(lifetime, kLongestFresh);
    entry.failures = 0;
    entry.leaseholder = 0;
    return true;
}

void SupportedCache::record_failure(std::uint32_t place, std::uint64_t now,
                                    std::uint64_t retry)
{
    Place &entry = at(place);
    entry.retry_at = now + std::min(retry, kLongestRetry);
    entry.failures = std::min(entry.failures + 1, kManyFailures);
    store_fence();
    entry.leaseholder = 0;
}

std::uint32_t SupportedCache::failures(std::uint32_t place) const
{
    return at(place).failures;
}

bool SupportedCache::read_once(std::uint32_t place, std::uint64_t needs)
{
    Place &entry = at(place);
    std::uint32_t shown = edition(place);
    if (shown == 0 || (entry.read_edition == shown && entry.read_by == needs)) {
        return false;
    }
    entry.read_by = needs;
    entry.read_edition = shown;
    return true;
}

}  // namespace x402
