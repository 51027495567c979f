#include "base/json_document.hpp"

#include <new>

#include <jansson.h>

#include "base/json_text.hpp"

namespace x402 {

namespace {

// Nodes are never released one by one: only the arena owns them, and jansson's
// values for true, false and null are static.
json_t *load(std::string_view text, JsonArena &arena, json_error_t &error)
{
    ArenaInUse in_use(arena);
    return json_loadb(text.data(), text.size(),
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
}

// jansson iterates without changing anything but requires a mutable pointer.
json_t *iterable(const json_t *node)
{
    return const_cast<json_t *>(node);
}

std::string_view string_of(const json_t *node)
{
    return {json_string_value(node), json_string_length(node)};
}

const json_t *member_of(const json_t *object, std::string_view key)
{
#if JANSSON_VERSION_HEX >= 0x020e00
    return json_object_getn(object, key.data(), key.size());
#else
    return json_object_get(object, std::string(key).c_str());
#endif
}

// Calls visit(key, value) for each member, in the order of the text.
template <class Visit> void each_member(const json_t *object, Visit visit)
{
    json_t *node = iterable(object);
    for (void *place = json_object_iter(node); place != nullptr;
         place = json_object_iter_next(node, place)) {
        visit(std::string_view(json_object_iter_key(place)),
              json_object_iter_value(place));
    }
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

std::optional<std::int64_t> integer_of(const json_t *node)
{
    if (json_is_integer(node)) {
        return json_integer_value(node);
    }
    if (json_is_real(node)) {
        return integral(json_real_value(node));
    }
    return std::nullopt;
}

bool numbers_equal(const json_t *left, const json_t *right)
{
    if (json_is_real(left) && json_is_real(right)) {
        return reals_equal(json_real_value(left), json_real_value(right));
    }
    std::optional<std::int64_t> left_integer = integer_of(left);
    return left_integer && left_integer == integer_of(right);
}

bool nodes_equal(const json_t *left, const json_t *right);

bool arrays_equal(const json_t *left, const json_t *right)
{
    std::size_t size = json_array_size(left);
    if (size != json_array_size(right)) {
        return false;
    }
    for (std::size_t index = 0; index < size; ++index) {
        if (!nodes_equal(json_array_get(left, index),
                         json_array_get(right, index))) {
            return false;
        }
    }
    return true;
}

bool objects_equal(const json_t *left, const json_t *right)
{
    if (json_object_size(left) != json_object_size(right)) {
        return false;
    }
    bool equal = true;
    each_member(left, [&](std::string_view key, const json_t *value) {
        const json_t *other = member_of(right, key);
        equal = equal && other != nullptr && nodes_equal(value, other);
    });
    return equal;
}

bool nodes_equal(const json_t *left, const json_t *right)
{
    if (json_is_number(left) && json_is_number(right)) {
        return numbers_equal(left, right);
    }
    if (json_typeof(left) != json_typeof(right)) {
        return false;
    }
    switch (json_typeof(left)) {
    case JSON_OBJECT:
        return objects_equal(left, right);
    case JSON_ARRAY:
        return arrays_equal(left, right);
    case JSON_STRING:
        return string_of(left) == string_of(right);
    default:
        return true;
    }
}

void append_node(std::string &out, const json_t *node);

void append_array(std::string &out, const json_t *array)
{
    out.push_back('[');
    for (std::size_t index = 0; index < json_array_size(array); ++index) {
        if (index > 0) {
            out.push_back(',');
        }
        append_node(out, json_array_get(array, index));
    }
    out.push_back(']');
}

void append_object(std::string &out, const json_t *object)
{
    out.push_back('{');
    each_member(object, [&out](std::string_view key, const json_t *value) {
        append_json_key(out, key);
        append_node(out, value);
    });
    out.push_back('}');
}

void append_node(std::string &out, const json_t *node)
{
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        append_object(out, node);
        break;
    case JSON_ARRAY:
        append_array(out, node);
        break;
    case JSON_STRING:
        append_json_string(out, string_of(node));
        break;
    case JSON_INTEGER:
        out.append(std::to_string(json_integer_value(node)));
        break;
    case JSON_REAL:
        append_json_number(out, json_real_value(node));
        break;
    case JSON_TRUE:
        out.append("true");
        break;
    case JSON_FALSE:
        out.append("false");
        break;
    case JSON_NULL:
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

bool JsonValue::is_null() const
{
    return node_ == nullptr || json_is_null(node_);
}

bool JsonValue::is_object() const
{
    return json_is_object(node_);
}

bool JsonValue::is_array() const
{
    return json_is_array(node_);
}

bool JsonValue::is_string() const
{
    return json_is_string(node_);
}

bool JsonValue::is_number() const
{
    return json_is_number(node_);
}

bool JsonValue::is_true() const
{
    return json_is_true(node_);
}

bool JsonValue::is_boolean() const
{
    return json_is_boolean(node_);
}

std::string_view JsonValue::string() const
{
    return is_string() ? string_of(node_) : std::string_view();
}

std::optional<std::int64_t> JsonValue::integer() const
{
    return node_ == nullptr ? std::nullopt : integer_of(node_);
}

JsonValue JsonValue::operator[](std::string_view key) const
{
    return JsonValue(is_object() ? member_of(node_, key) : nullptr);
}

std::size_t JsonValue::size() const
{
    return is_object() ? json_object_size(node_) : json_array_size(node_);
}

JsonValue JsonValue::at(std::size_t index) const
{
    return JsonValue(json_array_get(node_, index));
}

std::vector<std::pair<std::string_view, JsonValue>> JsonValue::members() const
{
    std::vector<std::pair<std::string_view, JsonValue>> result;
    if (is_object()) {
        result.reserve(size());
        each_member(node_, [&](std::string_view key, const json_t *value) {
            result.emplace_back(key, JsonValue(value));
        });
    }
    return result;
}

bool JsonValue::equals(JsonValue other) const
{
    if (is_null() || other.is_null()) {
        return is_null() && other.is_null();
    }
    return nodes_equal(node_, other.node_);
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
    append_node(out, node_);
}

Result<JsonDocument> JsonDocument::parse(std::string_view text,
                                         const JsonLimits &limits)
{
    Result<bool> limited = within_limits(text, limits);
    if (!limited) {
        return limited.problem();
    }
    if (text.empty()) {
        return Problem{"an empty text is not JSON"};
    }
    // jansson takes a NUL behind a number or a literal for a blank.
    if (text.find('\0') != std::string_view::npos) {
        return Problem{"a NUL byte"};
    }

    json_error_t error;
    JsonDocument document;
    document.arena_ = std::make_unique<JsonArena>(text.size());
    document.node_ = load(text, *document.arena_, error);
    // Money: without memory for a longer string jansson silently drops bytes of
    // it. It reports other failed allocations as errors of the text.
    if (document.arena_->has_refused()) {
        throw std::bad_alloc();
    }
    if (document.node_ == nullptr) {
        return Problem{std::string(error.text) + " at byte "
                       + std::to_string(error.position)};
    }
    return document;
}

std::string merge_json_objects(JsonValue under, JsonValue over)
{
    std::string merged;
    append_merged(merged, under, over);
    return merged;
}

}  // namespace x402
