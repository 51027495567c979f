// SPDX-License-Identifier: Apache-2.0
// How large a table of claims has to be for what comes in.
#ifndef X402_SESSION_CLAIM_ROOM_HPP
#define X402_SESSION_CLAIM_ROOM_HPP

#include <cstddef>
#include <cstdint>

#include "session/claim_memory.hpp"

namespace x402 {

// Claims that a table needs if payments continue as in the last minute, with a
// third to spare; at least twice and at most 64 times what it has. For a
// message about a table without room: looks at a bounded number of cells, and
// needs no lock, because it only counts.
std::size_t claims_needed(const ClaimMemory &memory, std::int64_t now);

}  // namespace x402

#endif
