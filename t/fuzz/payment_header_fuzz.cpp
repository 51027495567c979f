// SPDX-License-Identifier: Apache-2.0
// A payment header as a stranger sends it: decode, shape, claim key, match.
// The input is taken as the header itself and as the JSON inside it.
#include <array>
#include <map>
#include <string>

#include "base/base64_codec.hpp"
#include "base/json_text.hpp"
#include "fuzz_check.hpp"
#include "policy/accept_terms.hpp"
#include "policy/claim_key.hpp"
#include "policy/network_table.hpp"
#include "policy/scheme_payload.hpp"
#include "protocol/dialect.hpp"
#include "protocol/payment_offer.hpp"
#include "protocol/payment_payload.hpp"

using namespace x402;

namespace {

constexpr const char *kPayTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
constexpr std::int64_t kNow = 1800000000;

// Money: the parts of a payment that make it this one and no other.
struct Parts {
    std::string network;
    std::string asset;
    std::string from;
    std::string nonce;
};

const PaymentOffer &our_offer()
{
    static const PaymentOffer offer = [] {
        PaymentOffer made;
        for (const char *network : {"base-sepolia", "base", "eip155:14"}) {
            AcceptTerms terms;
            terms.network = network;
            terms.price = "0.01";
            terms.pay_to = kPayTo;
            terms.timeout_seconds = 315360000;
            auto requirements = build_requirements(terms);
            must(requirements.ok(), "the offer can be made");
            made.add(std::move(requirements.value()), 0);
        }
        made.prepare(terms_digest);
        return made;
    }();
    return offer;
}

std::optional<Digest> key_of(const PaymentPayload &payload)
{
    auto authorization = parse_eip3009_payload(payload.payload());
    JsonValue accepted = payload.accepted();
    return authorization
               ? eip3009_claim_key(accepted["network"].string(),
                                   accepted["asset"].string(), *authorization)
               : std::nullopt;
}

// A header of our own making around the parts; members in another order than
// clients write them, other values in what must not matter.
std::string header_of(const Parts &parts)
{
    std::string text = R"({"accepted":{"extra":{"a":[]})";
    auto add = [&text](const char *name, std::string_view value) {
        append_json_key(text, name);
        append_json_string(text, value);
    };
    add("asset", parts.asset);
    add("network", parts.network);
    text += R"(},"payload":{"signature":"0x00","authorization":{)";
    add("nonce", parts.nonce);
    add("value", "1");
    add("validBefore", "2");
    add("validAfter", "3");
    add("to", kPayTo);
    add("from", parts.from);
    text += R"(}},"x402Version":2.0})";
    return base64_encode(text);
}

std::optional<Digest> key_of(const Parts &parts)
{
    auto payload = decode_payment_header(header_of(parts), 2);
    must(payload.ok(), "our own header can be read");
    return key_of(payload.value());
}

std::string changed_digit(std::string text, std::size_t place)
{
    char &digit = text[text.size() - 1 - place];
    digit = digit == '0' ? '1' : '0';
    return text;
}

std::string upper_digits(std::string text)
{
    for (std::size_t index = 2; index < text.size(); ++index) {
        if (text[index] >= 'a' && text[index] <= 'f') {
            text[index] = static_cast<char>(text[index] - 'a' + 'A');
        }
    }
    return text;
}

void check_key(const Parts &parts, const Digest &key, std::size_t chance)
{
    must(key_of(parts) == key, "the key is that of its parts alone");
    Parts other = parts;
    other.from = upper_digits(parts.from);
    other.nonce = upper_digits(parts.nonce);
    other.asset = upper_digits(parts.asset);
    other.network = canonical_network(parts.network);
    must(key_of(other) == key, "spelling makes no other payment");

    other = parts;
    other.from = changed_digit(parts.from, chance % 40);
    must(key_of(other) != key, "another payer, another key");
    other = parts;
    other.nonce = changed_digit(parts.nonce, chance % 64);
    must(key_of(other) != key, "another nonce, another key");
    other = parts;
    other.asset = changed_digit(parts.asset, chance % 40);
    must(key_of(other) != key, "another token, another key");
    other = parts;
    other.network = canonical_network(parts.network) == "eip155:1" ? "eip155:10"
                                                                   : "eip155:1";
    must(key_of(other) != key, "another chain, another key");
}

// Over all inputs of a run: one key, one payment.
void check_collision(const Parts &parts, const Digest &key)
{
    static std::map<Digest, std::string> known;
    std::string bytes =
        canonical_network(parts.network) + "\n" + upper_digits(parts.asset)
        + "\n" + upper_digits(parts.from) + "\n" + upper_digits(parts.nonce);
    if (known.size() > 10000) {
        known.clear();
    }
    must(known.emplace(key, bytes).first->second == bytes,
         "no two payments have one key");
}

void check_match(const PaymentPayload &payload,
                 const Eip3009Authorization &authorization)
{
    JsonValue accepted = payload.accepted();
    const PaymentOffer::Option *option =
        dialect_v2().match(our_offer(), payload);
    if (option == nullptr) {
        return;
    }
    const PaymentRequirements &offered = option->requirements;
    must(accepted["scheme"].string() == "exact", "the scheme is ours");
    must(accepted["network"].string() == offered.network, "the network too");
    must(accepted["asset"].string() == offered.asset, "the token too");
    must(accepted["amount"].string() == "10000", "the amount too");
    must(accepted["payTo"].string() == kPayTo, "the recipient too");
    auto parsed = read_scheme_payload(payload.scheme(), payload.network(),
                                      payload.asset(), payload.payload());
    if (!parsed || validate_payload(parsed.value(), offered, kNow) != nullptr) {
        return;
    }
    must(authorization.value == "10000", "what is signed is the amount");
    must(authorization.to == *parse_evm_address(kPayTo), "and it is for us");
    must(authorization.valid_after <= kNow
             && authorization.valid_before >= kNow + 60
             && authorization.valid_before <= kNow + 315360000 + 600,
         "and it is valid now, and not for ever");
}

std::string written(JsonValue value)
{
    std::string text;
    value.write(text);
    return text;
}

// What was offered saves work, and changes nothing.
void check_echo(std::string_view header, const Result<PaymentPayload> &read)
{
    auto known = decode_payment_header(header, 2, &our_offer());
    must(known.ok() == read.ok(), "an echo makes no payment, and breaks none");
    if (!known) {
        must(known.problem().text == read.problem().text, "nor another answer");
        return;
    }
    must(known->text == read->text, "nor another text");
    must(written(known->accepted()) == written(read->accepted())
             && written(known->payload()) == written(read->payload())
             && written(known->extensions()) == written(read->extensions()),
         "nor another value");
    must(dialect_v2().match(our_offer(), known.value())
             == dialect_v2().match(our_offer(), read.value()),
         "nor another way");
}

void check_header(std::string_view header)
{
    auto payload = decode_payment_header(header, 2);
    check_echo(header, payload);
    if (!payload) {
        must(is_unreadable(payload.problem())
                 || payload.problem().text.find("Unsupported x402 version: ")
                        == 0,
             "a refusal is one of two sentences");
        return;
    }
    must(base64_decode(header) == payload->text, "bytes are kept as sent");
    must(payload->document.root()["x402Version"].integer() == 2,
         "version 2 only");
    auto authorization = parse_eip3009_payload(payload->payload());
    if (!authorization) {
        return;
    }
    check_match(payload.value(), *authorization);
    JsonValue accepted = payload->accepted();
    JsonValue signed_terms = payload->payload()["authorization"];
    auto key = key_of(payload.value());
    must(key || dialect_v2().match(our_offer(), payload.value()) == nullptr,
         "what has no key matches no offer");
    if (!key) {
        return;
    }
    Parts parts{std::string(accepted["network"].string()),
                std::string(accepted["asset"].string()),
                std::string(signed_terms["from"].string()),
                std::string(signed_terms["nonce"].string())};
    check_key(parts, *key, header.size());
    check_collision(parts, *key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    check_header(text_of(data, size));
    check_header(base64_encode(text_of(data, size)));
    return 0;
}
