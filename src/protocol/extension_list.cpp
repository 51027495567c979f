// SPDX-License-Identifier: Apache-2.0
#include "protocol/extension_list.hpp"

#include <algorithm>

#include "base/json_text.hpp"
#include "protocol/extension_echo.hpp"
#include "protocol/extension_shape.hpp"

namespace x402 {

namespace {

constexpr std::string_view kBazaar = "bazaar";

}  // namespace

bool Extensions::varies(const Extension &extension)
{
    return extension.name == kBazaar
           && extension.declaration.root()["info"]["input"]["type"].string()
                  != "mcp";
}

bool Extensions::vary_by_method_only() const
{
    return std::none_of(
        list_.begin(), list_.end(),
        [](const Extension &extension) { return extension.route.exists(); });
}

JsonValue Extensions::find(std::string_view name) const
{
    for (const Extension &extension : list_) {
        if (extension.name == name) {
            return extension.declaration.root();
        }
    }
    return {};
}

const RouteTemplate *Extensions::route() const
{
    for (const Extension &extension : list_) {
        if (extension.route.exists()) {
            return &extension.route;
        }
    }
    return nullptr;
}

std::string Extensions::add(std::string_view name, std::string_view text,
                            std::string_view route)
{
    if (!is_extension_name(name)) {
        return "\"" + std::string(name)
               + "\" is not the name of an extension; write letters, digits, "
                 "., _ "
                 "and -";
    }
    if (find(name).exists()) {
        return "extension \"" + std::string(name) + "\" is written twice";
    }
    auto document = JsonDocument::parse_explained(text);
    if (!document) {
        return "it is not JSON: " + document.problem().text;
    }
    std::string error = validate_declaration(name, document->root());
    if (!error.empty()) {
        return error;
    }
    Extension made;
    made.name = name;
    document->root().write(made.json);
    if (made.json.size() > kMaxDeclarationBytes) {
        return "it takes " + std::to_string(made.json.size())
               + " bytes, more than any offer may have; shorten it";
    }
    made.declaration = std::move(document.value());
    if (!route.empty()) {
        if (!varies(made)) {
            return "a route is only of use to bazaar, and to http there";
        }
        auto parsed = RouteTemplate::parse(route);
        if (!parsed) {
            return "route \"" + std::string(route)
                   + "\": " + parsed.problem().text;
        }
        made.route = std::move(parsed.value());
    }
    list_.push_back(std::move(made));

    finished_ = "{";
    for (const Extension &extension : list_) {
        if (varies(extension)) {
            finished_.clear();
            return {};
        }
        append_json_key(finished_, extension.name);
        finished_ += extension.json;
    }
    finished_ += "}";
    return {};
}

std::string extensions_for(const Extensions &extensions,
                           std::string_view method, std::string_view path)
{
    if (!extensions.finished_.empty() || extensions.list_.empty()) {
        return extensions.finished_;
    }
    std::string text = "{";
    for (const auto &extension : extensions.list_) {
        append_json_key(text, extension.name);
        text += Extensions::varies(extension) ? enriched_bazaar(
                    extension.declaration.root(), method, extension.route, path)
                                              : extension.json;
    }
    return text + "}";
}

std::string with_extension(std::string extensions, std::string_view name,
                           std::string_view json)
{
    if (json.empty()) {
        return extensions;
    }
    if (extensions.empty()) {
        extensions = "{";
    } else {
        extensions.pop_back();
    }
    append_json_key(extensions, name);
    return extensions.append(json) + "}";
}

bool echo_ok(const Extensions &extensions, std::string_view method,
             std::string_view path, JsonValue echoed)
{
    for (const auto &extension : extensions.list_) {
        JsonValue parsed = echoed[extension.name];
        if (!parsed.exists()) {
            continue;
        }
        if (!Extensions::varies(extension)) {
            if (!is_echo(extension.name, extension.declaration.root(),
                         parsed)) {
                return false;
            }
            continue;
        }
        auto offered =
            JsonDocument::parse(enriched_bazaar(extension.declaration.root(),
                                                method, extension.route, path),
                                {1024 * 1024, 64, 8192, 16384});
        if (!offered || !is_echo(extension.name, offered->root(), parsed)) {
            return false;
        }
    }
    for (const auto &[name, parsed] : echoed.members()) {
        if (!extensions.find(name).exists() && !may_be_added(name, parsed)) {
            return false;
        }
    }
    return true;
}

}  // namespace x402
