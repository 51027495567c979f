// SPDX-License-Identifier: Apache-2.0
// What facilitators support, kept where all workers read it: one place for each
// facilitator in a block of memory that the caller owns (a part of the nginx
// zone, or a worker's own).
//
// A place holds a text, how long it is fresh, and which process asks next.
// Each place has room for two texts; one is written while the other is shown,
// and one word says which of them is: a worker that dies between two stores
// leaves the old text or the new one. The caller holds the lock around every
// call but edition(). Nothing here allocates in the block, follows a pointer
// out of it or reads a clock: moments are milliseconds of one clock that all
// workers share, and one that lies further ahead than it can is taken for past.
#ifndef X402_SESSION_SUPPORTED_CACHE_HPP
#define X402_SESSION_SUPPORTED_CACHE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace x402 {

// What a place shows.
struct SupportedText {
    std::uint32_t edition = 0;  // 0: nothing yet; another one, another text
    // 0: complete; else only what the configuration of this digest needs.
    std::uint64_t kept_for = 0;
    std::string text;
};

// Whether the caller shall ask the facilitator now.
struct SupportedTurn {
    bool yours = false;
    std::uint64_t wait = 0;  // ms until it is worth looking again
};

class SupportedCache {
public:
    using IsAlive = bool (*)(std::int64_t process);

    struct Shape {
        std::uint32_t places = 0;
        std::uint32_t text_bytes = 0;  // the longest text
        std::size_t bytes() const;     // of the whole cache
    };

    static constexpr std::uint32_t kNoPlace = 0xffffffff;
    static constexpr std::uint64_t kLongestFresh = 3600 * 1000;
    static constexpr std::uint64_t kLongestRetry = 30 * 1000;
    static constexpr std::uint64_t kLongestLease = 60 * 1000;

    // The cache that a zone with `bytes` for everything can spare: a
    // sixteenth, at most 16 places for 16 KB; no places in a small zone.
    static Shape shape_in(std::size_t bytes);

    // Lays a cache out in zeroed memory, aligned to 8.
    static void format(void *memory, Shape shape);
    // True when the memory holds a cache of this very layout and shape.
    static bool recognises(const void *memory, Shape shape);

    // Lifetime: borrows a formatted block. `is_alive` tells whether a process
    // (by pid) still runs.
    SupportedCache(void *memory, IsAlive is_alive);

    // The place of a facilitator, its old one or a new one; it is kept for as
    // long as a worker enters at least every two hours. kNoPlace: all taken.
    std::uint32_t enter(std::uint64_t facilitator, std::uint64_t now);

    // What SupportedText::edition was at this moment; needs no lock.
    std::uint32_t edition(std::uint32_t place) const;

    // nullopt: the place has become another facilitator's.
    std::optional<SupportedText> read(std::uint32_t place,
                                      std::uint64_t facilitator) const;

    // Gives the turn to `process` for `lease` ms when there is no fresh text
    // that is complete or kept for `needs`, no pause after a failure, and
    // no living process has it. The process that has it ends it by show(),
    // record_failure() or give_up().
    SupportedTurn take_turn(std::uint32_t place, std::int64_t process,
                            std::uint64_t needs, std::uint64_t now,
                            std::uint64_t lease);
    void give_up(std::uint32_t place, std::int64_t process);

    // Shows a text that is fresh for `lifetime` ms; the edition stays if the
    // text is the same. False: longer than text_bytes, nothing is changed.
    bool show(std::uint32_t place, const SupportedText &text, std::uint64_t now,
              std::uint64_t lifetime);
    // The turn led to nothing; the next one begins in `retry` ms.
    void record_failure(std::uint32_t place, std::uint64_t now,
                        std::uint64_t retry);
    // Turns in a row that led to nothing.
    std::uint32_t failures(std::uint32_t place) const;

    // True once for each edition and these needs: no process has compared them
    // yet.
    bool read_once(std::uint32_t place, std::uint64_t needs);

private:
    struct Header;
    struct Place;
    struct Sheet;

    Place &at(std::uint32_t place) const;
    Sheet &sheet_of(std::uint32_t place, std::uint32_t index) const;
    void clear(Place &place, std::uint64_t facilitator, std::uint64_t now);

    std::uint8_t *memory_;
    IsAlive is_alive_;
};

}  // namespace x402

#endif
