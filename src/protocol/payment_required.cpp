// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_required.hpp"

#include "base/json_text.hpp"

namespace x402 {

namespace {

void append_before_url(std::string &text, std::string_view error)
{
    text.append("{\"x402Version\":2");
    if (!error.empty()) {
        append_json_key(text, "error");
        append_json_string(text, error);
    }
    append_json_key(text, "resource");
    text.push_back('{');
    append_json_key(text, "url");
}

// x402 v2, ResourceInfo: the reference writes description and mimeType even
// when they are empty, and clients may rely on that.
void append_after_url(std::string &text, const ResourceInfo &resource,
                      std::string_view accepts_json,
                      std::string_view extensions_json)
{
    append_json_key(text, "description");
    append_json_string(text, resource.description);
    append_json_key(text, "mimeType");
    append_json_string(text, resource.mime_type);
    text.append(resource.service);
    text.push_back('}');

    append_json_key(text, "accepts");
    text.append(accepts_json);
    if (!extensions_json.empty()) {
        append_json_key(text, "extensions");
        text.append(extensions_json);
    }
    text.push_back('}');
}

}  // namespace

TextAroundUrl payment_required_around_url(std::string_view error,
                                          const ResourceInfo &resource,
                                          std::string_view accepts_json,
                                          std::string_view extensions_json)
{
    TextAroundUrl text;
    text.before.reserve(64 + error.size());
    text.after.reserve(256 + accepts_json.size() + extensions_json.size());
    append_before_url(text.before, error);
    append_after_url(text.after, resource, accepts_json, extensions_json);
    return text;
}

std::string payment_required_json(std::string_view error,
                                  const ResourceInfo &resource,
                                  std::string_view accepts_json,
                                  std::string_view extensions_json)
{
    std::string text;
    text.reserve(256 + resource.url.size() + accepts_json.size()
                 + extensions_json.size());
    append_before_url(text, error);
    append_json_string(text, resource.url);
    append_after_url(text, resource, accepts_json, extensions_json);
    return text;
}

}  // namespace x402
