// SPDX-License-Identifier: Apache-2.0
#include "policy/solana_transaction.hpp"

#include <cstddef>

namespace x402 {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr char kSystemProgram[kKeyBytes] = {};  // its address is 32 zeros

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::string_view rest() const { return rest_; }

    bool skip(std::size_t count)
    {
        if (count > rest_.size()) {
            return false;
        }
        rest_.remove_prefix(count);
        return true;
    }

    std::optional<unsigned> byte()
    {
        if (rest_.empty()) {
            return std::nullopt;
        }
        unsigned value = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }

    // compact-u16: seven bits a byte, lowest first, at most 65535.
    std::optional<std::size_t> count()
    {
        std::size_t value = 0;
        for (unsigned place = 0; place < 3; ++place) {
            std::optional<unsigned> next = byte();
            if (!next || (place > 0 && *next == 0)) {
                return std::nullopt;
            }
            value |= static_cast<std::size_t>(*next & 0x7f) << (7 * place);
            if ((*next & 0x80) == 0) {
                return value <= 0xffff ? std::optional<std::size_t>(value)
                                       : std::nullopt;
            }
        }
        return std::nullopt;
    }

    // A count, and so many items of `size` bytes.
    bool skip_list(std::size_t size)
    {
        std::optional<std::size_t> pieces = count();
        return pieces && skip(*pieces * size);
    }

private:
    std::string_view rest_;
};

bool skip_instructions(Reader &reader)
{
    std::optional<std::size_t> instructions = reader.count();
    for (std::size_t index = 0; instructions && index < *instructions;
         ++index) {
        if (!reader.skip(1) || !reader.skip_list(1) || !reader.skip_list(1)) {
            return false;
        }
    }
    return instructions.has_value();
}

bool skip_lookups(Reader &reader)
{
    std::optional<std::size_t> lookups = reader.count();
    for (std::size_t index = 0; lookups && index < *lookups; ++index) {
        if (!reader.skip(kKeyBytes) || !reader.skip_list(1)
            || !reader.skip_list(1)) {
            return false;
        }
    }
    return lookups.has_value();
}

constexpr unsigned kVersioned = 0x80;  // version 0; no other exists

}  // namespace

std::optional<std::string_view> solana_message(std::string_view transaction)
{
    Reader reader(transaction);
    std::optional<std::size_t> signatures = reader.count();
    if (!signatures || *signatures == 0
        || !reader.skip(*signatures * kSignatureBytes)) {
        return std::nullopt;
    }
    std::string_view message = reader.rest();
    std::optional<unsigned> first = reader.byte();
    bool versioned = first == kVersioned;
    std::optional<unsigned> signers = versioned ? reader.byte() : first;
    if (!signers || *signers != *signatures
        || !reader.skip(2)  // the numbers of read-only accounts
        || !reader.skip_list(kKeyBytes)
        || !reader.skip(kKeyBytes)  // recent block hash
        || !skip_instructions(reader) || (versioned && !skip_lookups(reader))
        || !reader.rest().empty()) {
        return std::nullopt;
    }
    return message;
}

bool has_durable_nonce(std::string_view message)
{
    constexpr std::string_view kAdvanceNonce("\4\0\0\0", 4);

    Reader reader(message);
    bool versioned = static_cast<unsigned char>(message[0]) == kVersioned;
    reader.skip(versioned ? 4 : 3);
    std::optional<std::size_t> keys = reader.count();
    std::string_view first_key = reader.rest();
    std::optional<std::size_t> instructions =
        keys && reader.skip((*keys + 1) * kKeyBytes) ? reader.count()
                                                     : std::nullopt;
    std::optional<unsigned> program =
        instructions && *instructions > 0 ? reader.byte() : std::nullopt;
    if (!program || *program >= *keys || !reader.skip_list(1)
        || first_key.substr(*program * kKeyBytes, kKeyBytes)
               != std::string_view(kSystemProgram, kKeyBytes)) {
        return false;
    }
    std::optional<std::size_t> length = reader.count();
    return length && *length >= kAdvanceNonce.size()
           && reader.rest().substr(0, kAdvanceNonce.size()) == kAdvanceNonce;
}

}  // namespace x402
