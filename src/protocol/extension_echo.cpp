// SPDX-License-Identifier: Apache-2.0
#include "protocol/extension_echo.hpp"

#include <algorithm>

namespace x402 {

namespace {

constexpr std::string_view kBuilderCode = "builder-code";
// The limit for the codes of client and server together.
constexpr std::size_t kMaxServiceCodes = 10;

// Codes are a list or, if there is one only, a string.
std::vector<JsonValue> codes_of(JsonValue codes)
{
    std::vector<JsonValue> list;
    if (!codes.is_array()) {
        if (codes.exists()) {
            list.push_back(codes);
        }
        return list;
    }
    for (std::size_t index = 0; index < codes.size(); ++index) {
        list.push_back(codes.at(index));
    }
    return list;
}

// `a` names the application that is paid, which only its server may set. `s`
// lists services that helped; a client may add itself.
bool keeps_codes(JsonValue advertised, JsonValue echoed)
{
    if (echoed["a"].exists() && !advertised["a"].exists()) {
        return false;
    }
    std::vector<JsonValue> parsed = codes_of(echoed["s"]);
    if (parsed.size() > kMaxServiceCodes) {
        return false;
    }
    for (const JsonValue &code : codes_of(advertised["s"])) {
        auto same = [&code](const JsonValue &other) {
            return code.equals(other);
        };
        if (std::none_of(parsed.begin(), parsed.end(), same)) {
            return false;
        }
    }
    return true;
}

}  // namespace

FieldNames fields_of_one_answer(std::string_view extension)
{
    if (extension == "sign-in-with-x") {
        return {"nonce", "issuedAt", "expirationTime"};
    }
    if (extension == "offer-receipt") {
        return {"offers"};
    }
    return {};
}

JsonValue extension_info(JsonValue extension)
{
    JsonValue info = extension["info"];
    return info.exists() ? info : extension;
}

bool keeps_info(JsonValue advertised, JsonValue echoed,
                const FieldNames &ignored)
{
    if (!advertised.is_object()) {
        return echoed.covers(advertised);
    }
    if (!echoed.is_object()) {
        return false;
    }
    for (const auto &[key, value] : advertised.members()) {
        bool skipped =
            std::find(ignored.begin(), ignored.end(), key) != ignored.end();
        if (!skipped && !echoed[key].covers(value)) {
            return false;
        }
    }
    return true;
}

bool is_echo(std::string_view extension, JsonValue advertised, JsonValue echoed)
{
    JsonValue offered = extension_info(advertised);
    JsonValue parsed = extension_info(echoed);
    if (extension == kBuilderCode) {
        return keeps_info(offered, parsed, {"s"})
               && keeps_codes(offered, parsed);
    }
    return keeps_info(offered, parsed, fields_of_one_answer(extension));
}

bool may_be_added(std::string_view extension, JsonValue echoed)
{
    return extension != kBuilderCode
           || keeps_codes(JsonValue(), extension_info(echoed));
}

}  // namespace x402
