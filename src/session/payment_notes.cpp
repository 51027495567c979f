// SPDX-License-Identifier: Apache-2.0
#include "session/payment_notes.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

constexpr std::size_t kInBucket = 8;

}  // namespace

struct PaymentNotes::Note {
    std::int64_t written;  // 0: free
    std::uint32_t size;
    std::uint32_t reserved;
    Digest payment;
    char text[kLongest];
};

PaymentNotes::Note *PaymentNotes::bucket_of(const Digest &payment) const
{
    static_assert(sizeof(Note) == 1024);
    std::uint64_t number;
    std::memcpy(&number, payment.data(), sizeof(number));
    return static_cast<Note *>(memory_)
           + number % (kNotes / kInBucket) * kInBucket;
}

PaymentNotes::Note *PaymentNotes::note_of(const Digest &payment) const
{
    Note *bucket = bucket_of(payment);
    for (std::size_t i = 0; i < kInBucket; i++) {
        if (bucket[i].written != 0 && bucket[i].payment == payment) {
            return &bucket[i];
        }
    }
    return nullptr;
}

std::uint32_t PaymentNotes::put(const Digest &payment, std::string_view text,
                                std::int64_t now)
{
    Note *bucket = bucket_of(payment);
    Note *note = bucket;
    for (std::size_t i = 0; i < kInBucket; i++) {
        // An earlier one after a free one stays: it says the same.
        if (bucket[i].written == 0 || bucket[i].payment == payment) {
            note = &bucket[i];
            break;
        }
        if (bucket[i].written < note->written) {
            note = &bucket[i];
        }
    }
    // A worker that dies in the middle leaves a free note.
    note->written = 0;
    note->size = static_cast<std::uint32_t>(std::min(text.size(), kLongest));
    std::memcpy(note->text, text.data(), note->size);
    note->payment = payment;
    note->written = std::max<std::int64_t>(now, 1);
    return static_cast<std::uint32_t>(note - static_cast<Note *>(memory_));
}

std::string PaymentNotes::find(const Digest &payment) const
{
    const Note *note = note_of(payment);
    return note ? std::string(note->text,
                              std::min<std::size_t>(note->size, kLongest))
                : std::string();
}

void PaymentNotes::erase(const Digest &payment)
{
    if (Note *note = note_of(payment)) {
        note->written = 0;
    }
}

void PaymentNotes::erase_at(std::uint32_t place, const Digest &payment)
{
    Note &note = static_cast<Note *>(memory_)[place % kNotes];
    // Needs no lock: a note that another payment takes in this moment has
    // another time, or is one that nothing depends on.
    std::int64_t written = __atomic_load_n(&note.written, __ATOMIC_ACQUIRE);
    if (written != 0 && note.payment == payment) {
        __atomic_compare_exchange_n(&note.written, &written, 0, false,
                                    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    }
}

}  // namespace x402
