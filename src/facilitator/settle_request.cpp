// SPDX-License-Identifier: Apache-2.0
#include "facilitator/settle_request.hpp"

#include "base/canonical_json.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

std::optional<JsonDocument> document_of(std::string_view body)
{
    // The client's payload was within the limits; the request wraps it together
    // with the requirement.
    JsonLimits limits;
    limits.bytes = body.size();
    limits.depth += 2;
    limits.keys *= 2;
    limits.values *= 2;
    auto document = JsonDocument::parse(std::string(body), limits);
    return document ? std::optional(std::move(document.value())) : std::nullopt;
}

// The members that either form signs.
struct SignedTerm {
    const char *form;
    const char *member;
    const char *part;  // nullptr: the member itself
};
constexpr SignedTerm kSignedTerms[] = {
    {"authorization", "to", nullptr},
    {"authorization", "value", nullptr},
    {"authorization", "validAfter", nullptr},
    {"authorization", "validBefore", nullptr},
    {"permit2Authorization", "permitted", "token"},
    {"permit2Authorization", "permitted", "amount"},
    {"permit2Authorization", "spender", nullptr},
    {"permit2Authorization", "deadline", nullptr},
    {"permit2Authorization", "witness", "to"},
    {"permit2Authorization", "witness", "facilitator"},
    {"permit2Authorization", "witness", "validAfter"},
};

JsonValue term_of(JsonValue payload, const SignedTerm &term)
{
    JsonValue member = payload[term.form][term.member];
    return term.part ? member[term.part] : member;
}

}  // namespace

std::optional<SettleRequest> read_settle_request(std::string_view body)
{
    auto document = document_of(body);
    if (!document) {
        return std::nullopt;
    }
    JsonValue asked = document->root()["paymentRequirements"];
    if (!asked["network"].is_string()) {
        return std::nullopt;
    }
    const char *amount =
        asked["amount"].exists() ? "amount" : "maxAmountRequired";
    SettleRequest request;
    request.receipt_network = std::string(asked["network"].string());
    request.network = canonical_network(request.receipt_network);
    request.amount = std::string(asked[amount].string());
    request.asset = std::string(asked["asset"].string());
    request.at_most = asked["scheme"].string() == "upto";
    request.pay_to = std::string(asked["payTo"].string());
    request.scheme = std::string(asked["scheme"].string());
    // Version 1 has it in the requirements, version 2 beside the payload.
    JsonValue payload = document->root()["paymentPayload"];
    JsonValue url = payload["resource"]["url"];
    request.resource = std::string(
        url.is_string() ? url.string() : asked["resource"].string());
    auto version = document->root()["x402Version"].integer();
    request.version =
        version && *version > 0 && *version < 256 ? unsigned(*version) : 0;
    return request;
}

bool signs_other_terms(std::string_view body, JsonValue payload)
{
    auto document = document_of(body);
    if (!document) {
        return false;
    }
    JsonValue sent = document->root()["paymentPayload"]["payload"];
    for (const SignedTerm &term : kSignedTerms) {
        JsonValue before = term_of(sent, term);
        JsonValue now = term_of(payload, term);
        if (before.exists() && now.exists()
            && canonical_json(before, Spelling::loose)
                   != canonical_json(now, Spelling::loose)) {
            return true;
        }
    }
    return false;
}

}  // namespace x402
