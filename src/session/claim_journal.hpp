// The journal of claims as bytes: what a ClaimTable appends when something
// about money changes, and what a new table is filled from at start.
//
// A record is a frame (mark, kind, length, check) around a whole claim, the
// name of one that became free, or a payer's record; the last one about a claim
// counts. The check is the beginning of a SHA-256: whatever a killed process, a
// full disk or a broken one left behind is recognised and passed over, and the
// reader goes on at the next mark. A mark is no text, so that it cannot be in
// the JSON of a payment or a receipt.
//
// Knows no file: see nginx/ngx_http_x402_journal.
#ifndef X402_SESSION_CLAIM_JOURNAL_HPP
#define X402_SESSION_CLAIM_JOURNAL_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/sha256_digest.hpp"

namespace x402 {

// Where records go. Called under the zone's lock.
class JournalPort {
public:
    virtual ~JournalPort() = default;
    // All of the record, or false: nothing more can be written for now.
    virtual bool append(std::string_view record) = 0;
};

enum class JournalKind : std::uint32_t { begin = 1, claim, freed, payer };

// One record. Which members count depends on the kind.
struct JournalRecord {
    JournalKind kind = JournalKind::begin;
    Digest key{};  // of the claim; of the payer

    std::uint32_t state = 0;
    std::uint8_t flags = 0;
    std::uint8_t executions = 0;
    std::int64_t expires = 0;
    std::int64_t changed = 0;
    std::int64_t settle_started = 0;
    std::uint64_t facilitator = 0;
    Digest resource{};
    Digest redeliver_key{};
    Digest payer{};
    Digest settle_digest{};
    Digest money{};
    std::array<std::uint8_t, 32> amount{};
    std::string receipt;
    std::string network;
    std::string payer_text;
    std::string asset;
    std::string settle;  // the request; empty: not kept

    std::array<std::int64_t, 3> unproven{};
    std::int64_t refused_at = 0;
};

std::string journal_bytes(const JournalRecord &record);

// Goes through the bytes of a journal.
class JournalReader {
public:
    // Lifetime: borrows.
    explicit JournalReader(std::string_view bytes) : rest_(bytes) {}

    // The next record that is whole; false: no more.
    bool next(JournalRecord &record);
    // Bytes passed over so far because they were no record.
    std::size_t skipped() const { return skipped_; }

private:
    std::string_view rest_;
    std::size_t skipped_ = 0;
};

}  // namespace x402

#endif
