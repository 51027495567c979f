// SPDX-License-Identifier: Apache-2.0
// How many requests a pass is still good for, in shared memory. Two sets of
// eight cells for each pass.
//
// Money: a counter that is not there opens nothing. So no counter makes place
// for another while its pass is good: a full table issues no pass.
#ifndef X402_SESSION_PASS_TABLE_HPP
#define X402_SESSION_PASS_TABLE_HPP

#include <cstddef>
#include <cstdint>

#include "session/access_pass.hpp"

namespace x402 {

class PassTable {
public:
    static std::size_t least_bytes();
    // Counters in a table of so many bytes.
    static std::size_t capacity(std::size_t bytes);
    // Writes an empty table. Precondition: zeroed, aligned to 8, at least
    // least_bytes().
    static void format(void *memory, std::size_t bytes);
    // Whether a table of this build and size is there.
    static bool recognises(const void *memory, std::size_t bytes);

    // A table that was formatted. Hold the zone's lock.
    explicit PassTable(void *memory);

    // False: there is no room. A pass that is there keeps what is left of it.
    // `expires` and `now` in unix seconds; `left` is what is left then.
    bool issue(const PassId &id, std::uint32_t requests, std::int64_t expires,
               std::int64_t now, std::uint32_t &left);

    // Takes so many requests, or none. PassFault: none, unknown or used_up;
    // `left` is what is left then.
    PassFault use(const PassId &id, std::uint32_t requests, std::int64_t now,
                  std::uint32_t &left);

    // Requests that were taken and got no content.
    void give_back(const PassId &id, std::uint32_t requests);

private:
    struct Head;
    struct Cell;

    // The cell of a pass, else nullptr.
    Cell *find(const PassId &id);
    // One that may be overwritten, else nullptr.
    Cell *find_room(const PassId &id, std::int64_t now);
    Cell *set_of(const PassId &id, int which);

    Head *head_;
};

}  // namespace x402

#endif
