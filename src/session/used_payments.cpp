// SPDX-License-Identifier: Apache-2.0
#include "session/used_payments.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

constexpr std::size_t kWordsInPiece = 128;

}  // namespace

std::size_t UsedPayments::pieces_in_sheet() const
{
    return (memory_.used_words() + kWordsInPiece - 1) / kWordsInPiece;
}

std::size_t UsedPayments::piece_count() const
{
    return kBloomSheets * pieces_in_sheet();
}

std::string UsedPayments::piece(std::size_t number, std::int64_t now) const
{
    std::size_t sheet = number / pieces_in_sheet();
    const BloomSheet &head = memory_.header().used[sheet];
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
        reinterpret_cast<const char *>(memory_.used_sheet(record.used.sheet)
                                       + record.used.first),
        words * sizeof(std::uint64_t));
    return journal_bytes(record);
}

bool UsedPayments::restore(const JournalRecord &record)
{
    const UsedPiece &piece = record.used;
    std::size_t words = piece.bits.size() / sizeof(std::uint64_t);
    if (piece.words != memory_.used_words() || piece.sheet >= kBloomSheets
        || piece.first > piece.words || words > piece.words - piece.first) {
        return false;
    }
    BloomSheet &head = memory_.header().used[piece.sheet];
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
