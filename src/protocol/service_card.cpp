// SPDX-License-Identifier: Apache-2.0
#include "protocol/service_card.hpp"

#include <algorithm>

#include "base/decimal_amount.hpp"
#include "base/json_text.hpp"
#include "protocol/bazaar_discovery.hpp"

namespace x402 {

namespace {

// x402 v2, ResourceInfo: the bounds of the official schema.
constexpr std::size_t kMostNameBytes = 32;
constexpr std::size_t kMostTags = 5;
constexpr std::size_t kMostUrlBytes = 2048;
constexpr std::size_t kMostGuidanceBytes = 4000;
constexpr unsigned kDollarDecimals = 18;

using Fault = std::string;

bool is_printable(std::string_view text)
{
    return std::all_of(text.begin(), text.end(),
                       [](char byte) { return byte >= ' ' && byte <= '~'; });
}

std::vector<std::string> split(std::string_view text)
{
    std::vector<std::string> parts;
    for (;;) {
        std::size_t comma = text.find(',');
        parts.emplace_back(text.substr(0, comma));
        if (comma == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(comma + 1);
    }
}

Fault check_name(std::string_view what, std::string_view name)
{
    return !name.empty() && name.size() <= kMostNameBytes && is_printable(name)
               ? Fault()
               : std::string(what) + " \"" + std::string(name)
                     + "\" has to be 1 to 32 characters of ASCII";
}

bool is_web_url(std::string_view text)
{
    for (std::string_view scheme : {"https://", "http://"}) {
        if (text.substr(0, scheme.size()) == scheme) {
            return text.size() > scheme.size() && text.size() <= kMostUrlBytes
                   && is_printable(text)
                   && text.find_first_of(" \"<>\\") == std::string_view::npos;
        }
    }
    return false;
}

bool is_email(std::string_view text)
{
    std::size_t at = text.find('@');
    return at != std::string_view::npos && at > 0 && at + 1 < text.size()
           && text.find('@', at + 1) == std::string_view::npos
           && text.find_first_of(" \"<>\\,:/") == std::string_view::npos
           && is_printable(text);
}

Fault read_tags(std::string_view text, std::vector<std::string> &tags)
{
    tags = split(text);
    if (tags.size() > kMostTags) {
        return "a service has at most 5 tags, found "
               + std::to_string(tags.size());
    }
    for (const std::string &tag : tags) {
        Fault fault = check_name("tag", tag);
        if (!fault.empty()) {
            return fault;
        }
    }
    return {};
}

// Both spellings of a parameter become that of OpenAPI.
Fault read_path(std::string_view text, std::string &path)
{
    if (text.empty() || text.front() != '/' || !is_printable(text)
        || text.find_first_of(" ?#\"<>\\") != std::string_view::npos) {
        return "path \"" + std::string(text)
               + "\" is not a path; write one such as /weather/:city";
    }
    if (text.find_first_of("{}") != std::string_view::npos) {
        path = text;
        return {};
    }
    auto route = RouteTemplate::parse(text);
    path = route ? route->openapi_path() : std::string(text);
    return {};
}

Fault read_methods(std::string_view text, std::vector<std::string> &methods)
{
    constexpr std::string_view kKnown[] = {"GET",    "POST", "PUT",
                                           "DELETE", "HEAD", "PATCH"};
    methods = split(text);
    for (const std::string &method : methods) {
        if (std::find(std::begin(kKnown), std::end(kKnown), method)
            == std::end(kKnown)) {
            return "\"" + method
                   + "\" is not a method that a manifest lists; write GET, "
                     "POST, PUT, DELETE, HEAD or PATCH, with commas between";
        }
    }
    return {};
}

Fault read_bounds(std::string_view text, std::string &lowest,
                  std::string &highest)
{
    std::size_t dash = text.find('-');
    std::string low(text.substr(0, dash));
    std::string high(dash == std::string_view::npos ? text
                                                    : text.substr(dash + 1));
    auto least = to_atomic_amount(low, kDollarDecimals);
    auto most = to_atomic_amount(high, kDollarDecimals);
    if (!least || !most
        || compare_atomic_amounts(least.value(), most.value()) > 0) {
        return "price \"" + std::string(text)
               + "\" is not a range of dollars; write one such as "
                 "price=0.01-0.25";
    }
    lowest = to_decimal(least.value(), kDollarDecimals);
    highest = to_decimal(most.value(), kDollarDecimals);
    return {};
}

Fault read_listing(std::string_view text, ServiceCard::Listing &listing)
{
    if (text != "on" && text != "off") {
        return "list=" + std::string(text) + " is unknown; write on or off";
    }
    listing = text == "on" ? ServiceCard::Listing::shown
                           : ServiceCard::Listing::hidden;
    return {};
}

struct UrlKey {
    std::string_view key;
    std::string ServiceCard::*member;
    bool email;  // may be an address, too
};

constexpr UrlKey kUrlKeys[] = {
    {"icon", &ServiceCard::icon, false},
    {"help", &ServiceCard::help, false},
    {"contact", &ServiceCard::contact, true},
};

Fault url_fault(const UrlKey &known, std::string_view value)
{
    return std::string(known.key) + " \"" + std::string(value)
           + (known.email ? "\" is neither an e-mail address nor a URL"
                          : "\" is not an http or https URL");
}

template <class T> void take_if_empty(T &own, const T &outer)
{
    if (own.empty()) {
        own = outer;
    }
}

}  // namespace

std::string ServiceCard::read(std::string_view word)
{
    std::size_t equals = word.find('=');
    std::string_view key = word.substr(0, equals);
    std::string_view value = equals == std::string_view::npos
                                 ? std::string_view()
                                 : word.substr(equals + 1);
    if (value.empty()) {
        return "\"" + std::string(word)
               + "\" is not key=value; write one such as \"name=My shop\"";
    }
    if (key == "name") {
        name = value;
        return check_name("name", value);
    }
    if (key == "tags") {
        return read_tags(value, tags);
    }
    for (const UrlKey &known : kUrlKeys) {
        if (key == known.key) {
            this->*known.member = value;
            bool fine = is_web_url(value) || (known.email && is_email(value));
            return fine ? Fault() : url_fault(known, value);
        }
    }
    if (key == "guidance") {
        guidance = value;
        return value.size() <= kMostGuidanceBytes
                   ? Fault()
                   : "guidance has more than 4000 bytes; agents stop reading";
    }
    if (key == "proof") {
        proof = value;
        return is_printable(value) ? Fault() : "proof is not ASCII";
    }
    if (key == "path") {
        return read_path(value, path);
    }
    if (key == "method") {
        return read_methods(value, methods);
    }
    if (key == "price") {
        return read_bounds(value, lowest, highest);
    }
    if (key == "list") {
        return read_listing(value, listing);
    }
    return "\"" + std::string(key)
           + "\" is unknown; write name, tags, icon, contact, guidance, help, "
             "proof, path, method, price or list";
}

void ServiceCard::inherit(const ServiceCard &outer)
{
    take_if_empty(name, outer.name);
    take_if_empty(tags, outer.tags);
    take_if_empty(icon, outer.icon);
    take_if_empty(contact, outer.contact);
    take_if_empty(guidance, outer.guidance);
    take_if_empty(help, outer.help);
    take_if_empty(proof, outer.proof);
}

bool ServiceCard::is_of_location() const
{
    return !path.empty() || !methods.empty() || !lowest.empty()
           || listing != Listing::by_rule;
}

std::string ServiceCard::resource_members() const
{
    std::string text;
    if (!name.empty()) {
        append_json_key(text, "serviceName");
        append_json_string(text, name);
    }
    if (!tags.empty()) {
        append_json_key(text, "tags");
        for (std::size_t i = 0; i < tags.size(); i++) {
            text += i == 0 ? '[' : ',';
            append_json_string(text, tags[i]);
        }
        text += ']';
    }
    if (!icon.empty()) {
        append_json_key(text, "iconUrl");
        append_json_string(text, icon);
    }
    return text;
}

}  // namespace x402
