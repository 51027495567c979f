// SPDX-License-Identifier: Apache-2.0
#include "protocol/did_document.hpp"

#include "base/json_text.hpp"
#include "base/web_signature.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestDid = 512;

bool is_alphanumeric(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')
           || (letter >= '0' && letter <= '9');
}

bool consists_of(std::string_view text, std::string_view also)
{
    for (char letter : text) {
        if (!is_alphanumeric(letter)
            && also.find(letter) == std::string_view::npos) {
            return false;
        }
    }
    return !text.empty();
}

}  // namespace

bool is_did(std::string_view text)
{
    constexpr std::string_view kFront = "did:";
    if (text.substr(0, kFront.size()) != kFront || text.size() > kLongestDid) {
        return false;
    }
    std::string_view rest = text.substr(kFront.size());
    std::size_t colon = rest.find(':');
    return colon != std::string_view::npos
           && consists_of(rest.substr(0, colon), "")
           && consists_of(rest.substr(colon + 1), ".-_:%");
}

bool is_did_url(std::string_view text)
{
    std::size_t hash = text.find('#');
    return hash != std::string_view::npos && is_did(text.substr(0, hash))
           && consists_of(text.substr(hash + 1), ".-_~:");
}

std::string did_of_host(std::string_view host)
{
    bool named = consists_of(host, ".-") && host.find('.') != host.npos
                 && host.front() != '.' && host.back() != '.';
    return named || host == "localhost" ? "did:web:" + std::string(host)
                                        : std::string();
}

std::string_view did_part(std::string_view did_url)
{
    return did_url.substr(0, did_url.find('#'));
}

std::string did_document(std::string_view did,
                         const std::vector<PublishedKey> &keys)
{
    std::string text = R"({"@context":["https://www.w3.org/ns/did/v1",)"
                       R"("https://w3id.org/security/suites/jws-2020/v1"])";
    std::string methods;
    std::string uses;
    for (const PublishedKey &key : keys) {
        methods += methods.empty() ? "{" : ",{";
        append_json_key(methods, "id");
        append_json_string(methods, key.id);
        append_json_key(methods, "type");
        append_json_string(methods, "JsonWebKey2020");
        append_json_key(methods, "controller");
        append_json_string(methods, did);
        append_json_key(methods, "publicKeyJwk");
        methods += public_jwk(key.key) + "}";
        uses += uses.empty() ? "" : ",";
        append_json_string(uses, key.id);
    }
    append_json_key(text, "id");
    append_json_string(text, did);
    append_json_key(text, "verificationMethod");
    text += "[" + methods + "]";
    append_json_key(text, "assertionMethod");
    return text + "[" + uses + "]}";
}

}  // namespace x402
