// SPDX-License-Identifier: Apache-2.0
#include "protocol/bazaar_discovery.hpp"

#include <algorithm>

#include "base/json_text.hpp"

namespace x402 {

namespace {

bool is_name(std::string_view text)
{
    constexpr std::string_view kFirst =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    constexpr std::string_view kDigits = "0123456789";
    if (text.empty() || kFirst.find(text[0]) == std::string_view::npos) {
        return false;
    }
    return std::all_of(text.begin(), text.end(), [&](char letter) {
        return kFirst.find(letter) != std::string_view::npos
               || kDigits.find(letter) != std::string_view::npos;
    });
}

// The end of the name that begins at `begin`.
std::size_t end_of_name(std::string_view text, std::size_t begin)
{
    std::size_t end = begin;
    while (end < text.size() && is_name(text.substr(begin, end + 1 - begin))) {
        ++end;
    }
    return end;
}

std::vector<std::string_view> segments_of(std::string_view path)
{
    std::vector<std::string_view> segments;
    std::size_t begin = 0;
    for (;;) {
        std::size_t slash = path.find('/', begin);
        segments.push_back(path.substr(begin, slash - begin));
        if (slash == std::string_view::npos) {
            return segments;
        }
        begin = slash + 1;
    }
}

struct Parameter {
    std::size_t begin = std::string_view::npos;  // npos: there is none
    std::size_t end = 0;
    std::string_view name;
};

// `:name` or `[name]`.
Parameter first_parameter(std::string_view segment)
{
    for (std::size_t place = 0; place < segment.size(); ++place) {
        if (segment[place] == ':') {
            std::size_t end = end_of_name(segment, place + 1);
            if (end > place + 1) {
                return {place, end, segment.substr(place + 1, end - place - 1)};
            }
        } else if (segment[place] == '[') {
            std::size_t close = segment.find(']', place);
            if (close != std::string_view::npos && close > place + 1) {
                return {place, close + 1,
                        segment.substr(place + 1, close - place - 1)};
            }
        }
    }
    return {};
}

using Changes = std::vector<std::pair<std::string_view, std::string>>;

// The object with some members (name, JSON text) replaced in place, or added at
// its end.
std::string with_members(JsonValue object, const Changes &changes)
{
    std::string text = "{";
    for (const auto &[key, value] : object.members()) {
        append_json_key(text, key);
        auto change = std::find_if(
            changes.begin(), changes.end(),
            [name = key](const auto &other) { return other.first == name; });
        if (change == changes.end()) {
            value.write(text);
        } else {
            text += change->second;
        }
    }
    for (const auto &[key, value] : changes) {
        if (!object[key].exists()) {
            append_json_key(text, key);
            text += value;
        }
    }
    return text + "}";
}

std::string quoted(std::string_view text)
{
    std::string json;
    append_json_string(json, text);
    return json;
}

std::string with_method(JsonValue required)
{
    std::string text = "[";
    bool named = false;
    for (std::size_t index = 0; index < required.size(); ++index) {
        text += index > 0 ? "," : "";
        required.at(index).write(text);
        named = named || required.at(index).string() == "method";
    }
    if (!named) {
        text += required.size() > 0 ? ",\"method\"" : "\"method\"";
    }
    return text + "]";
}

std::string parameters_json(const RouteTemplate::Parameters &parameters)
{
    std::string text = "{";
    for (const auto &[name, value] : parameters) {
        append_json_key(text, name);
        append_json_string(text, value);
    }
    return text + "}";
}

std::string enriched_schema(JsonValue schema, std::string_view method,
                            bool has_route)
{
    JsonValue properties = schema["properties"];
    JsonValue input = properties["input"];
    JsonValue fields = input["properties"];
    Changes changes = {
        {"method", "{\"type\":\"string\",\"enum\":[" + quoted(method) + "]}"}};
    if (has_route && !fields["pathParams"].exists()) {
        changes.emplace_back("pathParams", "{\"type\":\"object\"}");
    }
    std::string new_input =
        with_members(input, {{"properties", with_members(fields, changes)},
                             {"required", with_method(input["required"])}});
    return with_members(
        schema,
        {{"properties", with_members(properties, {{"input", new_input}})}});
}

}  // namespace

Result<RouteTemplate::Segment>
RouteTemplate::read_segment(std::string_view part)
{
    Segment segment;
    Parameter parameter = first_parameter(part);
    if (parameter.begin == std::string_view::npos) {
        segment.before = part;
        return segment;
    }
    segment.before = part.substr(0, parameter.begin);
    segment.name = parameter.name;
    segment.after = part.substr(parameter.end);
    if (!is_name(segment.name)) {
        return Problem{
            "\"" + segment.name
            + "\" is not the name of a parameter; use letters, digits "
              "and _"};
    }
    if (first_parameter(segment.after).begin != std::string_view::npos) {
        return Problem{"there are two parameters in one segment; put a / "
                       "between them"};
    }
    return segment;
}

std::string RouteTemplate::add(Segment segment)
{
    for (const Segment &other : segments_) {
        if (!segment.name.empty() && other.name == segment.name) {
            return "there are two parameters \":" + segment.name + "\"";
        }
    }
    text_ += segments_.empty() ? "" : "/";
    text_ += segment.before + (segment.name.empty() ? "" : ":" + segment.name)
             + segment.after;
    segments_.push_back(std::move(segment));
    return {};
}

Result<RouteTemplate> RouteTemplate::parse(std::string_view text)
{
    if (text.empty() || text[0] != '/'
        || text.find_first_of("?# ") != std::string_view::npos) {
        return Problem{"it is not a path; write one such as /users/:id"};
    }
    RouteTemplate made;
    unsigned wildcards = 0;
    unsigned parameters = 0;
    for (std::string_view part : segments_of(text)) {
        auto segment = read_segment(part);
        if (!segment) {
            return segment.problem();
        }
        if (part == "*") {
            segment.value() = {"", "var" + std::to_string(++wildcards), ""};
        } else if (!segment->name.empty()) {
            ++parameters;
        }
        std::string error = made.add(std::move(segment.value()));
        if (!error.empty()) {
            return Problem{error};
        }
    }
    bool all_wild = wildcards + 1 == made.segments_.size();
    if (parameters == 0 && (wildcards == 0 || all_wild)) {
        return Problem{"nothing in it says what varies; write a parameter such "
                       "as /users/:id, or leave the route out"};
    }
    return made;
}

std::string RouteTemplate::openapi_path() const
{
    std::string path;
    for (const Segment &segment : segments_) {
        path += path.empty() && &segment == &segments_.front() ? "" : "/";
        path += segment.before;
        if (!segment.name.empty()) {
            path += "{" + segment.name + "}" + segment.after;
        }
    }
    return path;
}

RouteTemplate::Parameters RouteTemplate::match(std::string_view path) const
{
    Parameters parameters;
    std::vector<std::string_view> parts = segments_of(path);
    if (parts.size() != segments_.size()) {
        return {};
    }
    for (std::size_t index = 0; index < parts.size(); ++index) {
        const Segment &segment = segments_[index];
        std::string_view part = parts[index];
        if (segment.name.empty()) {
            if (part != segment.before) {
                return {};
            }
            continue;
        }
        std::size_t around = segment.before.size() + segment.after.size();
        if (part.size() <= around
            || part.substr(0, segment.before.size()) != segment.before
            || part.substr(part.size() - segment.after.size())
                   != segment.after) {
            return {};
        }
        parameters.emplace_back(
            segment.name,
            part.substr(segment.before.size(), part.size() - around));
    }
    return parameters;
}

std::string enriched_bazaar(JsonValue declaration, std::string_view method,
                            const RouteTemplate &route, std::string_view path)
{
    JsonValue info = declaration["info"];
    JsonValue input = info["input"];
    if (input["type"].string() == "mcp") {
        return with_members(declaration, {});
    }
    Changes input_changes = {{"method", quoted(method)}};
    if (route.exists()) {
        input_changes.emplace_back("pathParams",
                                   parameters_json(route.match(path)));
    }
    Changes changes = {
        {"info",
         with_members(info, {{"input", with_members(input, input_changes)}})},
        {"schema",
         enriched_schema(declaration["schema"], method, route.exists())}};
    if (route.exists()) {
        changes.emplace_back("routeTemplate", quoted(route.text()));
    }
    return with_members(declaration, changes);
}

}  // namespace x402
