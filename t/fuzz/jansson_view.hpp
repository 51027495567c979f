// SPDX-License-Identifier: Apache-2.0
// JSON as jansson alone reads it, without our limits and our wrapper: a second
// opinion for the targets that judge answers.
#ifndef X402_FUZZ_JANSSON_VIEW_HPP
#define X402_FUZZ_JANSSON_VIEW_HPP

#include <memory>
#include <string_view>

#include <jansson.h>

namespace x402 {

struct ReleaseJansson {
    void operator()(json_t *node) const { json_decref(node); }
};

using Jansson = std::unique_ptr<json_t, ReleaseJansson>;

inline Jansson read_by_jansson(std::string_view text)
{
    json_error_t error;
    return Jansson(json_loadb(text.data(), text.size(),
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                              &error));
}

// Empty for a value that is not a string.
inline std::string_view member_text(const Jansson &root, const char *name)
{
    json_t *value = json_object_get(root.get(), name);
    return {json_is_string(value) ? json_string_value(value) : "",
            json_string_length(value)};
}

}  // namespace x402

#endif
