// SPDX-License-Identifier: Apache-2.0
#include "base/json_document.hpp"

#include <string>

#include "base/json_text.hpp"
#include "fuzz_check.hpp"
#include "jansson_view.hpp"

using namespace x402;

namespace {

std::string written(JsonValue value)
{
    std::string text;
    value.write(text);
    return text;
}

// Every value can be reached and stays what it is.
void walk(JsonValue value, unsigned depth)
{
    must(depth <= JsonLimits().depth, "nesting is limited");
    must(value.equals(value), "a value equals itself");
    for (const auto &[key, member] : value.members()) {
        must(value[key].exists() && value[key].equals(member),
             "a member is found by its name");
        walk(member, depth + 1);
    }
    for (std::size_t index = 0; value.is_array() && index < value.size();
         ++index) {
        walk(value.at(index), depth + 1);
    }
}

void check_text(std::string_view text)
{
    auto document = JsonDocument::parse(text);
    JsonLimits generous{text.size(), 1000, text.size(), text.size() + 2};
    must(JsonDocument::parse(text, generous).ok()
             == (text.find('\0') == std::string_view::npos
                 && within_limits(text, generous).ok()
                 && read_by_jansson(text) != nullptr),
         "limits aside we read what jansson reads");
    must(!JsonDocument::parse_explained(text, generous).ok()
             || JsonDocument::parse(text, generous).ok(),
         "an explanation changes no judgement");
    if (!document) {
        must(!document.problem().text.empty(), "a refusal says why");
        return;
    }
    JsonValue root = document->root();
    walk(root, 0);

    std::string compact = written(root);
    auto again = JsonDocument::parse(compact, {compact.size(), 32, 1024, 4096});
    must(again.ok(), "what is written can be read");
    must(again->root().equals(root), "and is the same value");
    must(written(again->root()) == compact, "and is written the same way");
    if (root.is_object()) {
        must(merge_json_objects(root, root) == compact, "merge(x, x) == x");
        must(merge_json_objects(JsonDocument::parse("{}")->root(), root)
                 == compact,
             "merge({}, x) == x");
    }
}

// Any bytes become a JSON string; UTF-8 without NUL comes back as it was.
void check_string(std::string_view bytes)
{
    std::string quoted;
    append_json_string(quoted, bytes);
    if (bytes.find('\0') != std::string_view::npos) {
        return;
    }
    Jansson node = read_by_jansson(quoted);
    must(json_is_string(node.get()), "any text can be quoted");
    std::string_view back(json_string_value(node.get()),
                          json_string_length(node.get()));
    must(back == bytes || back.find("\xef\xbf\xbd") != std::string_view::npos,
         "quoted text comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    if (size <= JsonLimits().bytes) {
        check_text(text_of(data, size));
        check_string(text_of(data, size));
    }
    return 0;
}
