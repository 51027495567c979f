// SPDX-License-Identifier: Apache-2.0
#include "base/json_jansson.hpp"

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include <jansson.h>

namespace x402 {

namespace {

struct Release {
    void operator()(json_t *node) const { json_decref(node); }
};

using Owned = std::unique_ptr<json_t, Release>;

// While an object of this class exists, jansson's refused allocations are
// counted. The destructor restores the former allocator, because other modules
// of the process use jansson, too; that one stays in use underneath.
//
// Money: without memory for a longer string jansson silently drops bytes of it.
class AllocationWatch {
public:
    AllocationWatch()
    {
#if JANSSON_VERSION_HEX >= 0x020f00
        json_get_alloc_funcs2(&malloc_, &realloc_, &free_);
#else
        json_get_alloc_funcs(&malloc_, &free_);
#endif
        below = malloc_;
        has_refused_ = false;
        // Without a realloc jansson copies.
        json_set_alloc_funcs(allocate, free_);
    }
    ~AllocationWatch()
    {
#if JANSSON_VERSION_HEX >= 0x020f00
        json_set_alloc_funcs2(malloc_, realloc_, free_);
#else
        json_set_alloc_funcs(malloc_, free_);
#endif
    }
    AllocationWatch(const AllocationWatch &) = delete;
    AllocationWatch &operator=(const AllocationWatch &) = delete;

    bool has_refused() const
    {
        return has_refused_;
    }

private:
    static void *allocate(std::size_t size)
    {
        void *place = below(size);
        has_refused_ = has_refused_ || place == nullptr;
        return place;
    }

    // jansson's allocation functions get only a size.
    inline static thread_local bool has_refused_ = false;
    inline static thread_local void *(*below)(std::size_t) = std::malloc;

    void *(*malloc_)(std::size_t);
    // jansson has one since 2.15.
    [[maybe_unused]] void *(*realloc_)(void *, std::size_t) = nullptr;
    void (*free_)(void *);
};

Owned load(std::string_view text, json_error_t &error)
{
    AllocationWatch watch;
    Owned root(json_loadb(text.data(), text.size(),
                          JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error));
    if (watch.has_refused()) {
        throw std::bad_alloc();
    }
    return root;
}

void copy(json_t *value, std::string_view name, JsonNodes &nodes)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: {
        std::size_t index = nodes.size();
        nodes.add(JsonKind::object, name);
        for (void *place = json_object_iter(value); place != nullptr;
             place = json_object_iter_next(value, place)) {
            copy(json_object_iter_value(place), json_object_iter_key(place),
                 nodes);
        }
        nodes.close(index, json_object_size(value));
        break;
    }
    case JSON_ARRAY: {
        std::size_t index = nodes.size();
        nodes.add(JsonKind::array, name);
        for (std::size_t i = 0; i < json_array_size(value); ++i) {
            copy(json_array_get(value, i), {}, nodes);
        }
        nodes.close(index, json_array_size(value));
        break;
    }
    case JSON_STRING:
        nodes.add_string({json_string_value(value), json_string_length(value)},
                         name);
        break;
    case JSON_INTEGER:
        nodes.add(JsonKind::integer, name).integer = json_integer_value(value);
        break;
    case JSON_REAL:
        nodes.add(JsonKind::real, name).real = json_real_value(value);
        break;
    case JSON_TRUE:
        nodes.add(JsonKind::boolean_true, name);
        break;
    case JSON_FALSE:
        nodes.add(JsonKind::boolean_false, name);
        break;
    case JSON_NULL:
        nodes.add(JsonKind::null, name);
        break;
    }
}

}  // namespace

std::optional<JsonTree> read_json_by_jansson(std::string_view text,
                                             const JsonLimits &limits)
{
    Result<JsonCounts> counts = within_limits(text, limits);
    // jansson takes a NUL after a number or a literal for a blank.
    if (!counts || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    json_error_t error;
    Owned root = load(text, error);
    if (root == nullptr) {
        return std::nullopt;
    }
    JsonNodes nodes;
    copy(root.get(), {}, nodes);
    return JsonTree(nodes, counts.value());
}

std::string json_fault(std::string_view text)
{
    json_error_t error;
    if (load(text, error) != nullptr) {
        return {};
    }
    return std::string(error.text) + " at byte "
           + std::to_string(error.position);
}

}  // namespace x402
