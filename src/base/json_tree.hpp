// SPDX-License-Identifier: Apache-2.0
// The values of one JSON text, in one block of memory: what a reader fills
// (json_reader.hpp) and JsonValue looks at (json_document.hpp).
#ifndef X402_BASE_JSON_TREE_HPP
#define X402_BASE_JSON_TREE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/json_limits.hpp"

namespace x402 {

enum class JsonKind : std::uint8_t {
    null,
    boolean_false,
    boolean_true,
    integer,
    real,
    string,
    array,
    object
};

// A value. The values inside of it follow it, in the order of the text, and
// then comes its next sibling.
struct JsonNode {
    union {
        const char *text;  // of a string
        std::int64_t integer;
        double real;
        std::size_t span;  // array, object: nodes inside, at every depth
    };
    const char *name;  // of a member
    std::size_t name_size : 29;
    std::size_t size : 32;  // bytes of a string, children of a container
    JsonKind kind : 3;

    bool holds_values() const { return kind >= JsonKind::array; }
    std::string_view string() const { return {text, size}; }
    std::string_view name_text() const { return {name, name_size}; }
    const JsonNode *first() const { return this + 1; }
    const JsonNode *next() const
    {
        return this + 1 + (holds_values() ? span : 0);
    }
};

class JsonTree {
public:
    // What a tree needs: for its values, and for its names and strings.
    struct Size {
        std::size_t nodes = 0;
        std::size_t bytes = 0;
    };

    JsonTree() = default;
    // Without values yet. Throws std::bad_alloc.
    JsonTree(const Size &room, const JsonCounts &counts);

    // nullptr without values. Lifetime: the tree, also when it moves.
    const JsonNode *root() const { return used_ > 0 ? nodes() : nullptr; }
    const JsonCounts &counts() const { return counts_; }

    // Appends a value; `name` is empty outside of an object. Both copy their
    // text. Precondition: there is room.
    JsonNode &add(JsonKind kind, std::string_view name);
    void add_string(std::string_view text, std::string_view name);
    // Ends the container `node` with so many children.
    void close(JsonNode &node, std::size_t children);

private:
    JsonNode *nodes() const
    {
        return reinterpret_cast<JsonNode *>(block_.get());
    }
    const char *keep(std::string_view text);

    std::unique_ptr<char[]> block_;  // nodes, and behind them text
    std::size_t used_ = 0;           // nodes
    char *free_text_ = nullptr;
    JsonCounts counts_;
};

// Whether two members of `object` have the same name.
bool repeats_a_name(const JsonNode &object);

}  // namespace x402

#endif
