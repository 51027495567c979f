// SPDX-License-Identifier: Apache-2.0
// The settle requests that a claim table keeps while their outcome is open, in
// chains of blocks; of a request that does not fit its digest alone.
#ifndef X402_SESSION_SETTLE_BLOCKS_HPP
#define X402_SESSION_SETTLE_BLOCKS_HPP

#include <string>
#include <string_view>

#include "session/claim_memory.hpp"
#include "session/claim_owners.hpp"

namespace x402 {

class SettleBlocks {
public:
    // Lifetime: borrows both.
    SettleBlocks(const ClaimMemory &memory, const ClaimOwners &owners)
        : memory_(memory), owners_(owners)
    {
    }

    // Keeps the request for this claim, or its digest.
    void keep(ClaimCell &cell, std::string_view bytes, std::int64_t now);
    // Its blocks are free for others at once.
    void drop(ClaimCell &cell);
    // The request as it was sent; empty if only its digest was kept.
    std::string stored(const ClaimCell &cell) const;
    bool digest_is(const ClaimCell &cell, const Digest &digest) const;

private:
    bool is_free(const SettleBlock &block, std::int64_t now) const;
    bool fill(ClaimCell &cell, std::string_view bytes, std::int64_t now);

    const ClaimMemory &memory_;
    const ClaimOwners &owners_;
};

}  // namespace x402

#endif
