// SPDX-License-Identifier: Apache-2.0
#include "session/nonce_table.hpp"

#include <algorithm>

namespace x402 {

struct NonceTable::Head {
    std::uint64_t magic;
    std::uint64_t bytes;
    std::int64_t began;
    BloomSheet sheets[kBloomSheets];
};

namespace {

// Raised with every change of what is in the table.
constexpr std::uint64_t kMagic = 0x783430326e6f6e02ULL;

}  // namespace

std::size_t NonceTable::least_bytes()
{
    return sizeof(Head) + kBloomSheets * sizeof(std::uint64_t);
}

void NonceTable::format(void *memory, std::size_t bytes)
{
    auto *head = static_cast<Head *>(memory);
    head->magic = kMagic;
    head->bytes = bytes;
}

bool NonceTable::recognises(const void *memory, std::size_t bytes)
{
    const auto *head = static_cast<const Head *>(memory);
    return head->magic == kMagic && head->bytes == bytes;
}

NonceTable::NonceTable(void *memory)
    : head_(static_cast<Head *>(memory)),
      sheets_(head_->sheets, reinterpret_cast<std::uint64_t *>(head_ + 1),
              (head_->bytes - sizeof(Head))
                  / (kBloomSheets * sizeof(std::uint64_t)))
{
}

void NonceTable::begin(std::int64_t now)
{
    head_->began = now;
}

std::int64_t NonceTable::moment(std::int64_t now) const
{
    bool ahead = now <= head_->began && now + kRestartSeconds >= head_->began;
    return ahead ? head_->began + 1 : now;
}

NonceUse NonceTable::use(const Digest &nonce, std::int64_t issued,
                         std::int64_t expires, std::int64_t now, NonceOf whose)
{
    // Money: a copy of a request must not open again after a restart.
    if (issued <= head_->began || sheets_.has(nonce, now)) {
        return NonceUse::again;
    }
    bool has_room = whose == NonceOf::payer
                    || std::any_of(head_->sheets, head_->sheets + kBloomSheets,
                                   [now](const BloomSheet &sheet) {
                                       return sheet.latest <= now;
                                   });
    return has_room && sheets_.add(nonce, expires, now) ? NonceUse::first
                                                        : NonceUse::no_room;
}

}  // namespace x402
