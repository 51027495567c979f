// SPDX-License-Identifier: Apache-2.0
// The values of one JSON text, in one block of memory: what a reader fills
// (json_reader.hpp) and JsonValue looks at (json_document.hpp).
#ifndef X402_BASE_JSON_TREE_HPP
#define X402_BASE_JSON_TREE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

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

// The values of a text while it is read: names and strings are still where the
// reader has them. It can be used again, with the memory that it has.
class JsonNodes {
public:
    void clear() { nodes_.clear(); }
    std::size_t size() const { return nodes_.size(); }

    // Appends a value; `name` is empty outside of an object. Lifetime of the
    // reference: until the next value.
    JsonNode &add(JsonKind kind, std::string_view name)
    {
        JsonNode &node = nodes_.emplace_back();
        node.integer = 0;
        node.name = name.data();
        node.name_size = static_cast<std::uint32_t>(name.size());
        node.size = 0;
        node.kind = kind;
        return node;
    }
    void add_string(std::string_view text, std::string_view name)
    {
        JsonNode &node = add(JsonKind::string, name);
        node.text = text.data();
        node.size = static_cast<std::uint32_t>(text.size());
    }
    // Ends the container at `index` with so many children.
    const JsonNode &close(std::size_t index, std::size_t children)
    {
        JsonNode &node = nodes_[index];
        node.span = nodes_.size() - index - 1;
        node.size = static_cast<std::uint32_t>(children);
        return node;
    }

    const std::vector<JsonNode> &nodes() const { return nodes_; }

private:
    std::vector<JsonNode> nodes_;
};

class JsonTree {
public:
    JsonTree() = default;
    // Copies the values with their names and strings. Throws std::bad_alloc.
    JsonTree(const JsonNodes &values, const JsonCounts &counts);

    // nullptr without values. Lifetime: the tree, also when it moves.
    const JsonNode *root() const
    {
        return reinterpret_cast<const JsonNode *>(block_.get());
    }
    const JsonCounts &counts() const { return counts_; }

private:
    std::unique_ptr<char[]> block_;  // nodes, and after them text
    JsonCounts counts_;
};

// Whether two members of `object` have the same name.
bool repeats_a_name(const JsonNode &object);

}  // namespace x402

#endif
