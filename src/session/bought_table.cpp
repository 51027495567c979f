// SPDX-License-Identifier: Apache-2.0
#include "session/bought_table.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x78343032626f7502ULL;
constexpr std::size_t kWays = 8;
constexpr std::size_t kAskedBytes = 16;
// Of a secret in a file. To all that do not know it, it is a purchase that
// ended in 1970.
constexpr std::int64_t kSecretUntil = 1;
constexpr char kSecretMark[] = {'x', '4', '0', '2', 'k', 'e', 'y', '1'};

}  // namespace

struct BoughtTable::Head {
    std::uint64_t magic;
    std::uint64_t bytes;
    std::uint64_t sets;
    BoughtSecret secret;
};

struct BoughtTable::Cell {
    std::int64_t until;  // unix s; 0: free
    BoughtKey key;
    std::uint8_t asked[kAskedBytes];  // big-endian
    std::uint8_t sum[16];             // of all before
};

BoughtKey bought_key(std::string_view payer, const ClaimBinding &bought)
{
    std::string text = "bought\n";
    text.append(reinterpret_cast<const char *>(bought.resource.data()),
                bought.resource.size());
    text.append(reinterpret_cast<const char *>(bought.terms.data()),
                bought.terms.size());
    text += payer;
    Digest digest = sha256(text);
    BoughtKey key;
    std::copy_n(digest.begin(), key.size(), key.begin());
    return key;
}

std::size_t BoughtTable::least_bytes()
{
    return sizeof(Head) + kWays * sizeof(Cell);
}

std::size_t BoughtTable::capacity(std::size_t bytes)
{
    static_assert(sizeof(Cell) == kCellBytes);
    return (bytes - sizeof(Head)) / (kWays * sizeof(Cell)) * kWays;
}

void BoughtTable::format(void *memory, std::size_t bytes)
{
    auto *head = static_cast<Head *>(memory);
    head->bytes = bytes;
    head->sets = capacity(bytes) / kWays;
    head->magic = kMagic;
}

bool BoughtTable::recognises(const void *memory, std::size_t bytes)
{
    auto *head = static_cast<const Head *>(memory);
    return head->magic == kMagic && head->bytes == bytes;
}

BoughtTable::BoughtTable(void *memory) : head_(static_cast<Head *>(memory)) {}

std::size_t BoughtTable::cells() const
{
    return head_->sets * kWays;
}

void BoughtTable::use_secret(const BoughtSecret &secret)
{
    head_->secret = secret;
}

std::string BoughtTable::secret_cell() const
{
    Cell cell{};
    cell.until = kSecretUntil;
    auto *rest = std::copy(std::begin(kSecretMark), std::end(kSecretMark),
                           cell.key.begin());
    std::copy(head_->secret.begin(), head_->secret.end(), rest);
    seal(cell);
    return {reinterpret_cast<const char *>(&cell), sizeof(cell)};
}

std::optional<BoughtSecret> BoughtTable::secret_in(std::string_view bytes)
{
    static_assert(sizeof(kSecretMark) + sizeof(BoughtSecret)
                  == sizeof(BoughtKey));
    Cell cell;
    if (bytes.size() != sizeof(cell)) {
        return std::nullopt;
    }
    std::memcpy(&cell, bytes.data(), sizeof(cell));
    if (cell.until != kSecretUntil || !is_whole(cell)
        || !std::equal(std::begin(kSecretMark), std::end(kSecretMark),
                       cell.key.begin())) {
        return std::nullopt;
    }
    BoughtSecret secret;
    std::copy(cell.key.begin() + sizeof(kSecretMark), cell.key.end(),
              secret.begin());
    return secret;
}

// A key has two sets.
std::array<BoughtTable::Cell *, 2>
BoughtTable::sets_of(const BoughtKey &key) const
{
    Digest digest =
        hmac_sha256({reinterpret_cast<const char *>(head_->secret.data()),
                     head_->secret.size()},
                    {reinterpret_cast<const char *>(key.data()), key.size()});
    std::array<Cell *, 2> sets;
    for (std::size_t which = 0; which < sets.size(); which++) {
        std::uint64_t hash;
        std::memcpy(&hash, digest.data() + which * sizeof(hash), sizeof(hash));
        sets[which] =
            reinterpret_cast<Cell *>(head_ + 1) + hash % head_->sets * kWays;
    }
    return sets;
}

BoughtTable::Cell *BoughtTable::find_cell(const BoughtKey &key) const
{
    for (Cell *set : sets_of(key)) {
        for (Cell *cell = set; cell != set + kWays; cell++) {
            if (cell->until != 0 && cell->key == key) {
                return cell;
            }
        }
    }
    return nullptr;
}

BoughtTable::Cell *BoughtTable::cell_for(const BoughtKey &key, std::int64_t now)
{
    if (Cell *known = find_cell(key)) {
        return known;
    }
    auto sets = sets_of(key);
    Cell *first = sets[0];
    for (Cell *set : sets) {
        for (Cell *cell = set; cell != set + kWays; cell++) {
            if (cell->until <= now) {
                return cell;
            }
            first = cell->until < first->until ? cell : first;
        }
    }
    return first;
}

void BoughtTable::fill(Cell &cell, const BoughtKey &key,
                       const std::uint8_t *asked, std::int64_t until)
{
    // Not there until its last word is written: a worker may be killed here.
    cell.until = 0;
    cell.key = key;
    std::memmove(cell.asked, asked, kAskedBytes);
    Cell whole = cell;
    whole.until = until;
    seal(whole);
    std::copy_n(whole.sum, sizeof(cell.sum), cell.sum);
    cell.until = until;
}

void BoughtTable::seal(Cell &cell)
{
    Digest sum = sha256({reinterpret_cast<const char *>(&cell),
                         sizeof(Cell) - sizeof(cell.sum)});
    std::copy_n(sum.begin(), sizeof(cell.sum), cell.sum);
}

bool BoughtTable::is_whole(const Cell &cell)
{
    Digest sum = sha256({reinterpret_cast<const char *>(&cell),
                         sizeof(Cell) - sizeof(cell.sum)});
    return std::equal(cell.sum, cell.sum + sizeof(cell.sum), sum.begin());
}

std::optional<std::size_t> BoughtTable::remember(const BoughtKey &key,
                                                 const AmountBytes &asked,
                                                 std::int64_t until,
                                                 std::int64_t now)
{
    constexpr std::size_t kHigh = sizeof(AmountBytes) - kAskedBytes;
    if (std::any_of(asked.begin(), asked.begin() + kHigh,
                    [](std::uint8_t byte) { return byte != 0; })) {
        return std::nullopt;
    }
    Cell &cell = *cell_for(key, now);
    std::uint8_t most[kAskedBytes];
    std::copy_n(asked.begin() + kHigh, kAskedBytes, most);
    if (cell.until > now && cell.key == key) {
        // Money: what costs less prolongs nothing that costs more.
        int more = std::memcmp(cell.asked, most, kAskedBytes);
        if (more > 0) {
            std::copy_n(cell.asked, kAskedBytes, most);
            until = cell.until;
        } else if (more == 0) {
            until = std::max(until, cell.until);
        }
    }
    fill(cell, key, most, until);
    return static_cast<std::size_t>(&cell
                                    - reinterpret_cast<Cell *>(head_ + 1));
}

std::optional<AmountBytes> BoughtTable::find(const BoughtKey &key,
                                             std::int64_t now,
                                             std::int64_t &until) const
{
    const Cell *cell = find_cell(key);
    if (cell == nullptr || cell->until <= now) {
        return std::nullopt;
    }
    until = cell->until;
    AmountBytes asked{};
    std::copy_n(cell->asked, kAskedBytes, asked.end() - kAskedBytes);
    return asked;
}

std::string_view BoughtTable::bytes_of(std::size_t cell) const
{
    return {reinterpret_cast<const char *>(head_ + 1) + cell * kCellBytes,
            kCellBytes};
}

BoughtTable::CellKind BoughtTable::kind_of(std::string_view bytes)
{
    Cell cell;
    if (bytes.size() != sizeof(cell)) {
        return CellKind::foreign;
    }
    std::memcpy(&cell, bytes.data(), sizeof(cell));
    if (is_whole(cell)) {
        return CellKind::whole;
    }
    bool empty = std::all_of(bytes.begin(), bytes.end(),
                             [](char byte) { return byte == 0; });
    return empty ? CellKind::empty : CellKind::foreign;
}

bool BoughtTable::restore(std::string_view bytes, std::int64_t now)
{
    Cell cell;
    if (bytes.size() != sizeof(cell)) {
        return false;
    }
    std::memcpy(&cell, bytes.data(), sizeof(cell));
    if (cell.until <= now || !is_whole(cell)) {
        return false;
    }
    fill(*cell_for(cell.key, now), cell.key, cell.asked, cell.until);
    return true;
}

}  // namespace x402
