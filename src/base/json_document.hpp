// SPDX-License-Identifier: Apache-2.0
// Reads JSON from untrusted sources, under limits.
#ifndef X402_BASE_JSON_DOCUMENT_HPP
#define X402_BASE_JSON_DOCUMENT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_limits.hpp"
#include "base/json_tree.hpp"
#include "base/result.hpp"

namespace x402 {

// A borrowed view of one value; cheap to copy. A value that does not exist
// behaves as a JSON null whose exists() is false, so look-ups can be chained.
// Lifetime: the JsonDocument it came from.
class JsonValue {
public:
    JsonValue() = default;

    bool exists() const { return node_ != nullptr; }
    bool is_null() const { return !exists() || is(JsonKind::null); }
    bool is_object() const { return is(JsonKind::object); }
    bool is_array() const { return is(JsonKind::array); }
    bool is_string() const { return is(JsonKind::string); }
    bool is_number() const
    {
        return is(JsonKind::integer) || is(JsonKind::real);
    }
    bool is_true() const { return is(JsonKind::boolean_true); }
    bool is_boolean() const { return is_true() || is(JsonKind::boolean_false); }

    // Empty unless is_string().
    std::string_view string() const
    {
        return is_string() ? node_->string() : std::string_view();
    }
    // A number with an integral value that fits 64 bits (2, 2.0); else nullopt.
    std::optional<std::int64_t> integer() const;

    // Member of an object; a value that does not exist for anything else.
    JsonValue operator[](std::string_view key) const;
    // Elements of an array or members of an object; 0 for anything else.
    std::size_t size() const
    {
        return exists() && node_->holds_values() ? node_->size : 0;
    }
    // Element of an array; a value that does not exist for anything else.
    JsonValue at(std::size_t index) const;
    // In the order of the text; empty for anything but an object.
    std::vector<std::pair<std::string_view, JsonValue>> members() const;

    // Deep equality; numbers by value (300 equals 300.0), member order free.
    bool equals(JsonValue other) const;
    // The same, but objects may have more members than those of `less`.
    bool covers(JsonValue less) const;

    // Appends the value as compact text, member order kept (json_text.hpp).
    // A value that does not exist is written as null.
    void write(std::string &out) const;

private:
    friend class JsonDocument;
    explicit JsonValue(const JsonNode *node) : node_(node) {}
    bool is(JsonKind kind) const { return exists() && node_->kind == kind; }
    const JsonNode *node_ = nullptr;
};

// Owns a parsed text.
class JsonDocument {
public:
    // A document without a value: root().exists() is false.
    JsonDocument() = default;

    // Refuses duplicate member names, NUL in strings and as a byte anywhere,
    // invalid UTF-8, trailing bytes, integers beyond 64 bits and texts that
    // exceed the limits. Any value may be the root. Problem: a few words.
    static Result<JsonDocument> parse(std::string_view text,
                                      const JsonLimits &limits = {});
    // The same, and the Problem says what is wrong at which byte. For the texts
    // of operators: to explain a refusal costs ten times as much as to refuse.
    static Result<JsonDocument> parse_explained(std::string_view text,
                                                const JsonLimits &limits = {});

    // What the limits count (json_limits.hpp).
    const JsonCounts &counts() const { return tree_.counts(); }

    JsonValue root() const { return JsonValue(tree_.root()); }

private:
    explicit JsonDocument(JsonTree tree) : tree_(std::move(tree)) {}
    JsonTree tree_;
};

// `over` merged over `under` (both objects): members of `over` win, nested
// objects are merged likewise; members of `under` come first. Compact text.
std::string merge_json_objects(JsonValue under, JsonValue over);

}  // namespace x402

#endif
