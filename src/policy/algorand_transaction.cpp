// SPDX-License-Identifier: Apache-2.0
#include "policy/algorand_transaction.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "base/sha256_digest.hpp"

namespace x402 {

namespace {

enum class Kind { number, bytes32, note, text };

struct Field {
    std::string_view name;
    Kind kind;
};

// The members of payments and asset transfers.
constexpr Field kFields[] = {
    {"aamt", Kind::number},  {"aclose", Kind::bytes32},
    {"amt", Kind::number},   {"arcv", Kind::bytes32},
    {"asnd", Kind::bytes32}, {"close", Kind::bytes32},
    {"fee", Kind::number},   {"fv", Kind::number},
    {"gen", Kind::text},     {"gh", Kind::bytes32},
    {"grp", Kind::bytes32},  {"lv", Kind::number},
    {"lx", Kind::bytes32},   {"note", Kind::note},
    {"rcv", Kind::bytes32},  {"rekey", Kind::bytes32},
    {"snd", Kind::bytes32},  {"type", Kind::text},
    {"xaid", Kind::number},
};

enum class Type { number, bytes, text, array, map, other };

// One msgpack value: its type, and its number, its length in bytes or its
// count of members. `shortest`: no shorter head would have done.
struct Head {
    Type type = Type::other;
    std::uint64_t value = 0;
    bool shortest = true;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::string_view rest() const { return rest_; }

    std::optional<std::string_view> take(std::uint64_t count)
    {
        if (count > rest_.size()) {
            return std::nullopt;
        }
        std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::optional<Head> head()
    {
        auto first = take(1);
        if (!first) {
            return std::nullopt;
        }
        unsigned tag = static_cast<unsigned char>(first->front());
        if (tag < 0x80) {
            return Head{Type::number, tag, true};
        }
        if (tag < 0xc0) {
            Type type = tag < 0x90   ? Type::map
                        : tag < 0xa0 ? Type::array
                                     : Type::text;
            return Head{type, tag & (tag < 0xa0 ? 0x0fu : 0x1fu), true};
        }
        switch (tag) {
        case 0xc4:
            return sized(Type::bytes, 1, 0);
        case 0xc5:
            return sized(Type::bytes, 2, 0xff);
        case 0xc6:
            return sized(Type::bytes, 4, 0xffff);
        case 0xcc:
            return sized(Type::number, 1, 0x7f);
        case 0xcd:
            return sized(Type::number, 2, 0xff);
        case 0xce:
            return sized(Type::number, 4, 0xffff);
        case 0xcf:
            return sized(Type::number, 8, 0xffffffff);
        case 0xd9:
            return sized(Type::text, 1, 31);
        case 0xda:
            return sized(Type::text, 2, 0xff);
        case 0xdb:
            return sized(Type::text, 4, 0xffff);
        case 0xdc:
            return sized(Type::array, 2, 15);
        case 0xdd:
            return sized(Type::array, 4, 0xffff);
        case 0xde:
            return sized(Type::map, 2, 15);
        case 0xdf:
            return sized(Type::map, 4, 0xffff);
        case 0xc2:
        case 0xc3:
            return Head();  // false and true
        default:
            return std::nullopt;  // not a type of an Algorand member
        }
    }

    // One value with its content.
    bool skip(unsigned depth = 0)
    {
        constexpr unsigned kDeepest = 16;
        std::optional<Head> value = head();
        if (!value || depth > kDeepest) {
            return false;
        }
        if (value->type == Type::bytes || value->type == Type::text) {
            return take(value->value).has_value();
        }
        bool map = value->type == Type::map;
        bool holds = map || value->type == Type::array;
        std::uint64_t parts = holds ? value->value * (map ? 2 : 1) : 0;
        for (; parts > 0; --parts) {
            if (!skip(depth + 1)) {
                return false;
            }
        }
        return true;
    }

    std::optional<std::string_view> text()
    {
        std::optional<Head> value = head();
        return value && value->type == Type::text && value->shortest
                   ? take(value->value)
                   : std::nullopt;
    }

private:
    std::optional<Head> sized(Type type, std::uint64_t bytes,
                              std::uint64_t largest_below)
    {
        auto digits = take(bytes);
        if (!digits) {
            return std::nullopt;
        }
        std::uint64_t value = 0;
        for (char digit : *digits) {
            value = value << 8 | static_cast<unsigned char>(digit);
        }
        // The smallest head for bytes is the first one with a length.
        bool shortest = largest_below == 0 || value > largest_below;
        return Head{type, value, shortest};
    }

    std::string_view rest_;
};

bool is_canonical(Kind kind, const Head &head, std::string_view content)
{
    switch (kind) {
    case Kind::number:
        return head.type == Type::number && head.value != 0;
    case Kind::bytes32:
        return head.type == Type::bytes && content.size() == 32
               && content.find_first_not_of('\0') != std::string_view::npos;
    case Kind::note:
        return head.type == Type::bytes && !content.empty();
    case Kind::text:
        return head.type == Type::text && !content.empty();
    }
    return false;
}

// The map of a transaction, read to its end; `group` is left empty without one.
bool read_fields(Reader &reader, std::string_view &group)
{
    std::optional<Head> map = reader.head();
    if (!map || map->type != Type::map || !map->shortest || map->value == 0) {
        return false;
    }
    std::string_view last;
    for (std::uint64_t index = 0; index < map->value; ++index) {
        std::optional<std::string_view> name = reader.text();
        const Field *field =
            std::find_if(std::begin(kFields), std::end(kFields),
                         [&](const Field &one) { return one.name == name; });
        if (field == std::end(kFields) || !(last < *name)) {
            return false;
        }
        last = *name;
        std::optional<Head> head = reader.head();
        bool sized =
            head && (head->type == Type::bytes || head->type == Type::text);
        auto content = reader.take(sized ? head->value : 0);
        if (!head || !head->shortest || !content
            || !is_canonical(field->kind, *head, *content)) {
            return false;
        }
        if (field->name == "grp") {
            group = *content;
        }
    }
    return true;
}

}  // namespace

bool is_msgpack_map(std::string_view bytes)
{
    std::optional<Head> head = Reader(bytes).head();
    Reader reader(bytes);
    return head && head->type == Type::map && reader.skip()
           && reader.rest().empty();
}

std::optional<std::string> algorand_transaction_key(std::string_view bytes)
{
    Reader reader(bytes);
    std::optional<Head> map = reader.head();
    if (!is_msgpack_map(bytes) || !map) {
        return std::nullopt;
    }
    std::optional<std::string> key;
    for (std::uint64_t index = 0; index < map->value; ++index) {
        std::optional<std::string_view> name = reader.text();
        if (!name || (name != "txn" && !reader.skip())) {
            return std::nullopt;
        }
        if (name != "txn") {
            continue;
        }
        std::string_view from = reader.rest();
        std::string_view group;
        if (key || !read_fields(reader, group)) {
            return std::nullopt;
        }
        std::string transaction = "TX";
        transaction.append(from.substr(0, from.size() - reader.rest().size()));
        Digest id = sha512_256(transaction);
        key = group.empty() ? std::string(id.begin(), id.end())
                            : std::string(group);
    }
    return key;
}

}  // namespace x402
