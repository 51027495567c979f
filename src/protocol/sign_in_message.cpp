// SPDX-License-Identifier: Apache-2.0
#include "protocol/sign_in_message.hpp"

#include <optional>

#include "base/base64_codec.hpp"
#include "base/json_document.hpp"
#include "base/json_text.hpp"
#include "base/text_prefix.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestHeader = 4096;
constexpr std::string_view kEvm = "eip155:";
constexpr std::string_view kSolana = "solana:";

constexpr std::string_view kSchema =
    R"({"type":"object","properties":{"domain":{"type":"string"},)"
    R"("address":{"type":"string"},"statement":{"type":"string"},)"
    R"("uri":{"type":"string","format":"uri"},"version":{"type":"string"},)"
    R"("chainId":{"type":"string"},"type":{"type":"string"},)"
    R"("nonce":{"type":"string"},)"
    R"("issuedAt":{"type":"string","format":"date-time"},)"
    R"("expirationTime":{"type":"string","format":"date-time"},)"
    R"("resources":{"type":"array","items":{"type":"string"}},)"
    R"("signature":{"type":"string"}},"required":["domain","address","uri",)"
    R"("version","chainId","type","nonce","issuedAt","signature"]})";

void put_member(std::string &out, std::string_view name, std::string_view value)
{
    out += out.back() == '{' ? "" : ",";
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
}

// An absent member is an empty text. False: it is there and has another kind,
// or it is missing.
bool read_text(JsonValue object, std::string_view name, bool needed,
               std::string &out)
{
    JsonValue value = object[name];
    if (!value.exists()) {
        return !needed;
    }
    out = std::string(value.string());
    return value.is_string();
}

bool names_one(JsonValue resources, std::string_view uri)
{
    return !resources.exists()
           || (resources.is_array() && resources.size() == 1
               && resources.at(0).string() == uri);
}

}  // namespace

const char *sign_in_type(std::string_view chain)
{
    if (starts_with(chain, kEvm)) {
        return "eip191";
    }
    return starts_with(chain, kSolana) ? "ed25519" : nullptr;
}

std::string sign_in_declaration(const SignInTerms &terms,
                                const std::vector<std::string_view> &chains)
{
    std::string out = R"({"info":{)";
    put_member(out, "domain", terms.domain);
    put_member(out, "uri", terms.uri);
    put_member(out, "version", "1");
    put_member(out, "nonce", terms.nonce);
    put_member(out, "issuedAt", terms.issued_at);
    put_member(out, "expirationTime", terms.expires_at);
    if (!terms.statement.empty()) {
        put_member(out, "statement", terms.statement);
    }
    out += R"(,"resources":[)";
    append_json_string(out, terms.uri);
    out += R"(]},"supportedChains":[)";
    for (std::string_view chain : chains) {
        out += out.back() == '[' ? "{" : ",{";
        put_member(out, "chainId", chain);
        put_member(out, "type", sign_in_type(chain));
        out += '}';
    }
    out += R"(],"schema":)";
    out += kSchema;
    return out + "}";
}

std::string sign_in_text(const SignInTerms &terms, std::string_view address,
                         std::string_view chain)
{
    const bool evm = starts_with(chain, kEvm);
    std::string text = terms.domain;
    text += " wants you to sign in with your ";
    text += evm ? "Ethereum" : "Solana";
    text += " account:\n";
    text += address;
    text += "\n\n";
    if (!terms.statement.empty()) {
        text += terms.statement + "\n\n";
    } else if (evm) {
        // EIP-4361: the line stays empty.
        text += "\n";
    }
    text += "URI: " + terms.uri + "\nVersion: 1\nChain ID: ";
    text += chain.substr(chain.find(':') + 1);
    text += "\nNonce: " + terms.nonce + "\nIssued At: " + terms.issued_at
            + "\nExpiration Time: " + terms.expires_at + "\nResources:\n- "
            + terms.uri;
    return text;
}

Result<SignInProof> parse_sign_in(std::string_view header)
{
    if (header.size() > kLongestHeader) {
        return Problem{"it has more than 4 KB"};
    }
    std::optional<std::string> text = base64_decode(header);
    if (!text) {
        return Problem{"it is not base64"};
    }
    auto document = JsonDocument::parse(*text);
    if (!document || !document->root().is_object()) {
        return Problem{"it is not a JSON object"};
    }
    JsonValue root = document->root();
    if (root["notBefore"].exists() || root["requestId"].exists()) {
        return Problem{"it has members that were not offered"};
    }
    SignInProof proof;
    bool complete =
        read_text(root, "domain", true, proof.terms.domain)
        && read_text(root, "uri", true, proof.terms.uri)
        && read_text(root, "version", true, proof.version)
        && read_text(root, "nonce", true, proof.terms.nonce)
        && read_text(root, "issuedAt", true, proof.terms.issued_at)
        && read_text(root, "expirationTime", false, proof.terms.expires_at)
        && read_text(root, "statement", false, proof.terms.statement)
        && read_text(root, "address", true, proof.address)
        && read_text(root, "chainId", true, proof.chain)
        && read_text(root, "type", true, proof.type)
        && read_text(root, "signature", true, proof.signature);
    if (!complete || proof.version != "1"
        || !names_one(root["resources"], proof.terms.uri)) {
        return Problem{"a member is missing, or is not what was offered"};
    }
    return proof;
}

}  // namespace x402
