// SPDX-License-Identifier: Apache-2.0
#include "base/json_document.hpp"

#include "base/json_jansson.hpp"
#include "base/json_reader.hpp"
#include "base/json_text.hpp"

namespace x402 {

namespace {

constexpr std::string_view kNotJson = "not JSON";

const JsonNode *member_of(const JsonNode &object, std::string_view key)
{
    const JsonNode *end = object.next();
    for (const JsonNode *member = object.first(); member != end;
         member = member->next()) {
        if (member->name_text() == key) {
            return member;
        }
    }
    return nullptr;
}

bool reals_equal(double left, double right)
{
    return !(left < right) && !(left > right);
}

// The real as an integer if it is one and fits.
std::optional<std::int64_t> integral(double real)
{
    // 2^63 as a double is exact; every double below it fits.
    constexpr double kLimit = 9223372036854775808.0;
    if (!(real >= -kLimit && real < kLimit)) {
        return std::nullopt;
    }
    auto integer = static_cast<std::int64_t>(real);
    if (!reals_equal(static_cast<double>(integer), real)) {
        return std::nullopt;
    }
    return integer;
}

std::optional<std::int64_t> integer_of(const JsonNode &node)
{
    switch (node.kind) {
    case JsonKind::integer:
        return node.integer;
    case JsonKind::real:
        return integral(node.real);
    default:
        return std::nullopt;
    }
}

bool is_number(const JsonNode &node)
{
    return node.kind == JsonKind::integer || node.kind == JsonKind::real;
}

bool numbers_equal(const JsonNode &left, const JsonNode &right)
{
    if (left.kind == JsonKind::real && right.kind == JsonKind::real) {
        return reals_equal(left.real, right.real);
    }
    std::optional<std::int64_t> left_integer = integer_of(left);
    return left_integer && left_integer == integer_of(right);
}

bool nodes_equal(const JsonNode &left, const JsonNode &right);

bool arrays_equal(const JsonNode &left, const JsonNode &right)
{
    const JsonNode *other = right.first();
    for (const JsonNode *value = left.first(); value != left.next();
         value = value->next(), other = other->next()) {
        if (!nodes_equal(*value, *other)) {
            return false;
        }
    }
    return true;
}

bool objects_equal(const JsonNode &left, const JsonNode &right)
{
    for (const JsonNode *value = left.first(); value != left.next();
         value = value->next()) {
        const JsonNode *other = member_of(right, value->name_text());
        if (other == nullptr || !nodes_equal(*value, *other)) {
            return false;
        }
    }
    return true;
}

bool nodes_equal(const JsonNode &left, const JsonNode &right)
{
    if (is_number(left) && is_number(right)) {
        return numbers_equal(left, right);
    }
    if (left.kind != right.kind) {
        return false;
    }
    switch (left.kind) {
    case JsonKind::object:
        return left.size == right.size && objects_equal(left, right);
    case JsonKind::array:
        return left.size == right.size && arrays_equal(left, right);
    case JsonKind::string:
        return left.string() == right.string();
    default:
        return true;
    }
}

void append_node(std::string &out, const JsonNode &node);

void append_values(std::string &out, const JsonNode &node)
{
    bool named = node.kind == JsonKind::object;
    out.push_back(named ? '{' : '[');
    for (const JsonNode *value = node.first(); value != node.next();
         value = value->next()) {
        if (named) {
            append_json_key(out, value->name_text());
        } else if (value != node.first()) {
            out.push_back(',');
        }
        append_node(out, *value);
    }
    out.push_back(named ? '}' : ']');
}

void append_node(std::string &out, const JsonNode &node)
{
    switch (node.kind) {
    case JsonKind::object:
    case JsonKind::array:
        append_values(out, node);
        break;
    case JsonKind::string:
        append_json_string(out, node.string());
        break;
    case JsonKind::integer:
        out.append(std::to_string(node.integer));
        break;
    case JsonKind::real:
        append_json_number(out, node.real);
        break;
    case JsonKind::boolean_true:
        out.append("true");
        break;
    case JsonKind::boolean_false:
        out.append("false");
        break;
    case JsonKind::null:
        out.append("null");
        break;
    }
}

void append_merged(std::string &out, JsonValue under, JsonValue over)
{
    if (!under.is_object() || !over.is_object()) {
        (over.exists() ? over : under).write(out);
        return;
    }
    out.push_back('{');
    for (const auto &[key, value] : under.members()) {
        append_json_key(out, key);
        append_merged(out, value, over[key]);
    }
    for (const auto &[key, value] : over.members()) {
        if (!under[key].exists()) {
            append_json_key(out, key);
            value.write(out);
        }
    }
    out.push_back('}');
}

}  // namespace

std::optional<std::int64_t> JsonValue::integer() const
{
    return node_ == nullptr ? std::nullopt : integer_of(*node_);
}

JsonValue JsonValue::operator[](std::string_view key) const
{
    return JsonValue(is_object() ? member_of(*node_, key) : nullptr);
}

JsonValue JsonValue::at(std::size_t index) const
{
    if (!is_array() || index >= node_->size) {
        return JsonValue();
    }
    // Without containers inside, the elements stand side by side.
    if (node_->span == node_->size) {
        return JsonValue(node_->first() + index);
    }
    const JsonNode *element = node_->first();
    while (index-- > 0) {
        element = element->next();
    }
    return JsonValue(element);
}

std::vector<std::pair<std::string_view, JsonValue>> JsonValue::members() const
{
    std::vector<std::pair<std::string_view, JsonValue>> result;
    if (is_object()) {
        result.reserve(node_->size);
        for (const JsonNode *member = node_->first(); member != node_->next();
             member = member->next()) {
            result.emplace_back(member->name_text(), JsonValue(member));
        }
    }
    return result;
}

bool JsonValue::equals(JsonValue other) const
{
    if (is_null() || other.is_null()) {
        return is_null() && other.is_null();
    }
    return nodes_equal(*node_, *other.node_);
}

bool JsonValue::covers(JsonValue less) const
{
    if (!less.is_object()) {
        return exists() && equals(less);
    }
    if (!is_object()) {
        return false;
    }
    for (const auto &[key, value] : less.members()) {
        if (!(*this)[key].covers(value)) {
            return false;
        }
    }
    return true;
}

void JsonValue::write(std::string &out) const
{
    if (node_ == nullptr) {
        out.append("null");
        return;
    }
    append_node(out, *node_);
}

Result<JsonDocument> JsonDocument::parse(std::string_view text,
                                         const JsonLimits &limits)
{
    // A NUL is refused even where a parser takes it for a blank.
    if (text.find('\0') != std::string_view::npos) {
        return Problem{"a NUL byte"};
    }
    if (auto tree = read_json(text, limits)) {
        return JsonDocument(std::move(*tree));
    }
    Result<JsonCounts> limited = within_limits(text, limits);
    return limited ? Problem{std::string(kNotJson)} : limited.problem();
}

Result<JsonDocument> JsonDocument::parse_explained(std::string_view text,
                                                   const JsonLimits &limits)
{
    Result<JsonDocument> document = parse(text, limits);
    if (document || document.problem().text != kNotJson) {
        return document;
    }
    std::string fault = json_fault(text);
    return Problem{fault.empty() ? std::string(kNotJson) : fault};
}

std::string merge_json_objects(JsonValue under, JsonValue over)
{
    std::string merged;
    append_merged(merged, under, over);
    return merged;
}

}  // namespace x402
