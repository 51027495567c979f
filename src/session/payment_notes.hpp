// SPDX-License-Identifier: Apache-2.0
// What the ledger has to know of payments whose settlement is in progress or
// unknown, beside their claims: for the event that comes when the request, or
// the worker that began it, is gone. A fixed table in memory that the caller
// owns. The caller holds the lock of that memory around every call but
// erase_at(), which needs none.
//
// Nothing about money depends on it: of a payment that has no note, because the
// table was full or nginx was restarted, the line has fewer members.
#ifndef X402_SESSION_PAYMENT_NOTES_HPP
#define X402_SESSION_PAYMENT_NOTES_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/sha256_digest.hpp"

namespace x402 {

class PaymentNotes {
public:
    static constexpr std::size_t kNotes = 4096;
    static constexpr std::size_t kLongest = 976;

    static constexpr std::size_t bytes() { return kNotes * 1024; }

    // Lifetime: borrows zeroed or used memory, aligned to 8.
    explicit PaymentNotes(void *memory) : memory_(memory) {}

    // Instead of an earlier note of the payment. Where its bucket is full the
    // oldest of it goes. `text` has at most kLongest bytes. Returns its place.
    std::uint32_t put(const Digest &payment, std::string_view text,
                      std::int64_t now);
    // Empty: there is none.
    std::string find(const Digest &payment) const;
    void erase(const Digest &payment);
    // The same, of one that was put there; it may be another payment's by now.
    // Without the lock.
    void erase_at(std::uint32_t place, const Digest &payment);

private:
    struct Note;

    Note *bucket_of(const Digest &payment) const;
    Note *note_of(const Digest &payment) const;

    void *memory_;
};

}  // namespace x402

#endif
