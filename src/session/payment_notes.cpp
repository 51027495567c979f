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

void PaymentNotes::put(const Digest &payment, std::string_view text,
                       std::int64_t now)
{
    Note *note = note_of(payment);
    if (note == nullptr) {
        Note *bucket = bucket_of(payment);
        note = std::min_element(
            bucket, bucket + kInBucket,
            [](const Note &a, const Note &b) { return a.written < b.written; });
    }
    // A worker that dies in the middle leaves a free note.
    note->written = 0;
    note->size = static_cast<std::uint32_t>(std::min(text.size(), kLongest));
    std::memcpy(note->text, text.data(), note->size);
    note->payment = payment;
    note->written = std::max<std::int64_t>(now, 1);
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

}  // namespace x402
