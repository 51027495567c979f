// SPDX-License-Identifier: Apache-2.0
#include "protocol/mpp_challenge.hpp"

#include "base/base64_codec.hpp"
#include "base/header_syntax.hpp"
#include "base/json_text.hpp"
#include "base/sha256_digest.hpp"
#include "base/utc_time.hpp"

namespace x402 {

namespace {

constexpr std::string_view kEvm = "eip155:";

std::string_view chain_id(const PaymentRequirements &option)
{
    return std::string_view(option.network).substr(kEvm.size());
}

// Members in the order of RFC 8785: clients write the request again in this
// order, and the id covers its bytes.
std::string request_json(const PaymentRequirements &option)
{
    std::string text = "{";
    append_json_key(text, "amount");
    append_json_string(text, option.amount);
    append_json_key(text, "currency");
    append_json_string(text, option.asset);
    append_json_key(text, "methodDetails");
    text += R"({"chainId":)";
    text += chain_id(option);
    text += R"(,"credentialTypes":["authorization"])";
    if (option.decimals) {
        append_json_key(text, "decimals");
        text += std::to_string(*option.decimals);
    }
    text += "}";
    append_json_key(text, "recipient");
    append_json_string(text, option.pay_to);
    return text + "}";
}

// The slots and their order are those of the scheme; `digest` is empty. The
// resource comes last.
std::string challenge_id(std::string_view key, std::string_view resource,
                         const MppChallenge &challenge)
{
    std::string text;
    for (std::string_view slot :
         {challenge.realm, challenge.method, challenge.intent,
          challenge.request, challenge.expires, std::string_view(),
          challenge.opaque}) {
        text.append(slot).push_back('|');
    }
    text.pop_back();
    if (!resource.empty()) {
        text.append("|").append(resource);
    }
    Digest digest = hmac_sha256(key, text);
    return base64url_encode(
        {reinterpret_cast<const char *>(digest.data()), digest.size()});
}

// Two challenges that differ cannot have one text.
bool slots_are_apart(const MppChallenge &challenge)
{
    for (std::string_view slot : {challenge.realm, challenge.request,
                                  challenge.expires, challenge.opaque}) {
        if (slot.find('|') != std::string_view::npos) {
            return false;
        }
    }
    return true;
}

bool same_in_constant_time(std::string_view one, std::string_view other)
{
    if (one.size() != other.size()) {
        return false;
    }
    unsigned difference = 0;
    for (std::size_t i = 0; i < one.size(); i++) {
        difference |= static_cast<unsigned char>(one[i] ^ other[i]);
    }
    return difference == 0;
}

void add_parameter(std::string &text, std::string_view name,
                   std::string_view value)
{
    text += text.empty() ? "Payment " : ", ";
    text.append(name).append("=\"");
    for (char letter : value) {
        if (letter == '"' || letter == '\\') {
            text += '\\';
        }
        text += letter;
    }
    text += '"';
}

bool is_short_number(std::string_view text)
{
    if (text.empty() || text.size() > 15) {
        return false;
    }
    for (char digit : text) {
        if (digit < '0' || digit > '9') {
            return false;
        }
    }
    return true;
}

}  // namespace

bool is_payment_credential(std::string_view header_value)
{
    constexpr std::string_view kWord = "payment";
    return same_word(header_value.substr(0, kWord.size()), kWord)
           && (header_value.size() == kWord.size()
               || header_value[kWord.size()] == ' '
               || header_value[kWord.size()] == '\t');
}

bool has_mpp_words(const PaymentRequirements &option)
{
    JsonValue way = option.extra.root()["assetTransferMethod"];
    return option.scheme == "exact"
           && option.network.compare(0, kEvm.size(), kEvm) == 0
           && is_short_number(chain_id(option))
           && (!way.exists() || way.string() == "eip3009")
           && option.extra.root()["name"].is_string() && option.plan.empty();
}

std::string mpp_challenge(const MppServer &server,
                          const PaymentRequirements &option)
{
    std::string request = base64url_encode(request_json(option));
    std::string expires =
        rfc3339_utc((server.now + option.max_timeout_seconds) * 1000);
    std::string salt = R"({"salt":)";
    append_json_string(salt, server.salt);
    std::string opaque = base64url_encode(salt + "}");

    MppChallenge challenge = {{},      server.realm, kMppMethod, kMppIntent,
                              request, expires,      opaque};
    std::string text;
    add_parameter(text, "id",
                  challenge_id(server.key, server.resource, challenge));
    add_parameter(text, "realm", challenge.realm);
    add_parameter(text, "method", challenge.method);
    add_parameter(text, "intent", challenge.intent);
    add_parameter(text, "request", challenge.request);
    add_parameter(text, "expires", challenge.expires);
    add_parameter(text, "opaque", challenge.opaque);
    return text;
}

bool is_own_challenge(const MppServer &server, const MppChallenge &challenge)
{
    bool own = same_in_constant_time(
        challenge.id, challenge_id(server.key, server.resource, challenge));
    if (!server.previous_key.empty()) {
        own |= same_in_constant_time(
            challenge.id,
            challenge_id(server.previous_key, server.resource, challenge));
    }
    return own && challenge.realm == server.realm && slots_are_apart(challenge);
}

std::optional<std::int64_t> mpp_expiry(std::string_view text)
{
    // Days before each month, in a year without a leap day.
    constexpr std::int64_t kDays[] = {0,   31,  59,  90,  120, 151,
                                      181, 212, 243, 273, 304, 334};
    constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.000Z";
    if (text.size() != kForm.size()) {
        return std::nullopt;
    }
    std::int64_t numbers[6] = {};
    std::size_t index = 0;
    for (std::size_t i = 0; i < kForm.size() - 5; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (digit != (kForm[i] == 'd') || (!digit && text[i] != kForm[i])) {
            return std::nullopt;
        }
        if (digit) {
            numbers[index] = numbers[index] * 10 + (text[i] - '0');
        } else {
            index++;
        }
    }
    auto [year, month, day, hour, minute, second] = numbers;
    bool later = month > 2;
    std::int64_t leaps = later ? year : year - 1;
    if (month < 1 || month > 12) {
        return std::nullopt;
    }
    std::int64_t days = (year - 1970) * 365 + leaps / 4 - leaps / 100
                        + leaps / 400 - 477 + kDays[month - 1] + day - 1;
    std::int64_t at = ((days * 24 + hour) * 60 + minute) * 60 + second;
    // Whatever is not a date reads back as another text.
    return rfc3339_utc(at * 1000) == text ? std::optional(at) : std::nullopt;
}

}  // namespace x402
