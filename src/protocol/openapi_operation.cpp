// SPDX-License-Identifier: Apache-2.0
#include "protocol/openapi_operation.hpp"

#include "base/json_text.hpp"

namespace x402 {

namespace {

void add_value(std::string &out, std::string_view key, JsonValue value)
{
    append_json_key(out, key);
    value.write(out);
}

void add_price(std::string &out, const ManifestRoute &route)
{
    if (route.currency.empty()) {
        return;
    }
    append_json_key(out, "price");
    out += '{';
    append_json_member(out, "mode", route.amount.empty() ? "dynamic" : "fixed");
    append_json_member(out, "currency", route.currency);
    if (!route.amount.empty()) {
        append_json_member(out, "amount", route.amount);
    } else if (!route.highest.empty()) {
        append_json_member(out, "min", route.lowest);
        append_json_member(out, "max", route.highest);
    }
    out += '}';
}

void add_offers(std::string &out, const ManifestRoute &route)
{
    if (route.offers.empty()) {
        return;
    }
    append_json_key(out, "offers");
    out += '[';
    for (const ManifestOffer &offer : route.offers) {
        out += out.back() == '[' ? "{" : ",{";
        append_json_member(out, "intent", "charge");
        append_json_member(out, "method", offer.method);
        if (!offer.amount.empty()) {
            append_json_member(out, "amount", offer.amount);
        }
        if (!offer.currency.empty()) {
            append_json_member(out, "currency", offer.currency);
        }
        out += '}';
    }
    out += ']';
}

std::vector<std::string> parameters_of(std::string_view path)
{
    std::vector<std::string> names;
    for (;;) {
        std::size_t open = path.find('{');
        std::size_t close = path.find('}', open);
        if (open == std::string_view::npos || close == std::string_view::npos) {
            return names;
        }
        names.emplace_back(path.substr(open + 1, close - open - 1));
        path.remove_prefix(close + 1);
    }
}

bool contains(JsonValue list, std::string_view word)
{
    for (std::size_t i = 0; i < list.size(); i++) {
        if (list.at(i).string() == word) {
            return true;
        }
    }
    return false;
}

void add_parameter(std::string &out, std::string_view name,
                   std::string_view place, bool required, JsonValue schema,
                   JsonValue example)
{
    out += out.back() == '[' ? "{" : ",{";
    append_json_member(out, "name", name);
    append_json_member(out, "in", place);
    append_json_key(out, "required");
    out += required ? "true" : "false";
    if (schema.exists()) {
        add_value(out, "schema", schema);
    } else {
        append_json_key(out, "schema");
        out += "{\"type\":\"string\"}";
    }
    if (example.exists()) {
        add_value(out, "example", example);
    }
    out += '}';
}

void add_parameters(std::string &out, const ManifestRoute &route)
{
    JsonValue input = route.bazaar["info"]["input"];
    JsonValue schema =
        route.bazaar["schema"]["properties"]["input"]["properties"];
    append_json_key(out, "parameters");
    out += '[';
    for (const std::string &name : parameters_of(route.path)) {
        add_parameter(out, name, "path", true,
                      schema["pathParams"]["properties"][name],
                      input["pathParams"][name]);
    }
    JsonValue query = schema["queryParams"];
    for (const auto &[name, about] : query["properties"].members()) {
        add_parameter(out, name, "query", contains(query["required"], name),
                      about, input["queryParams"][name]);
    }
    out += ']';
}

std::string_view body_type(JsonValue input)
{
    std::string_view type = input["bodyType"].string();
    if (type == "form-data") {
        return "multipart/form-data";
    }
    return type == "text" ? "text/plain" : "application/json";
}

void add_request_body(std::string &out, const ManifestRoute &route,
                      std::string_view method)
{
    if (method != "POST" && method != "PUT" && method != "PATCH") {
        return;
    }
    JsonValue input = route.bazaar["info"]["input"];
    JsonValue schema =
        route.bazaar["schema"]["properties"]["input"]["properties"]["body"];
    if (!schema.exists()) {
        schema = input["inputSchema"];  // of an MCP tool
    }
    append_json_key(out, "requestBody");
    out += "{\"required\":true,\"content\":{";
    append_json_key(out, body_type(input));
    out += '{';
    append_json_key(out, "schema");
    if (schema.exists()) {
        schema.write(out);
    } else {
        out += "{}";
    }
    if (input["body"].exists()) {
        add_value(out, "example", input["body"]);
    }
    out += "}}}";
}

void add_responses(std::string &out, const ManifestRoute &route)
{
    JsonValue example = route.bazaar["info"]["output"]["example"];
    JsonValue schema =
        route.bazaar["schema"]["properties"]["output"]["properties"]["example"];
    append_json_key(out, "responses");
    out += "{\"200\":{\"description\":\"The content, with its receipt in the "
           "header PAYMENT-RESPONSE\"";
    bool is_json = route.bazaar["info"]["output"].exists();
    std::string_view type = route.mime_type;
    if (type.empty() && is_json) {
        type = "application/json";
    }
    if (!type.empty()) {
        append_json_key(out, "content");
        out += '{';
        append_json_key(out, type);
        out += '{';
        if (schema.exists()) {
            add_value(out, "schema", schema);
        }
        if (example.exists()) {
            add_value(out, "example", example);
        }
        out += "}}";
    }
    out += "},\"402\":";
    out += route.signature_alone ? kSignInRequiredResponse
                                 : kPaymentRequiredResponse;
    out += '}';
}

}  // namespace

std::string payment_info(const ManifestRoute &route)
{
    std::string out = "{";
    add_price(out, route);
    append_json_key(out, "protocols");
    out += "[{\"x402\":{}}]";
    add_offers(out, route);
    return out + '}';
}

std::string openapi_operation(const ManifestRoute &route,
                              std::string_view method)
{
    std::string out = "{";
    append_json_member(out, "summary",
                       route.description.empty()
                           ? std::string(method) + " " + route.path
                           : route.description);
    append_json_key(out, "security");
    out += route.signature_alone ? kSignInSecurity : "[]";
    add_parameters(out, route);
    add_request_body(out, route, method);
    add_responses(out, route);
    if (!route.signature_alone) {
        append_json_key(out, "x-payment-info");
        out += payment_info(route);
    }
    return out + '}';
}

}  // namespace x402
