// SPDX-License-Identifier: Apache-2.0
// Nevermined: plans of credits, paid by opaque, reusable tokens. Headers of
// version 2 with other accepts, and verify and settle requests that contain the
// whole offer.
#include "base/base64_codec.hpp"
#include "base/json_text.hpp"
#include "protocol/dialect.hpp"
#include "protocol/payment_header_names.hpp"
#include "protocol/requirements_match.hpp"

namespace x402 {

namespace {

void append_filled(std::string &text, std::string_view key,
                   std::string_view value)
{
    if (!value.empty()) {
        append_json_member(text, key, value);
    }
}

std::string plan_json(const PaymentRequirements &option,
                      std::string_view method)
{
    std::string text = "{";
    append_json_member(text, "scheme", option.scheme);
    append_json_member(text, "network", option.network);
    append_json_member(text, "planId", option.plan);
    append_json_key(text, "extra");
    text.push_back('{');
    append_json_member(text, "version", "1");
    append_filled(text, "agentId", option.agent);
    append_filled(text, "httpVerb", method);
    text.append("}}");
    return text;
}

// Empty members are left out.
std::string offer_json(const Challenge &challenge, std::string_view error)
{
    const ResourceInfo &resource = challenge.resource;
    std::string text = "{\"x402Version\":2";
    append_filled(text, "error", error);
    append_json_key(text, "resource");
    text.push_back('{');
    append_json_member(text, "url", resource.path);
    append_filled(text, "description", resource.description);
    append_filled(text, "mimeType", resource.mime_type);
    text.push_back('}');
    append_json_key(text, "accepts");
    text.push_back('[');
    for (const PaymentOffer::Option &option : challenge.offer.options()) {
        text.append(&option == &challenge.offer.options().front() ? "" : ",");
        text.append(plan_json(option.requirements, resource.method));
    }
    text.push_back(']');
    append_json_key(text, "extensions");
    text.append(challenge.extensions_json.empty() ? "{}"
                                                  : challenge.extensions_json);
    text.push_back('}');
    return text;
}

class DialectNevermined final : public Dialect {
public:
    std::string_view name() const override { return "nevermined"; }
    unsigned version() const override { return 2; }
    std::string_view payment_header() const override { return kPaymentHeader; }
    std::string_view offer_header() const override { return kOfferHeaderLower; }
    std::string_view receipt_header() const override
    {
        return kReceiptHeaderLower;
    }
    std::string_view mismatch() const override { return kNoMatch; }
    bool uses_bearer_tokens() const override { return true; }

    // A token cannot be decoded.
    Result<PaymentPayload> decode(std::string_view, const PaymentOffer *,
                                  const MppServer *) const override
    {
        return Problem{std::string(kPaymentRequired)};
    }

    // The backend knows the plan of a token.
    const PaymentOffer::Option *match(const PaymentOffer &offer,
                                      const PaymentPayload &) const override
    {
        return offer.options().empty() ? nullptr : &offer.options().front();
    }

    bool can_offer(const PaymentRequirements &option) const override
    {
        return std::string_view(option.scheme).substr(0, 3) == "nvm";
    }

    std::string offer_value(const Challenge &challenge) const override
    {
        return base64_encode(offer_json(challenge, challenge.error));
    }

    std::string offer_body(const Challenge &challenge) const override
    {
        std::string text = "{";
        append_json_member(text, "error", "Payment Required");
        std::string message(challenge.error);
        if (challenge.unpaid) {
            message = "Missing x402 payment token. Send token in "
                      + std::string(challenge.token_header.empty()
                                        ? payment_header()
                                        : challenge.token_header)
                      + " header.";
        }
        append_json_member(text, "message", message);
        text.push_back('}');
        return text;
    }

    std::string token_request(const TokenQuestion &question) const override
    {
        std::string text = "{";
        append_json_key(text, "paymentRequired");
        text.append(offer_json(question.challenge, {}));
        append_json_member(text, "x402AccessToken", question.token);
        append_json_member(text, "maxAmount", question.credits);
        append_filled(text, "agentRequestId", question.agent_request);
        text.push_back('}');
        return text;
    }
};

}  // namespace

const Dialect &dialect_nevermined()
{
    static const DialectNevermined dialect;
    return dialect;
}

}  // namespace x402
