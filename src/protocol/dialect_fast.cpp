// SPDX-License-Identifier: Apache-2.0
// The protocol of fast's servers: the form of version 1 in the body, their own
// names of networks, and money that has moved before the request is sent. Its
// facilitators take the bodies of version 1.
#include "base/json_text.hpp"
#include "base/text_prefix.hpp"
#include "protocol/dialect.hpp"
#include "protocol/payment_header_names.hpp"
#include "protocol/v1_match.hpp"

namespace x402 {

namespace {

struct NetworkName {
    std::string_view caip2;
    std::string_view name;
};

// Names of its clients that differ from those of version 1.
constexpr NetworkName kOwnNames[] = {
    {"eip155:42161", "arbitrum"},
    {"eip155:421614", "arbitrum-sepolia"},
    {"eip155:11155111", "ethereum-sepolia"},
};

// On its networks the payer has already sent the money.
bool is_fast_network(std::string_view caip2)
{
    return starts_with(caip2, "fast:");
}

// The path is all that it says about the resource.
std::string_view path_of(std::string_view url)
{
    std::size_t scheme = url.find("://");
    if (scheme != std::string_view::npos) {
        std::size_t path = url.find('/', scheme + 3);
        url = path == std::string_view::npos ? "/" : url.substr(path);
    }
    return url.substr(0, url.find_first_of("?#"));
}

std::string requirements_json(std::string_view network,
                              const PaymentRequirements &option,
                              const ResourceInfo &resource)
{
    std::string_view path = path_of(resource.url);
    std::string description(resource.description);
    if (description.empty()) {
        description = "Access to " + std::string(path);
    }
    std::string text = "{";
    append_json_member(text, "scheme", option.scheme);
    append_json_member(text, "network", network);
    append_json_member(text, "maxAmountRequired", option.amount);
    append_json_member(text, "resource", path);
    append_json_member(text, "description", description);
    append_json_member(text, "mimeType",
                       resource.mime_type.empty() ? "application/json"
                                                  : resource.mime_type);
    append_json_member(text, "payTo", option.pay_to);
    append_json_key(text, "maxTimeoutSeconds");
    text.append(std::to_string(option.max_timeout_seconds));
    append_json_member(text, "asset", option.asset);
    if (option.extra.root().size() != 0) {
        append_json_key(text, "extra");
        option.extra.root().write(text);
    }
    text.push_back('}');
    return text;
}

class DialectFast final : public Dialect {
public:
    std::string_view name() const override { return "fast"; }
    unsigned version() const override { return 1; }
    std::string_view payment_header() const override
    {
        return kPaymentHeaderV1;
    }
    std::string_view offer_header() const override { return {}; }
    std::string_view receipt_header() const override
    {
        return kReceiptHeaderV1;
    }
    std::string_view mismatch() const override { return kNoMatchV1; }
    std::uint32_t default_timeout() const override { return 60; }
    // Of its client for EVM networks.
    std::uint32_t usual_validity() const override { return 3600; }

    Result<PaymentPayload> decode(std::string_view header_value,
                                  const PaymentOffer *,
                                  const MppServer *) const override
    {
        return decode_payment_header(header_value, 1);
    }

    const PaymentOffer::Option *
    match(const PaymentOffer &offer,
          const PaymentPayload &payload) const override
    {
        return match_v1_payment(*this, offer, payload);
    }

    // Its clients pay on their own networks and on EVM.
    bool can_offer(const PaymentRequirements &option) const override
    {
        return option.scheme == "exact" && !network_name(option).empty()
               && (is_fast_network(option.network)
                   || starts_with(option.network, "eip155:"));
    }

    std::string_view
    network_name(const PaymentRequirements &option) const override
    {
        for (const NetworkName &own : kOwnNames) {
            if (own.caip2 == option.network) {
                return own.name;
            }
        }
        return option.v1_network;
    }

    std::string offer_value(const Challenge &) const override { return {}; }

    std::string offer_body(const Challenge &challenge) const override
    {
        std::string text = "{\"x402Version\":1";
        append_json_member(text, "error",
                           challenge.unpaid ? "X-PAYMENT header is required"
                                            : challenge.error);
        append_json_key(text, "accepts");
        text.push_back('[');
        bool first = true;
        for (const PaymentOffer::Option &option : challenge.offer.options()) {
            if (can_offer(option.requirements)) {
                text.append(first ? "" : ",");
                text.append(requirements_json(network_name(option.requirements),
                                              option.requirements,
                                              challenge.resource));
                first = false;
            }
        }
        text.push_back(']');
        if (!challenge.payer.empty()) {
            append_json_member(text, "payer", challenge.payer);
        }
        text.push_back('}');
        return text;
    }

    // The requirement as offered, and the payment as sent.
    std::string facilitator_request(const PaymentPayload &payload,
                                    const PaymentOffer::Option &option,
                                    const ResourceInfo &resource) const override
    {
        std::string text = "{\"x402Version\":1,\"paymentPayload\":";
        text.append(payload.text);
        append_json_key(text, "paymentRequirements");
        text.append(requirements_json(network_name(option.requirements),
                                      option.requirements, resource));
        text.push_back('}');
        return text;
    }

    // Money: on its own networks the payer has moved it; there is nothing left
    // to settle, and x402_settle has no effect.
    SettleTime settle_time(const PaymentRequirements &option,
                           std::optional<SettleTime> configured) const override
    {
        return is_fast_network(option.network)
                   ? SettleTime::off
                   : configured.value_or(SettleTime::verified_first);
    }

    // Its clients read the hash from `txHash`.
    std::string receipt(const std::string &json) const override
    {
        auto document = JsonDocument::parse(json);
        std::string_view hash =
            document ? document->root()["transaction"].string() : "";
        if (hash.empty()) {
            return json;
        }
        std::string text = json.substr(0, json.size() - 1);
        append_json_member(text, "txHash", hash);
        text.push_back('}');
        return text;
    }

    std::string receipt_of_verified(std::string_view payer,
                                    std::string_view network) const override
    {
        std::string text = "{\"success\":true";
        append_json_member(text, "network", network);
        if (!payer.empty()) {
            append_json_member(text, "payer", payer);
        }
        text.push_back('}');
        return text;
    }
};

}  // namespace

const Dialect &dialect_fast()
{
    static const DialectFast dialect;
    return dialect;
}

}  // namespace x402
