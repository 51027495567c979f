// SPDX-License-Identifier: Apache-2.0
#include "session/used_payments.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

constexpr unsigned kBitsEach = 4;
// At eight bits of room for each a sheet that is full finds one stranger in
// forty.
constexpr std::size_t kRoomEach = 8;
constexpr std::size_t kWordBits = 64;
constexpr std::size_t kWordsInPiece = 128;

std::uint64_t mixed(std::uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

}  // namespace

template <class Visit>
void UsedPayments::for_bits_of(const Digest &key, Visit visit) const
{
    std::uint64_t hash = 0;
    for (std::size_t at = 0; at < key.size(); at += sizeof(hash)) {
        std::uint64_t word;
        std::memcpy(&word, key.data() + at, sizeof(word));
        hash = mixed(hash ^ word);
    }
    std::uint64_t step = mixed(hash) | 1;
    std::size_t bits = memory_.used_words() * kWordBits;
    for (unsigned i = 0; i < kBitsEach; i++) {
        std::size_t bit = (hash + i * step) % bits;
        visit(bit / kWordBits, std::uint64_t{1} << (bit % kWordBits));
    }
}

// Killed in the middle, it is cleared again before it is used.
void UsedPayments::clear(unsigned sheet)
{
    UsedSheet &head = memory_.header().used[sheet];
    head.latest = 0;
    store_fence();
    std::fill_n(memory_.used_sheet(sheet), memory_.used_words(), 0);
    store_fence();
    head.count = 0;
}

bool UsedPayments::add(const Digest &key, std::int64_t expires,
                       std::int64_t now)
{
    std::size_t most = memory_.used_words() * kWordBits / kRoomEach;
    for (unsigned sheet = 0; sheet < kUsedSheets; sheet++) {
        UsedSheet &head = memory_.header().used[sheet];
        if (head.latest <= now) {
            clear(sheet);
        }
        if (head.count >= most) {
            continue;
        }
        // Money: the time first, or the sheet could be emptied too early.
        head.latest = std::max(head.latest, expires);
        head.count++;
        store_fence();
        std::uint64_t *words = memory_.used_sheet(sheet);
        for_bits_of(key, [&](std::size_t word, std::uint64_t bit) {
            words[word] |= bit;
        });
        store_fence();
        return true;
    }
    return false;
}

bool UsedPayments::has(const Digest &key, std::int64_t now) const
{
    for (unsigned sheet = 0; sheet < kUsedSheets; sheet++) {
        if (memory_.header().used[sheet].latest <= now) {
            continue;
        }
        const std::uint64_t *words = memory_.used_sheet(sheet);
        bool all = true;
        for_bits_of(key, [&](std::size_t word, std::uint64_t bit) {
            all = all && (words[word] & bit) != 0;
        });
        if (all) {
            return true;
        }
    }
    return false;
}

std::size_t UsedPayments::pieces_in_sheet() const
{
    return (memory_.used_words() + kWordsInPiece - 1) / kWordsInPiece;
}

std::size_t UsedPayments::piece_count() const
{
    return kUsedSheets * pieces_in_sheet();
}

std::string UsedPayments::piece(std::size_t number, std::int64_t now) const
{
    std::size_t sheet = number / pieces_in_sheet();
    const UsedSheet &head = memory_.header().used[sheet];
    if (head.latest <= now) {
        return {};
    }
    JournalRecord record;
    record.kind = JournalKind::used;
    record.used.sheet = static_cast<std::uint32_t>(sheet);
    record.used.words = memory_.used_words();
    record.used.first = number % pieces_in_sheet() * kWordsInPiece;
    record.used.count = head.count;
    record.expires = head.latest;
    std::size_t words =
        std::min(kWordsInPiece, memory_.used_words() - record.used.first);
    record.used.bits.assign(
        reinterpret_cast<const char *>(
            memory_.used_sheet(record.used.sheet) + record.used.first),
        words * sizeof(std::uint64_t));
    return journal_bytes(record);
}

bool UsedPayments::restore(const JournalRecord &record)
{
    const UsedPiece &piece = record.used;
    std::size_t words = piece.bits.size() / sizeof(std::uint64_t);
    if (piece.words != memory_.used_words() || piece.sheet >= kUsedSheets
        || piece.first > piece.words || words > piece.words - piece.first) {
        return false;
    }
    UsedSheet &head = memory_.header().used[piece.sheet];
    head.latest = std::max(head.latest, record.expires);
    head.count = std::max(head.count, piece.count);
    std::uint64_t *into = memory_.used_sheet(piece.sheet) + piece.first;
    for (std::size_t i = 0; i < words; i++) {
        std::uint64_t word;
        std::memcpy(&word, piece.bits.data() + i * sizeof(word), sizeof(word));
        into[i] |= word;
    }
    return true;
}

}  // namespace x402
