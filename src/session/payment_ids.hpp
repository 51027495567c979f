// Which payment used which payment identifier (x402 v2, payment-identifier):
// a fixed table in a block of memory that all workers share and somebody else
// owns, beside the claim table (claim_table.hpp) and under the same rules.
//
// No allocation, no pointers: a worker that dies between two stores leaves a
// valid table, because the state word of a cell is written last. The caller
// holds the zone's lock around every call. A cell belongs to nobody: it is
// written once its payment has been verified, and forgotten when that payment
// came to nothing or can no longer be used.
//
// Money: nothing here guards against paying twice with one payment, that is
// the claim's. It keeps a client that asks again with a new payment under its
// old name from paying once more.
#ifndef X402_SESSION_PAYMENT_IDS_HPP
#define X402_SESSION_PAYMENT_IDS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/sha256_digest.hpp"

namespace x402 {

// What a name is unique within: a location (any text that is the same in all
// workers and after a reload) and the payer (20 bytes, or any one spelling).
Digest payment_id_key(std::string_view location, std::string_view payer,
                      std::string_view id);

// `other_payment`: is to be refused (409).
enum class PaymentIdNote { noted, other_payment, full };

class PaymentIds {
public:
    // Bytes needed for at least one bucket.
    static std::size_t least_bytes();
    // Names that a table of `bytes` holds.
    static std::size_t capacity_of(std::size_t bytes);

    // Lays a table out in zeroed memory, aligned to 8. False: too small.
    static bool format(void *memory, std::size_t bytes);
    // True when the memory holds a table of this very layout and size.
    static bool recognises(const void *memory, std::size_t bytes);

    // Lifetime: borrows a formatted block.
    explicit PaymentIds(void *memory);

    // `id` by payment_id_key(), claims by the claim key; unix seconds.

    // Of the payment that has the name; nothing: nobody has. The same payment:
    // its claim has the answer.
    std::optional<Digest> claim_of(const Digest &id, std::int64_t now) const;

    // After verify, before content is made. `expires`: when the payment is
    // useless. Full: nothing was noted, and nothing that still counts is given
    // up for it; noting the same again only changes when it expires.
    PaymentIdNote note(const Digest &id, const Digest &claim,
                       std::int64_t expires, std::int64_t now);

    // The payment came to nothing (refused, or never settled): its name may be
    // given to another. Of other payments nothing is forgotten.
    void forget(const Digest &id, const Digest &claim);

    std::size_t capacity() const;

private:
    struct Header;
    struct Cell;

    Cell *bucket_of(const Digest &id, unsigned choice) const;
    Cell *find(const Digest &id, std::int64_t now) const;
    Cell *room_for(const Digest &id, std::int64_t now) const;

    std::uint8_t *memory_;
};

}  // namespace x402

#endif
