// SPDX-License-Identifier: Apache-2.0
// Which payment used which payment identifier (x402 v2, payment-identifier):
// a fixed table in a block of memory that all workers share and the caller
// owns, beside the claim table (claim_table.hpp) and under the same rules.
//
// No allocation, no pointers: a worker that dies between two stores leaves a
// valid table, because the state word of a cell is written last. The caller
// holds the zone's lock around every call. A name is noted once its payment was
// verified. It goes with its claim (refused or freed) until the payment is
// paid; from then on it is kept until the payment has expired, even if the cell
// of its claim is given to another payment.
//
// The names of a payer lie in a few of the buckets, so that one payer cannot
// use up the room of all. If these are full its oldest kept name makes place.
// Which they are depends on a secret: a thief has as many addresses as it makes
// keys, and could choose those that share their buckets with a payer's.
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

// A name by payment_id_key(), and its payer; without one it has the id's place.
struct PaymentName {
    PaymentName(const Digest &name) : id(name), payer(name) {}
    PaymentName(const Digest &name, const Digest &of) : id(name), payer(of) {}

    Digest id;
    Digest payer;
};

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
    // Precondition: an empty table. Until then its secret is 0, and a table of
    // an earlier build has none.
    static void use_secret(void *memory, std::uint64_t secret);

    // Lifetime: borrows a formatted block.
    explicit PaymentIds(void *memory);

    // Claims by the claim key; unix seconds.

    // The payment that has the name; nothing: it is free. The same payment: its
    // claim has the answer.
    struct Holder {
        Digest claim;
        bool kept;            // the payment was paid
        std::uint32_t place;  // of the name, never 0
    };
    std::optional<Holder> holder_of(const PaymentName &name,
                                    std::int64_t now) const;

    // After verify, before content is made. `expires`: when the payment is
    // useless. Full: nothing was noted, and no name of another payer and none
    // whose payment is open is given up for it. Noting the same again only
    // changes when it expires.
    PaymentIdNote note(const PaymentName &name, const Digest &claim,
                       std::int64_t expires, std::int64_t now,
                       std::uint32_t &place);

    // The payment was paid. A place that another payment has is left alone.
    void keep(std::uint32_t place, const Digest &claim);
    // The payment came to nothing (refused, or never settled): its name may be
    // given to another, unless it is kept.
    void forget(std::uint32_t place, const Digest &claim);

    std::size_t capacity() const;

private:
    struct Header;
    struct Cell;

    Digest mark_of(const PaymentName &name) const;
    Cell *bucket_of(const PaymentName &name, const Digest &mark,
                    unsigned choice) const;
    Cell *find(const PaymentName &name, std::int64_t now) const;
    Cell *room_for(const PaymentName &name, std::int64_t now) const;
    Cell *cell_at(std::uint32_t place, const Digest &claim) const;
    std::uint32_t place_of(const Cell &cell) const;

    std::uint8_t *memory_;
};

}  // namespace x402

#endif
