// SPDX-License-Identifier: Apache-2.0
#include "protocol/facilitator_messages.hpp"

#include "base/json_text.hpp"

namespace x402 {

namespace {

std::string payload_as_v1(const PaymentPayload &payload,
                          const PaymentOffer::Option &option)
{
    std::string text = "{\"x402Version\":1";
    append_json_member(text, "scheme", option.requirements.scheme);
    append_json_member(text, "network", option.requirements.v1_network);
    append_json_key(text, "payload");
    payload.payload().write(text);
    text.push_back('}');
    return text;
}

}  // namespace

std::string payload_as_v2(const PaymentPayload &payload,
                          const PaymentOffer::Option &option)
{
    std::string text = "{\"x402Version\":2";
    append_json_key(text, "payload");
    payload.payload().write(text);
    append_json_key(text, "accepted");
    text.append(option.json);
    text.push_back('}');
    return text;
}

std::string requirements_v1_json(const PaymentRequirements &requirements,
                                 const ResourceInfo &resource)
{
    std::string text = "{";
    append_json_member(text, "scheme", requirements.scheme);
    append_json_member(text, "network", requirements.v1_network);
    append_json_member(text, "maxAmountRequired", requirements.amount);
    append_json_member(text, "resource", resource.url);
    append_json_member(text, "description", resource.description);
    append_json_member(text, "mimeType", resource.mime_type);
    append_json_member(text, "payTo", requirements.pay_to);
    append_json_key(text, "maxTimeoutSeconds");
    text.append(std::to_string(requirements.max_timeout_seconds));
    append_json_member(text, "asset", requirements.asset);
    // Catalogues of version 1 read here how to call the resource.
    append_json_key(text, "outputSchema");
    text.append("{\"input\":{");
    append_json_member(text, "type", "http");
    append_json_member(text, "method", resource.method);
    append_json_key(text, "discoverable");
    text.append("true}}");
    append_json_key(text, "extra");
    if (requirements.extra.root().is_object()) {
        requirements.extra.root().write(text);
    } else {
        text.append("{}");
    }
    text.push_back('}');
    return text;
}

std::string facilitator_request_json(unsigned version,
                                     const PaymentPayload &payload,
                                     const PaymentOffer::Option &option,
                                     const ResourceInfo &resource)
{
    constexpr std::string_view kOpen = "{\"x402Version\":";
    constexpr std::string_view kPayload = ",\"paymentPayload\":";
    constexpr std::string_view kRequirements = ",\"paymentRequirements\":";

    std::string translated;
    std::string_view text = payload.text;
    if (payload.version != version) {
        translated = version == 1 ? payload_as_v1(payload, option)
                                  : payload_as_v2(payload, option);
        text = translated;
    }
    std::string old_form;
    std::string_view requirement = option.json;
    if (version == 1) {
        old_form = requirements_v1_json(option.requirements, resource);
        requirement = old_form;
    }
    std::string body;
    body.reserve(kOpen.size() + kPayload.size() + kRequirements.size()
                 + text.size() + requirement.size() + 2);
    body.append(kOpen);
    body.push_back(version == 1 ? '1' : '2');
    body.append(kPayload);
    body.append(text);
    body.append(kRequirements);
    body.append(requirement);
    body.push_back('}');
    return body;
}

}  // namespace x402
