// SPDX-License-Identifier: Apache-2.0
#include "store/store_claim.hpp"

#include <algorithm>
#include <cstring>

#include "session/claim_memory.hpp"

namespace x402 {

namespace {

// As HEAD in lua/common.lua.
constexpr std::uint8_t kLayout = 2;
constexpr std::size_t kLeaseAt = 5;
constexpr std::size_t kExpiresAt = 13;
constexpr std::size_t kTokenAt = 21;
constexpr std::size_t kHeadBytes = 37;

// These say what the memory of one machine has to do.
constexpr std::uint8_t kLocalFlags = kCloseUnreported | kJournaled;

std::uint8_t byte_at(std::string_view bytes, std::size_t at)
{
    return static_cast<std::uint8_t>(bytes[at]);
}

std::int64_t number_at(std::string_view bytes, std::size_t at)
{
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; i++) {
        number = number << 8 | byte_at(bytes, at + i);
    }
    return static_cast<std::int64_t>(number);
}

// Those of which the store tells.
bool is_state(std::uint8_t state)
{
    return state > static_cast<std::uint8_t>(ClaimState::free)
           && state <= static_cast<std::uint8_t>(ClaimState::closed)
           && state != static_cast<std::uint8_t>(ClaimState::verified);
}

}  // namespace

unsigned store_shard(const Digest &payer)
{
    return payer[0] % kStoreShards;
}

std::string store_record(const JournalRecord &claim)
{
    return claim_bytes(claim);
}

void write_store_record(const JournalRecord &claim, std::string &out)
{
    out.clear();
    write_claim_bytes(claim, out);
}

bool restored_record(const StoredClaim &claim, std::string_view settle,
                     JournalRecord &record)
{
    if (!read_claim_bytes(claim.record, record) || record.key != claim.key) {
        return false;
    }
    record.state = static_cast<std::uint32_t>(claim.state);
    record.flags = static_cast<std::uint8_t>(claim.flags & ~kLocalFlags);
    record.executions = static_cast<std::uint8_t>(claim.executions);
    record.expires = claim.expires;
    record.settle = settle;
    return true;
}

bool read_stored_claim(std::string_view bytes, std::int64_t now,
                       StoredClaim &claim)
{
    if (bytes.size() < kHeadBytes || byte_at(bytes, 0) != kLayout
        || !is_state(byte_at(bytes, 1))) {
        return false;
    }
    claim.state = static_cast<ClaimState>(byte_at(bytes, 1));
    claim.flags = byte_at(bytes, 2);
    claim.executions = byte_at(bytes, 3);
    claim.tries = byte_at(bytes, 4);
    std::int64_t lease = number_at(bytes, kLeaseAt);
    std::int64_t expires = number_at(bytes, kExpiresAt);
    if (now < 0 || lease < 0 || expires < 0) {
        return false;
    }
    claim.lease_left = std::max<std::int64_t>(lease - now, 0);
    claim.expires = expires == 0 ? kNeverExpires : expires;
    std::memcpy(claim.token.data(), bytes.data() + kTokenAt,
                claim.token.size());
    claim.record = bytes.substr(kHeadBytes);
    return true;
}

}  // namespace x402
