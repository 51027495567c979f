// SPDX-License-Identifier: Apache-2.0
#include "protocol/signed_offer.hpp"

#include "base/json_text.hpp"
#include "base/web_signature.hpp"

namespace x402 {

namespace {

constexpr std::string_view kOfferSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema",)"
    R"("type":"object","properties":{"offers":{"type":"array"}},)"
    R"("required":["offers"]})";
constexpr std::string_view kReceiptSchema =
    R"({"$schema":"https://json-schema.org/draft/2020-12/schema",)"
    R"("type":"object","properties":{"receipt":{"type":"object"}},)"
    R"("required":["receipt"]})";

// Clients and proxies read 8 KB of response header, often less, and base64
// makes a third more of this.
constexpr std::size_t kEnoughSignedBytes = 2048;

void add_number(std::string &object, std::string_view key, std::int64_t number)
{
    append_json_key(object, key);
    object += std::to_string(number);
}

std::optional<std::string> sign(const OfferSigner &signer,
                                std::string_view payload)
{
    std::string header = "{";
    append_json_member(header, "alg", signature_algorithm(signer.key.kind()));
    append_json_member(header, "kid", signer.kid);
    return compact_jws(signer.key, header + "}", payload);
}

// Members in the order of RFC 8785, which both payloads follow.
std::string offer_payload(std::string_view url,
                          const PaymentRequirements &option, std::int64_t now)
{
    std::string text = "{";
    append_json_member(text, "amount", option.amount);
    append_json_member(text, "asset", option.asset);
    append_json_member(text, "network", option.network);
    append_json_member(text, "payTo", option.pay_to);
    append_json_member(text, "resourceUrl", url);
    append_json_member(text, "scheme", option.scheme);
    add_number(text, "validUntil", now + option.max_timeout_seconds);
    add_number(text, "version", 1);
    return text + "}";
}

std::string receipt_payload(std::string_view url, JsonValue receipt,
                            bool tells_transaction, std::int64_t now)
{
    std::string text = "{";
    add_number(text, "issuedAt", now);
    append_json_member(text, "network", receipt["network"].string());
    append_json_member(text, "payer", receipt["payer"].string());
    append_json_member(text, "resourceUrl", url);
    std::string_view transaction = receipt["transaction"].string();
    if (tells_transaction && !transaction.empty()) {
        append_json_member(text, "transaction", transaction);
    }
    add_number(text, "version", 1);
    return text + "}";
}

// The members of `extensions` but ours, then ours.
void append_extensions(std::string &out, JsonValue extensions,
                       std::string_view own)
{
    append_json_key(out, "extensions");
    out += '{';
    for (const auto &[name, value] : extensions.members()) {
        if (name != kOfferReceipt) {
            append_json_key(out, name);
            value.write(out);
        }
    }
    append_json_key(out, kOfferReceipt);
    out.append(own).append("}");
}

}  // namespace

std::optional<std::string> signed_offers(const OfferSigner &signer,
                                         std::string_view url,
                                         const PaymentOffer &offer,
                                         std::int64_t now)
{
    std::string text = R"({"info":{"offers":[)";
    std::int64_t index = 0;
    for (const PaymentOffer::Option &option : offer.options()) {
        if (text.size() > kEnoughSignedBytes) {
            break;
        }
        auto jws = sign(signer, offer_payload(url, option.requirements, now));
        if (!jws) {
            return std::nullopt;
        }
        text += index == 0 ? "{" : ",{";
        append_json_member(text, "format", "jws");
        add_number(text, "acceptIndex", index++);
        append_json_member(text, "signature", *jws);
        text += '}';
    }
    text += "]}";
    append_json_key(text, "schema");
    return text.append(kOfferSchema) + "}";
}

std::optional<std::string> sign_receipt(const OfferSigner &signer,
                                        std::string_view receipt,
                                        std::string_view url, std::int64_t now)
{
    auto document = JsonDocument::parse(receipt);
    JsonValue root = document ? document->root() : JsonValue();
    bool proves = root["success"].is_true() && !root["payer"].string().empty()
                  && !root["network"].string().empty();
    return proves ? sign(signer, receipt_payload(url, root,
                                                 signer.tells_transaction, now))
                  : std::nullopt;
}

std::string with_signed_receipt(const std::string &receipt,
                                std::string_view jws)
{
    auto document = JsonDocument::parse(receipt);
    if (!document) {
        return receipt;
    }
    std::string own = R"({"info":{"receipt":{"format":"jws")";
    append_json_member(own, "signature", jws);
    own += "}}";
    append_json_key(own, "schema");
    own.append(kReceiptSchema).append("}");

    std::string out = "{";
    for (const auto &[name, value] : document->root().members()) {
        if (name != "extensions") {
            append_json_key(out, name);
            value.write(out);
        }
    }
    append_extensions(out, document->root()["extensions"], own);
    return out + "}";
}

}  // namespace x402
