// SPDX-License-Identifier: Apache-2.0
#include "facilitator/extension_responses.hpp"

#include "base/base64_codec.hpp"
#include "base/json_document.hpp"
#include "base/text_excerpt.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMostWordBytes = 120;
constexpr std::size_t kMostExtensions = 8;

void add_fields(std::string &words, JsonValue response)
{
    for (std::string_view key :
         {"status", "rejectedReason", "reason", "code"}) {
        JsonValue field = response[key];
        if (!field.is_string() && !field.is_number()) {
            continue;
        }
        std::string text;
        if (field.is_string()) {
            text = field.string();
        } else {
            field.write(text);
        }
        words +=
            " " + std::string(key) + "=" + log_excerpt(text, kMostWordBytes);
    }
}

}  // namespace

std::string extension_response_words(std::string_view value)
{
    auto text = base64_decode(value);
    auto document =
        text ? JsonDocument::parse(*text) : Result<JsonDocument>(Problem{});
    if (!document) {
        return {};
    }
    std::string words;
    std::size_t count = 0;
    for (const auto &[name, response] : document->root().members()) {
        std::string fields;
        add_fields(fields, response);
        if (fields.empty() || ++count > kMostExtensions) {
            continue;
        }
        words += words.empty() ? "" : "; ";
        words += log_excerpt(std::string(name), kMostWordBytes) + fields;
    }
    return words;
}

}  // namespace x402
