// SPDX-License-Identifier: Apache-2.0
#include "session/nonce_table.hpp"

namespace x402 {

struct NonceTable::Head {
    std::uint64_t magic;
    std::uint64_t bytes;
    UsedSheet sheets[kUsedSheets];
};

namespace {

// Raised with every change of what is in the table.
constexpr std::uint64_t kMagic = 0x783430326e6f6e01ULL;

}  // namespace

std::size_t NonceTable::least_bytes()
{
    return sizeof(Head) + kUsedSheets * sizeof(std::uint64_t);
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
    : sheets_(
        static_cast<Head *>(memory)->sheets,
        reinterpret_cast<std::uint64_t *>(static_cast<Head *>(memory) + 1),
        (static_cast<Head *>(memory)->bytes - sizeof(Head))
            / (kUsedSheets * sizeof(std::uint64_t)))
{
}

NonceUse NonceTable::use(const Digest &nonce, std::int64_t expires,
                         std::int64_t now)
{
    if (sheets_.has(nonce, now)) {
        return NonceUse::again;
    }
    return sheets_.add(nonce, expires, now) ? NonceUse::first
                                            : NonceUse::no_room;
}

}  // namespace x402
