// SPDX-License-Identifier: Apache-2.0
#include "policy/aptos_transaction.hpp"

#include <cstddef>
#include <cstdint>

#include "base/json_document.hpp"

namespace x402 {

namespace {

constexpr std::size_t kAddressBytes = 32;
constexpr std::size_t kNumberBytes = 8;
constexpr unsigned kDeepestType = 8;

// BCS: numbers are little-endian, lengths and variants ULEB128 in the shortest
// form.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    bool at_end() const { return rest_.empty(); }

    bool skip(std::size_t count)
    {
        if (count > rest_.size()) {
            return false;
        }
        rest_.remove_prefix(count);
        return true;
    }

    std::optional<std::size_t> count()
    {
        std::size_t value = 0;
        for (unsigned place = 0; place < 4 && !rest_.empty(); ++place) {
            auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            if (place > 0 && byte == 0) {
                return std::nullopt;
            }
            value |= static_cast<std::size_t>(byte & 0x7f) << (7 * place);
            if ((byte & 0x80) == 0) {
                return value;
            }
        }
        return std::nullopt;
    }

    // A length, and so many bytes: a name or an argument.
    bool skip_bytes()
    {
        std::optional<std::size_t> length = count();
        return length && skip(*length);
    }

    // A number of elements, and each of them.
    template <class Element> bool skip_list(Element skip_element)
    {
        std::optional<std::size_t> elements = count();
        for (std::size_t index = 0; elements && index < *elements; ++index) {
            if (!skip_element()) {
                return false;
            }
        }
        return elements.has_value();
    }

private:
    std::string_view rest_;
};

bool skip_type(Reader &reader, unsigned depth)
{
    constexpr std::size_t kVector = 6;
    constexpr std::size_t kStruct = 7;
    constexpr std::size_t kLast = 10;  // u256

    std::optional<std::size_t> variant = reader.count();
    if (!variant || *variant > kLast || depth > kDeepestType) {
        return false;
    }
    if (*variant == kVector) {
        return skip_type(reader, depth + 1);
    }
    return *variant != kStruct
           || (reader.skip(kAddressBytes) && reader.skip_bytes()
               && reader.skip_bytes() && reader.skip_list([&] {
                      return skip_type(reader, depth + 1);
                  }));
}

bool skip_fee_payer(Reader &reader)
{
    std::optional<std::size_t> present = reader.count();
    return present && *present <= 1
           && (*present == 0 || reader.skip(kAddressBytes));
}

bool is_whole_transaction(std::string_view bytes)
{
    constexpr std::size_t kEntryFunction = 2;

    Reader reader(bytes);
    return reader.skip(kAddressBytes + kNumberBytes)  // sender, sequence number
           && reader.count() == kEntryFunction && reader.skip(kAddressBytes)
           && reader.skip_bytes()  // module
           && reader.skip_bytes()  // function
           && reader.skip_list([&] { return skip_type(reader, 0); })
           && reader.skip_list([&] { return reader.skip_bytes(); })
           && reader.skip(3 * kNumberBytes + 1)  // gas, expiration, chain id
           && skip_fee_payer(reader) && reader.at_end();
}

std::optional<std::string> bytes_of(JsonValue array)
{
    std::string bytes;
    bytes.reserve(array.size());
    for (std::size_t index = 0; index < array.size(); ++index) {
        std::optional<std::int64_t> byte = array.at(index).integer();
        if (!byte || *byte < 0 || *byte > 255) {
            return std::nullopt;
        }
        bytes.push_back(static_cast<char>(*byte));
    }
    return array.is_array() && !bytes.empty()
               ? std::optional<std::string>(std::move(bytes))
               : std::nullopt;
}

}  // namespace

std::optional<std::string> aptos_transaction(std::string_view text)
{
    // A byte is a value here; a payment header holds 64 KB in all.
    JsonLimits limits;
    limits.values = 32 * 1024;
    auto document = JsonDocument::parse(text, limits);
    JsonValue root = document ? document->root() : JsonValue();
    auto transaction = bytes_of(root["transaction"]);
    if (root.size() != 2 || !transaction
        || !bytes_of(root["senderAuthenticator"])
        || !is_whole_transaction(*transaction)) {
        return std::nullopt;
    }
    return transaction;
}

}  // namespace x402
