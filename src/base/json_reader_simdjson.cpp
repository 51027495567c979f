// SPDX-License-Identifier: Apache-2.0
// read_json() by simdjson: its DOM checks the whole text before a value of it
// is seen. Works with every release since 3.0.
#include "base/json_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <new>

#include <simdjson.h>

namespace x402 {

namespace {

namespace dom = simdjson::dom;
using Type = dom::element_type;

// A parser keeps about fifteen bytes for each byte of the longest text that it
// has read. The process's own has room for a usual payment from the start; a
// text that is longer than all usual ones gets a parser for itself.
constexpr std::size_t kUsualText = 4 * 1024;
constexpr std::size_t kLongText = 16 * 1024;

// Walks a parsed text once: builds its values, counts what the limits count,
// and stops at the first that may not be built.
class Walk {
public:
    Walk(JsonNodes &nodes, const JsonLimits &limits, bool has_escapes)
        : nodes_(nodes), limits_(limits), has_escapes_(has_escapes)
    {
    }

    // `depth`: of what the value is in.
    bool value(dom::element element, std::string_view name, std::size_t depth)
    {
        switch (element.type()) {
        case Type::OBJECT:
            return object(element.get_object().value_unsafe(), name, depth + 1);
        case Type::ARRAY:
            return array(element.get_array().value_unsafe(), name, depth + 1);
        case Type::STRING:
            return string(element.get_string().value_unsafe(), name);
        case Type::INT64:
            nodes_.add(JsonKind::integer, name).integer =
                element.get_int64().value_unsafe();
            return true;
        case Type::DOUBLE:
            nodes_.add(JsonKind::real, name).real =
                element.get_double().value_unsafe();
            return true;
        case Type::BOOL:
            nodes_.add(element.get_bool().value_unsafe()
                           ? JsonKind::boolean_true
                           : JsonKind::boolean_false,
                       name);
            return true;
        case Type::NULL_VALUE:
            nodes_.add(JsonKind::null, name);
            return true;
        default:  // an integer above the signed 64 bits
            return false;
        }
    }

    const JsonCounts &counts() const { return counts_; }

private:
    bool object(dom::object object, std::string_view name, std::size_t depth)
    {
        std::size_t index = nodes_.size();
        nodes_.add(JsonKind::object, name);
        std::size_t members = 0;
        bool good = open(depth);
        for (auto member = object.begin(); good && member != object.end();
             ++member, ++members) {
            std::string_view key = member.key();
            ++counts_.keys;
            good = may_follow(members) && is_sound(key)
                   && value(member.value(), key, depth);
        }
        return good && !repeats_a_name(nodes_.close(index, members));
    }

    bool array(dom::array array, std::string_view name, std::size_t depth)
    {
        std::size_t index = nodes_.size();
        nodes_.add(JsonKind::array, name);
        std::size_t elements = 0;
        bool good = open(depth);
        for (auto element = array.begin(); good && element != array.end();
             ++element, ++elements) {
            good = may_follow(elements) && value(*element, {}, depth);
        }
        nodes_.close(index, elements);
        return good;
    }

    bool string(std::string_view text, std::string_view name)
    {
        nodes_.add_string(text, name);
        return is_sound(text);
    }

    // A container begins.
    bool open(std::size_t depth)
    {
        ++counts_.values;
        counts_.depth = std::max(counts_.depth, depth);
        return counts_.within(limits_);
    }

    // Another value of a container, after so many others.
    bool may_follow(std::size_t others)
    {
        counts_.values += others > 0 ? 1 : 0;
        return counts_.within(limits_);
    }

    // An escape can write NUL, and in some releases half of a surrogate pair.
    bool is_sound(std::string_view text) const
    {
        return !has_escapes_
               || (text.find('\0') == std::string_view::npos
                   && simdjson::validate_utf8(text.data(), text.size()));
    }

    JsonNodes &nodes_;
    const JsonLimits &limits_;
    bool has_escapes_;
    JsonCounts counts_;
};

std::optional<JsonTree> read_with(dom::parser &parser, JsonNodes &nodes,
                                  std::string_view text,
                                  const JsonLimits &limits)
{
    dom::element root;
    simdjson::error_code error =
        parser.parse(text.data(), text.size()).get(root);
    if (error == simdjson::MEMALLOC) {
        throw std::bad_alloc();
    }
    if (error != simdjson::SUCCESS) {
        return std::nullopt;
    }
    nodes.clear();
    bool has_escapes = text.find('\\') != std::string_view::npos;
    Walk walk(nodes, limits, has_escapes);
    if (!walk.value(root, {}, 0)) {
        return std::nullopt;
    }
    return JsonTree(nodes, walk.counts());
}

}  // namespace

std::optional<JsonTree> read_json(std::string_view text,
                                  const JsonLimits &limits)
{
    // Newer releases skip a byte order mark.
    if (text.size() > limits.bytes || text.substr(0, 3) == "\xef\xbb\xbf") {
        return std::nullopt;
    }
    if (text.size() > kLongText) {
        dom::parser parser;
        JsonNodes nodes;
        return read_with(parser, nodes, text, limits);
    }
    static thread_local dom::parser parser;
    if (parser.capacity() == 0
        && parser.allocate(kUsualText) != simdjson::SUCCESS) {
        throw std::bad_alloc();
    }
    static thread_local JsonNodes nodes;
    return read_with(parser, nodes, text, limits);
}

}  // namespace x402
