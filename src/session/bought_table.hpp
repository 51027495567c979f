// SPDX-License-Identifier: Apache-2.0
// What payers have bought and may come back for (x402_sign_in), in shared
// memory, and as an image of it in a file: cells of 64 bytes, each with a
// checksum, so that a cell that was half written is one that is not there. The
// file has the table's secret, too, as a cell that has expired.
//
// Money: a cell opens what its payer paid for and nothing else. One that is
// lost, or gave its place to another, costs its payer a payment.
#ifndef X402_SESSION_BOUGHT_TABLE_HPP
#define X402_SESSION_BOUGHT_TABLE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "session/claim_binding.hpp"

namespace x402 {

// Payer, scope and terms: what a payer has bought in one kind of money.
using BoughtKey = std::array<std::uint8_t, 24>;
// `payer` in one spelling; `bought.resource` is the scope.
BoughtKey bought_key(std::string_view payer, const ClaimBinding &bought);

// Under it the places of purchases are chosen: without it a thief could choose
// cheap ones that meet an expensive one.
using BoughtSecret = std::array<std::uint8_t, 16>;

class BoughtTable {
public:
    static constexpr std::size_t kCellBytes = 64;

    static std::size_t least_bytes();
    static std::size_t capacity(std::size_t bytes);
    // Writes an empty table. Precondition: zeroed, aligned to 8, at least
    // least_bytes().
    static void format(void *memory, std::size_t bytes);
    static bool recognises(const void *memory, std::size_t bytes);

    // A table that was formatted. Hold the zone's lock.
    explicit BoughtTable(void *memory);

    // Precondition: the table is empty.
    void use_secret(const BoughtSecret &secret);
    // The cell of a file that has it, and what such a cell says; nullopt: it is
    // another one.
    std::string secret_cell() const;
    static std::optional<BoughtSecret> secret_in(std::string_view bytes);

    // Remembers that `asked` was paid, until `until` (unix seconds). What costs
    // less prolongs nothing that costs more, and what costs more takes its
    // place. Returns the cell, for the file; nullopt: an amount of more than
    // 128 bits.
    std::optional<std::size_t> remember(const BoughtKey &key,
                                        const AmountBytes &asked,
                                        std::int64_t until, std::int64_t now);

    // What was paid; nullopt: nothing that is remembered.
    std::optional<AmountBytes> find(const BoughtKey &key, std::int64_t now,
                                    std::int64_t &until) const;

    // The bytes of a cell, as the file has them at cell * kCellBytes.
    std::string_view bytes_of(std::size_t cell) const;
    std::size_t cells() const;
    // Whether the bytes can be a cell of such a file: whole, or empty.
    enum class CellKind { whole, empty, foreign };
    static CellKind kind_of(std::string_view bytes);
    // Takes a cell of a file in, wherever it stood there. False: it is empty,
    // expired or broken.
    bool restore(std::string_view bytes, std::int64_t now);

private:
    struct Head;
    struct Cell;

    Cell *find_cell(const BoughtKey &key) const;
    // That of the key, a free one, or the one that ends first.
    Cell *cell_for(const BoughtKey &key, std::int64_t now);
    std::array<Cell *, 2> sets_of(const BoughtKey &key) const;
    static void seal(Cell &cell);
    void fill(Cell &cell, const BoughtKey &key, const std::uint8_t *asked,
              std::int64_t until);
    static bool is_whole(const Cell &cell);

    Head *head_;
};

}  // namespace x402

#endif
