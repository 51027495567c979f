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

// What a tree of this value needs, and whether it may be built.
class Measure {
public:
    explicit Measure(const JsonLimits &limits) : limits_(limits) {}

    bool value(dom::element element, std::size_t depth)
    {
        ++size_.nodes;
        switch (element.type()) {
        case Type::OBJECT:
            return object(element.get_object().value_unsafe(), depth + 1);
        case Type::ARRAY:
            return array(element.get_array().value_unsafe(), depth + 1);
        case Type::STRING:
            size_.bytes += element.get_string_length().value_unsafe();
            return true;
        default:
            return true;
        }
    }

    const JsonTree::Size &size() const { return size_; }
    const JsonCounts &counts() const { return counts_; }

private:
    bool object(dom::object object, std::size_t depth)
    {
        std::size_t members = 0;
        bool fits = open(depth);
        for (auto member = object.begin(); fits && member != object.end();
             ++member, ++members) {
            size_.bytes += member.key_length();
            fits = value(member.value(), depth);
        }
        counts_.keys += members;
        return fits && close(members);
    }

    bool array(dom::array array, std::size_t depth)
    {
        std::size_t elements = 0;
        bool fits = open(depth);
        for (auto element = array.begin(); fits && element != array.end();
             ++element, ++elements) {
            fits = value(*element, depth);
        }
        return fits && close(elements);
    }

    bool open(std::size_t depth)
    {
        ++counts_.values;
        counts_.depth = std::max(counts_.depth, depth);
        return counts_.within(limits_);
    }

    bool close(std::size_t children)
    {
        counts_.values += children > 0 ? children - 1 : 0;
        return counts_.within(limits_);
    }

    const JsonLimits &limits_;
    JsonTree::Size size_;
    JsonCounts counts_;
};

class Copy {
public:
    Copy(JsonTree &tree, bool has_escapes)
        : tree_(tree), has_escapes_(has_escapes)
    {
    }

    bool value(dom::element element, std::string_view name)
    {
        switch (element.type()) {
        case Type::OBJECT:
            return object(element.get_object().value_unsafe(), name);
        case Type::ARRAY:
            return array(element.get_array().value_unsafe(), name);
        case Type::STRING:
            return string(element.get_string().value_unsafe(), name);
        case Type::INT64:
            tree_.add(JsonKind::integer, name).integer =
                element.get_int64().value_unsafe();
            return true;
        case Type::DOUBLE:
            tree_.add(JsonKind::real, name).real =
                element.get_double().value_unsafe();
            return true;
        case Type::BOOL:
            tree_.add(element.get_bool().value_unsafe()
                          ? JsonKind::boolean_true
                          : JsonKind::boolean_false,
                      name);
            return true;
        case Type::NULL_VALUE:
            tree_.add(JsonKind::null, name);
            return true;
        default:  // an integer above the signed 64 bits
            return false;
        }
    }

private:
    bool object(dom::object object, std::string_view name)
    {
        JsonNode &node = tree_.add(JsonKind::object, name);
        std::size_t members = 0;
        for (auto member = object.begin(); member != object.end();
             ++member, ++members) {
            std::string_view key = member.key();
            if (!is_sound(key) || !value(member.value(), key)) {
                return false;
            }
        }
        tree_.close(node, members);
        return !repeats_a_name(node);
    }

    bool array(dom::array array, std::string_view name)
    {
        JsonNode &node = tree_.add(JsonKind::array, name);
        std::size_t elements = 0;
        for (auto element = array.begin(); element != array.end();
             ++element, ++elements) {
            if (!value(*element, {})) {
                return false;
            }
        }
        tree_.close(node, elements);
        return true;
    }

    bool string(std::string_view text, std::string_view name)
    {
        tree_.add_string(text, name);
        return is_sound(text);
    }

    // An escape can write NUL, and in some releases half of a surrogate pair.
    bool is_sound(std::string_view text) const
    {
        return !has_escapes_
               || (text.find('\0') == std::string_view::npos
                   && simdjson::validate_utf8(text.data(), text.size()));
    }

    JsonTree &tree_;
    bool has_escapes_;
};

std::optional<JsonTree> read_with(dom::parser &parser, std::string_view text,
                                  const JsonLimits &limits)
{
    dom::element root;
    simdjson::error_code error =
        parser.parse(text.data(), text.size()).get(root);
    if (error == simdjson::MEMALLOC) {
        throw std::bad_alloc();
    }
    Measure measure(limits);
    if (error != simdjson::SUCCESS || !measure.value(root, 0)) {
        return std::nullopt;
    }
    JsonTree tree(measure.size(), measure.counts());
    bool has_escapes = text.find('\\') != std::string_view::npos;
    if (!Copy(tree, has_escapes).value(root, {})) {
        return std::nullopt;
    }
    return tree;
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
        return read_with(parser, text, limits);
    }
    static thread_local dom::parser parser;
    if (parser.capacity() == 0
        && parser.allocate(kUsualText) != simdjson::SUCCESS) {
        throw std::bad_alloc();
    }
    return read_with(parser, text, limits);
}

}  // namespace x402
