// SPDX-License-Identifier: Apache-2.0
// MPP: payments by HTTP authentication (scheme "Payment"), method evm, intent
// charge, with an EIP-3009 authorization as credential. Member for member this
// is x402's scheme exact, and a facilitator of x402 settles it.
#include <algorithm>

#include "base/base64_codec.hpp"
#include "base/header_syntax.hpp"
#include "base/hex_codec.hpp"
#include "base/json_text.hpp"
#include "base/keccak256_digest.hpp"
#include "base/utc_time.hpp"
#include "protocol/dialect.hpp"
#include "protocol/facilitator_messages.hpp"
#include "protocol/mpp_challenge.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

constexpr std::string_view kRequestMembers[] = {"amount", "currency",
                                                "recipient"};
constexpr std::string_view kAuthorization[] = {
    "from", "to", "value", "validAfter", "validBefore", "nonce"};

constexpr std::string_view kNotACredential =
    "Unreadable payment header: \"Authorization: Payment\" is not followed by "
    "base64url of JSON with challenge and payload";
constexpr std::string_view kOtherChallenge =
    "mpp_invalid_challenge: the challenge was not made here for this request, "
    "or it was changed";
constexpr std::string_view kOtherPayload =
    "mpp_invalid_payload: the authorization does not pay what its challenge "
    "asks for";

Problem problem(std::string_view text)
{
    return Problem{std::string(text)};
}

// Blanks around the token are not part of it.
std::string_view token_of(std::string_view value)
{
    constexpr std::string_view kBlanks = " \t";
    if (!is_payment_credential(value)) {
        return {};
    }
    std::size_t word = std::min(value.find_first_of(kBlanks), value.size());
    value.remove_prefix(word);
    return trimmed(value, kBlanks);
}

MppChallenge challenge_of(JsonValue credential)
{
    JsonValue challenge = credential["challenge"];
    return {challenge["id"].string(),      challenge["realm"].string(),
            challenge["method"].string(),  challenge["intent"].string(),
            challenge["request"].string(), challenge["expires"].string(),
            challenge["opaque"].string()};
}

// A digest of the body, another credential header or an expanded `opaque` is
// never part of the module's own challenges.
bool has_known_members(JsonValue challenge)
{
    return challenge["method"].string() == kMppMethod
           && challenge["intent"].string() == kMppIntent
           && !challenge["digest"].exists() && !challenge["header"].exists();
}

void add_text(std::string &object, std::string_view key, JsonValue text)
{
    append_json_key(object, key);
    append_json_string(object, text.string());
}

// The request as `accepted`, the payload as that of scheme exact.
std::string as_version_2(JsonValue request, JsonValue payload)
{
    std::string text = R"({"x402Version":2,"accepted":{"scheme":"exact")";
    append_json_key(text, "network");
    std::string chain;
    request["methodDetails"]["chainId"].write(chain);
    append_json_string(text, "eip155:" + chain);
    add_text(text, "amount", request["amount"]);
    add_text(text, "asset", request["currency"]);
    add_text(text, "payTo", request["recipient"]);
    text += "}";
    append_json_key(text, "payload");
    text += "{";
    add_text(text, "signature", payload["signature"]);
    append_json_key(text, "authorization");
    text += "{";
    for (std::string_view member : kAuthorization) {
        add_text(text, member, payload[member]);
    }
    return text + "}}}";
}

bool has_texts(JsonValue request, JsonValue payload)
{
    for (std::string_view member : kRequestMembers) {
        if (!request[member].is_string()) {
            return false;
        }
    }
    for (std::string_view member : kAuthorization) {
        if (!payload[member].is_string()) {
            return false;
        }
    }
    return payload["type"].string() == "authorization"
           && payload["signature"].is_string()
           && request["methodDetails"]["chainId"].integer().has_value();
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char &letter : out) {
        letter = letter >= 'A' && letter <= 'Z'
                     ? static_cast<char>(letter - 'A' + 'a')
                     : letter;
    }
    return out;
}

// The nonce is the challenge's, so that a challenge is paid once, and the
// authorization does not outlive it.
bool pays_challenge(const MppChallenge &challenge, JsonValue request,
                    JsonValue payload)
{
    std::string text(challenge.id);
    auto digest = keccak256(text.append(challenge.realm));
    std::string_view until = payload["validBefore"].string();
    auto expires = mpp_expiry(challenge.expires);
    return lower(payload["nonce"].string())
               == "0x" + hex_encode(digest.data(), digest.size())
           && lower(payload["to"].string())
                  == lower(request["recipient"].string())
           && payload["value"].string() == request["amount"].string() && expires
           && (until.size() < 10
               || (until.size() == 10 && until <= std::to_string(*expires)));
}

// `source` names the payer, too.
bool names_payer(JsonValue credential, JsonValue request, JsonValue payload)
{
    JsonValue source = credential["source"];
    if (!source.exists()) {
        return true;
    }
    std::string chain;
    request["methodDetails"]["chainId"].write(chain);
    return lower(source.string())
           == "did:pkh:eip155:" + chain + ":" + lower(payload["from"].string());
}

class DialectMpp final : public Dialect {
public:
    std::string_view name() const override { return "mpp"; }
    unsigned version() const override { return 2; }
    std::string_view payment_header() const override
    {
        return kAuthorizationHeader;
    }
    std::string_view offer_header() const override
    {
        return "WWW-Authenticate";
    }
    std::string_view receipt_header() const override
    {
        return kReceiptHeaderMpp;
    }
    std::string_view mismatch() const override
    {
        return "mpp_payment_insufficient: the challenge is for another payment "
               "than this resource asks for now";
    }
    bool has_challenges() const override { return true; }

    Result<PaymentPayload> decode(std::string_view header_value,
                                  const PaymentOffer *,
                                  const MppServer *server) const override
    {
        if (header_value.size() > kMaxPaymentHeaderBytes) {
            return problem(kHeaderTooLong);
        }
        auto text = base64url_decode(token_of(header_value));
        auto credential = JsonDocument::parse(text.value_or(""));
        if (!credential || !credential->root()["challenge"].is_object()
            || !credential->root()["payload"].is_object()) {
            return problem(kNotACredential);
        }
        JsonValue root = credential->root();
        MppChallenge challenge = challenge_of(root);
        if (!has_known_members(root["challenge"])
            || (server && !is_own_challenge(*server, challenge))) {
            return problem(kOtherChallenge);
        }
        auto request = JsonDocument::parse(
            base64url_decode(challenge.request).value_or(""));
        JsonValue payload = root["payload"];
        if (!request || !has_texts(request->root(), payload)
            || !pays_challenge(challenge, request->root(), payload)
            || !names_payer(root, request->root(), payload)) {
            return problem(kOtherPayload);
        }
        PaymentPayload out;
        out.text = as_version_2(request->root(), payload);
        auto document = JsonDocument::parse(out.text);
        if (!document) {
            return problem(kNotACredential);
        }
        out.document = std::move(document.value());
        return out;
    }

    const PaymentOffer::Option *
    match(const PaymentOffer &offer,
          const PaymentPayload &payload) const override
    {
        JsonValue accepted = payload.accepted();
        for (const PaymentOffer::Option &option : offer.options()) {
            const PaymentRequirements &asked = option.requirements;
            if (has_mpp_words(asked)
                && accepted["network"].string() == asked.network
                && accepted["amount"].string() == asked.amount
                && accepted["asset"].string() == asked.asset
                && accepted["payTo"].string() == asked.pay_to) {
                return &option;
            }
        }
        return nullptr;
    }

    bool can_offer(const PaymentRequirements &option) const override
    {
        return has_mpp_words(option);
    }

    // A challenge for each payment option, in one list.
    std::string offer_value(const Challenge &challenge) const override
    {
        std::string text;
        for (const PaymentOffer::Option &option : challenge.offer.options()) {
            if (challenge.mpp && has_mpp_words(option.requirements)) {
                text += text.empty() ? "" : ", ";
                text += mpp_challenge(*challenge.mpp, option.requirements);
            }
        }
        return text;
    }

    bool offers_in_body() const override { return false; }
    std::string offer_body(const Challenge &) const override { return {}; }

    // RFC 9457, as MPP's servers write it.
    std::string refusal_body(std::string_view error,
                             unsigned status) const override;

    std::string facilitator_request(const PaymentPayload &payload,
                                    const PaymentOffer::Option &option,
                                    const ResourceInfo &) const override
    {
        return "{\"x402Version\":2,\"paymentPayload\":"
               + payload_as_v2(payload, option)
               + ",\"paymentRequirements\":" + option.json + "}";
    }

    // Only a success has one.
    std::string receipt_value(const std::string &json,
                              std::int64_t now_ms) const override
    {
        auto document = JsonDocument::parse(json);
        if (!document || !document->root()["success"].is_true()) {
            return {};
        }
        std::string text = R"({"method":"evm","reference":)";
        append_json_string(text, document->root()["transaction"].string());
        text += R"(,"status":"success")";
        append_json_key(text, "timestamp");
        append_json_string(text, rfc3339_utc(now_ms));
        return base64url_encode(text + "}");
    }
};

struct ProblemType {
    std::string_view front;  // of the error
    std::string_view type;
    std::string_view title;
};

// Types and titles of MPP; the last one is for what the facilitator says.
constexpr ProblemType kProblemTypes[] = {
    {"Unreadable payment header", "malformed-credential",
     "Malformed Credential"},
    {"mpp_invalid_challenge", "invalid-challenge", "Invalid Challenge"},
    {"mpp_invalid_payload", "invalid-payload", "Invalid Payload"},
    {"mpp_payment_insufficient", "payment-insufficient",
     "Payment Insufficient"},
    {"Payment required", "payment-required", "Payment Required"},
    {"invalid_exact_evm_payload_authorization_valid_before", "payment-expired",
     "Payment Expired"},
    {"payment_validity_too_short", "payment-expired", "Payment Expired"},
    {"", "verification-failed", "Verification Failed"},
};

std::string DialectMpp::refusal_body(std::string_view error,
                                     unsigned status) const
{
    const ProblemType *found = kProblemTypes;
    while (error.substr(0, found->front.size()) != found->front) {
        found++;
    }
    std::string text = "{\"type\":\"https://paymentauth.org/problems/";
    text += std::string(found->type) + "\"";
    append_json_key(text, "title");
    append_json_string(text, found->title);
    append_json_key(text, "status");
    text += std::to_string(status);
    append_json_key(text, "detail");
    append_json_string(text, error);
    return text + "}";
}

}  // namespace

const Dialect &dialect_mpp()
{
    static const DialectMpp dialect;
    return dialect;
}

}  // namespace x402
