// SPDX-License-Identifier: Apache-2.0
#include "protocol/extension_shape.hpp"

#include <algorithm>

#include "protocol/payment_identifier.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxServerCodes = 5;

bool is_of(std::string_view text, std::string_view letters, std::size_t most)
{
    return !text.empty() && text.size() <= most
           && text.find_first_not_of(letters) == std::string_view::npos;
}

bool is_builder_code(JsonValue code)
{
    return is_of(code.string(), "abcdefghijklmnopqrstuvwxyz0123456789_", 32);
}

bool are_service_codes(JsonValue codes)
{
    if (!codes.is_array()) {
        return is_builder_code(codes);
    }
    for (std::size_t index = 0; index < codes.size(); ++index) {
        if (!is_builder_code(codes.at(index))) {
            return false;
        }
    }
    return codes.size() > 0 && codes.size() <= kMaxServerCodes;
}

std::string validate_identifier(JsonValue declaration)
{
    if (!declaration["info"]["required"].is_boolean()) {
        return "\"info\" must say whether payments have to be named; write "
               "{\"info\":{\"required\":false}}, or true";
    }
    if (declaration["info"]["id"].exists()) {
        return "\"info.id\" is for the client to write; leave it out";
    }
    return {};
}

std::string validate_codes(JsonValue declaration)
{
    JsonValue info = declaration["info"];
    JsonValue app = info["a"];
    JsonValue services = info["s"];
    if (!app.exists() && !services.exists()) {
        return "\"info\" does not name an app; write "
               "{\"info\":{\"a\":\"my_app\"}}";
    }
    if (app.exists() && !is_builder_code(app)) {
        return "\"info.a\" is not a builder code; write 1 to 32 lower-case "
               "letters, digits and _";
    }
    if (services.exists() && !are_service_codes(services)) {
        return "\"info.s\" must be a list of one to five builder codes, each "
               "of 1 to 32 lower-case letters, digits and _";
    }
    return {};
}

std::string validate_sponsoring(JsonValue declaration)
{
    JsonValue info = declaration["info"];
    if (!info["description"].is_string()
        || !is_of(info["version"].string(), "0123456789.", 16)) {
        return "\"info\" needs a description and a version; write "
               "{\"info\":{\"description\":\"...\",\"version\":\"1\"}}";
    }
    if (!declaration["schema"].is_object()) {
        return "\"schema\" is missing: the JSON schema that tells a client "
               "what to send";
    }
    return {};
}

std::string validate_bazaar(JsonValue declaration)
{
    std::string_view type = declaration["info"]["input"]["type"].string();
    if (type != "http" && type != "mcp") {
        return "\"info.input.type\" must be \"http\" (or \"mcp\")";
    }
    if (!declaration["schema"].is_object()) {
        return "\"schema\" is missing: the JSON schema of \"info\"";
    }
    if (type == "mcp") {
        return {};
    }
    // The method is added here.
    JsonValue properties = declaration["schema"]["properties"];
    JsonValue input = properties["input"];
    for (JsonValue part : {properties, input, input["properties"]}) {
        if (part.exists() && !part.is_object()) {
            return "\"schema.properties.input.properties\" must lead through "
                   "objects";
        }
    }
    JsonValue required = input["required"];
    if (required.exists() && !required.is_array()) {
        return "\"schema.properties.input.required\" must be a list of names";
    }
    return {};
}

}  // namespace

bool is_extension_name(std::string_view text)
{
    return is_of(text,
                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                 "0123456789._-",
                 64);
}

std::string validate_declaration(std::string_view name, JsonValue declaration)
{
    if (!declaration.is_object() || declaration.size() == 0) {
        return "it is not a JSON object; write "
               "{\"info\":{...},\"schema\":{...}}";
    }
    if (name == kPaymentIdentifier) {
        return validate_identifier(declaration);
    }
    if (name == "builder-code") {
        return validate_codes(declaration);
    }
    if (name == "eip2612GasSponsoring"
        || name == "erc20ApprovalGasSponsoring") {
        return validate_sponsoring(declaration);
    }
    if (name == "bazaar") {
        return validate_bazaar(declaration);
    }
    if (name == "offer-receipt") {
        return "its content is made for each response; write "
               "x402_sign_offers, and no file";
    }
    if (name == "sign-in-with-x") {
        return "its content is made for each response; write "
               "x402_sign_in, and no file";
    }
    return {};
}

}  // namespace x402
