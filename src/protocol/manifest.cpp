// SPDX-License-Identifier: Apache-2.0
#include "protocol/manifest.hpp"

#include <algorithm>

#include "base/json_text.hpp"
#include "base/url_path.hpp"
#include "protocol/openapi_operation.hpp"

namespace x402 {

namespace {

constexpr std::string_view kMethods[] = {"get",     "put",  "post",  "delete",
                                         "options", "head", "patch", "trace"};

// `key` in lower case.
bool is_operation(std::string_view key)
{
    return std::find(std::begin(kMethods), std::end(kMethods), key)
           != std::end(kMethods);
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char &letter : out) {
        if (letter >= 'A' && letter <= 'Z') {
            letter = static_cast<char>(letter + ('a' - 'A'));
        }
    }
    return out;
}

void add_value(std::string &out, std::string_view key, JsonValue value)
{
    append_json_key(out, key);
    value.write(out);
}

bool is_charged(const ManifestRoute &route, std::string_view method)
{
    const auto &charged = route.charged;
    return charged.empty()
           || std::any_of(charged.begin(), charged.end(),
                          [&](const std::string &each) {
                              return lower(each) == method
                                     || (each == "GET" && method == "head");
                          });
}

// A path that its template matches: parameters become a letter.
std::string sample_path(std::string_view path)
{
    std::string out;
    bool inside = false;
    for (char byte : path) {
        if (byte == '{') {
            out += 'x';
        }
        inside = byte == '{' || (inside && byte != '}');
        if (!inside && byte != '}') {
            out += byte;
        }
    }
    return out;
}

std::string with_price(JsonValue operation, const ManifestRoute &route)
{
    std::string ours = "{\"responses\":{\"402\":";
    if (route.signature_alone) {
        ours += kSignInRequiredResponse;
        ours += "},\"security\":" + std::string(kSignInSecurity) + '}';
    } else {
        ours += kPaymentRequiredResponse;
        ours += "},\"x-payment-info\":" + payment_info(route) + '}';
    }
    auto added = JsonDocument::parse(ours);
    std::string out;
    if (!added) {
        operation.write(out);
        return out;
    }
    return merge_json_objects(operation, added->root());
}

// The path item with prices at its charged operations.
void add_base_item(std::string &out, JsonValue item, const ManifestRoute *route)
{
    out += '{';
    for (const auto &[key, value] : item.members()) {
        append_json_key(out, key);
        if (route && is_operation(key) && value.is_object()
            && is_charged(*route, key)) {
            out += with_price(value, *route);
        } else {
            value.write(out);
        }
    }
    out += '}';
}

// OpenAPI has no words for other methods.
void add_own_item(std::string &out, const ManifestRoute &route)
{
    std::string item = "{";
    for (const std::string &name : route.methods) {
        std::string method = lower(name);
        if (is_operation(method)) {
            append_json_key(item, method);
            item += openapi_operation(route, name);
        }
    }
    if (item != "{") {
        append_json_key(out, route.path);
        out += item + '}';
    }
}

std::string paths_json(const std::vector<ManifestRoute> &routes, JsonValue base,
                       const RouteFinder &find)
{
    std::vector<bool> covered(routes.size(), false);
    std::vector<std::string> written;
    std::string out = "{";
    for (const auto &[path, item] : base["paths"].members()) {
        std::size_t index = find(decoded_path(sample_path(path)));
        bool found = index < routes.size();
        append_json_key(out, path);
        add_base_item(out, item, found ? &routes[index] : nullptr);
        written.emplace_back(path);
        if (found) {
            covered[index] = true;
        }
    }
    for (std::size_t i = 0; i < routes.size(); i++) {
        // Two members of one name would be two truths.
        bool known =
            covered[i]
            || std::find(written.begin(), written.end(), routes[i].path)
                   != written.end();
        if (!known && !routes[i].twin) {
            add_own_item(out, routes[i]);
        }
    }
    return out + '}';
}

void add_contact(std::string &out, const std::string &contact)
{
    if (contact.empty()) {
        return;
    }
    append_json_key(out, "contact");
    out += '{';
    append_json_member(
        out, contact.find("://") == std::string::npos ? "email" : "url",
        contact);
    out += '}';
}

// As discovery tools of agents know it.
constexpr std::string_view kSignInScheme =
    "{\"securitySchemes\":{\"siwx\":{\"type\":\"apiKey\",\"in\":\"header\","
    "\"name\":\"SIGN-IN-WITH-X\",\"x-agentcash-auth-kind\":\"siwx\"}}}";

bool any_signature_alone(const std::vector<ManifestRoute> &routes)
{
    return std::any_of(
        routes.begin(), routes.end(),
        [](const ManifestRoute &route) { return route.signature_alone; });
}

std::string own_members(const ManifestService &service, bool sign_in)
{
    std::string out = "{\"openapi\":\"3.1.0\",\"info\":{";
    append_json_member(out, "title", service.title);
    append_json_member(out, "version", "1.0.0");
    add_contact(out, service.contact);
    if (!service.guidance.empty()) {
        append_json_member(out, "x-guidance", service.guidance);
    }
    out += '}';
    if (sign_in) {
        append_json_key(out, "components");
        out += kSignInScheme;
    }
    if (!service.proof.empty()) {
        append_json_key(out, "x-discovery");
        out += "{\"ownershipProofs\":[";
        append_json_string(out, service.proof);
        out += "]}";
    }
    return out + '}';
}

std::string colon_route(std::string_view path)
{
    std::string out;
    for (char byte : path) {
        if (byte == '{') {
            out += ':';
        } else if (byte != '}') {
            out += byte;
        }
    }
    return out;
}

bool is_resource(const ManifestRoute &route)
{
    return !route.signature_alone && !route.twin;
}

// Everything after the origin, or the whole URL.
void add_url(std::vector<std::string> &pieces, const ManifestRoute &route)
{
    std::string room;
    pieces.back() += '"';
    if (!route.url.empty()) {
        pieces.back() += inside_json_string(route.url, room);
    } else {
        pieces.emplace_back(inside_json_string(route.path, room));
    }
    pieces.back() += '"';
}

void add_item(std::vector<std::string> &pieces, const ManifestRoute &route,
              const std::string &method, std::int64_t now)
{
    pieces.back() += "{\"resource\":";
    add_url(pieces, route);
    std::string &out = pieces.back();
    append_json_member(out, "type", "http");
    out += ",\"x402Version\":2,\"lastUpdated\":" + std::to_string(now);
    if (!route.accepts_json.empty()) {
        append_json_key(out, "accepts");
        out += route.accepts_json;
    }
    out += ",\"input\":{";
    append_json_member(out, "method", method);
    if (route.path.find('{') != std::string::npos) {
        append_json_member(out, "routeTemplate", colon_route(route.path));
    }
    out += "}}";
}

}  // namespace

std::string openapi_manifest(const ManifestService &service,
                             const std::vector<ManifestRoute> &routes,
                             JsonValue base, const RouteFinder &find)
{
    std::string paths = paths_json(routes, base, find);
    std::string out;
    std::string ours = own_members(service, any_signature_alone(routes));
    auto own = JsonDocument::parse(ours);
    if (base.exists() && own) {
        // What the operator wrote wins.
        out = merge_json_objects(own->root(), base);
    } else {
        out = ours;
    }
    // The paths of the base are written once, with their prices.
    auto whole = JsonDocument::parse(out, {4 << 20, 64, 1 << 20, 1 << 20});
    out = "{";
    if (whole) {
        for (const auto &[key, value] : whole->root().members()) {
            if (key != "paths") {
                add_value(out, key, value);
            }
        }
    }
    append_json_key(out, "paths");
    return out + paths + '}';
}

std::vector<std::string>
resource_manifest(const std::vector<ManifestRoute> &routes, std::int64_t now)
{
    std::vector<std::string> pieces = {"{\"version\":1,\"resources\":["};
    bool first = true;
    for (const ManifestRoute &route : routes) {
        if (!is_resource(route)) {
            continue;
        }
        pieces.back() += first ? "" : ",";
        first = false;
        add_url(pieces, route);
    }
    pieces.back() += "],\"x402Version\":2,\"lastUpdated\":"
                     + std::to_string(now) + ",\"items\":[";
    first = true;
    for (const ManifestRoute &route : routes) {
        if (!is_resource(route)) {
            continue;
        }
        for (const std::string &method : route.methods) {
            pieces.back() += first ? "" : ",";
            first = false;
            add_item(pieces, route, method, now);
        }
    }
    pieces.back() += "]}";
    return pieces;
}

}  // namespace x402
