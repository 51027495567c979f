// How buyers and seller talk: which headers, which words. One dialect per file
// (dialect_v2.cpp, dialect_v1.cpp, ...); the rest of the house asks through
// here and never for a version.
#ifndef X402_PROTOCOL_DIALECT_HPP
#define X402_PROTOCOL_DIALECT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/payment_offer.hpp"
#include "protocol/payment_payload.hpp"
#include "protocol/prepared_offer.hpp"
#include "protocol/resource_info.hpp"

namespace x402 {

// What a 402 has to say. Lifetime: borrowed for the call.
struct Challenge {
    std::string_view error;
    bool unpaid = false;  // no payment was there, and `error` is the stock word
    const ResourceInfo &resource;
    const PaymentOffer &offer;
    std::string_view extensions_json;  // object; empty: none
    std::string_view payer;            // empty: unknown
    // Where a token is expected; only dialects of tokens tell it.
    std::string_view token_header = {};
};

// One question about a token. Lifetime: borrowed for the call.
struct TokenQuestion {
    const Challenge &challenge;  // its `error` is not told
    std::string_view token;
    std::string_view credits;
    std::string_view agent_request;  // what verify called it; empty: verify
};

// When the money moves, seen from the content.
enum class SettleTime {
    after,           // verified, made, settled, released
    before,          // settled, then made
    verified_first,  // verified, settled, then made
    off,             // verified, then made; settled by nobody here
};

// Stateless; the instances live for ever.
class Dialect {
public:
    // As written in x402_protocol.
    virtual std::string_view name() const = 0;
    // Of the facilitators it was made for: x402Version in verify and settle.
    virtual unsigned version() const = 0;

    // Lower-case name of the request header a payment comes in.
    virtual std::string_view payment_header() const = 0;
    // As decode_payment_header(); `offered` may be nullptr.
    virtual Result<PaymentPayload>
    decode(std::string_view header_value,
           const PaymentOffer *offered) const = 0;

    // The first way that the payment means; nullptr for none. Lifetime: the
    // offer's.
    virtual const PaymentOffer::Option *
    match(const PaymentOffer &offer, const PaymentPayload &payload) const = 0;
    // `error` of the 402 when there is none.
    virtual std::string_view mismatch() const = 0;

    // A way that this dialect has no words for is not offered in it.
    virtual bool can_offer(const PaymentRequirements &option) const = 0;
    // What the network of a way is called in this dialect; empty: it is not.
    // Lifetime: the way's, or for ever.
    virtual std::string_view
    network_name(const PaymentRequirements &option) const;
    // maxTimeoutSeconds where the operator wrote none.
    virtual std::uint32_t default_timeout() const { return 300; }
    // The response header that carries the offer, base64; an empty name: there
    // is none. Lifetime of the name: for ever.
    virtual std::string_view offer_header() const = 0;
    virtual std::string offer_value(const Challenge &challenge) const = 0;
    // The same for challenges that differ in their URL only; nullopt: they
    // differ in more.
    virtual std::optional<PreparedOffer>
    prepared_offer(const Challenge &challenge) const
    {
        (void)challenge;
        return std::nullopt;
    }
    // Whether the body of the 402 carries it, too.
    virtual bool offers_in_body() const { return true; }
    // That body, JSON; empty where offers_in_body() is false.
    virtual std::string offer_body(const Challenge &challenge) const = 0;

    // Payments are opaque tokens that are good for more than one: nobody
    // decodes, claims, keeps or logs one.
    virtual bool uses_bearer_tokens() const { return false; }
    // The body of verify and settle of a token, for such dialects only.
    virtual std::string token_request(const TokenQuestion &) const
    {
        return {};
    }
    // The body of verify and settle.
    virtual std::string facilitator_request(const PaymentPayload &payload,
                                            const PaymentOffer::Option &option,
                                            const ResourceInfo &resource) const;
    // nullopt: the operator wrote none.
    virtual SettleTime settle_time(const PaymentRequirements &option,
                                   std::optional<SettleTime> configured) const
    {
        (void)option;
        return configured.value_or(SettleTime::after);
    }

    // The response header of a receipt. Lifetime: for ever.
    virtual std::string_view receipt_header() const = 0;
    // A receipt in the schema of version 2 (settlement_receipt.hpp), in this
    // dialect's words. What is no JSON object comes back as it is.
    virtual std::string receipt(const std::string &json) const { return json; }
    // The receipt, JSON, of a payment that was verified and is settled by
    // nobody here; empty: none is given.
    virtual std::string receipt_of_verified(std::string_view payer,
                                            std::string_view network) const
    {
        (void)payer;
        (void)network;
        return {};
    }

protected:
    ~Dialect() = default;
};

const Dialect &dialect_v2();
const Dialect &dialect_v1();
const Dialect &dialect_fast();
const Dialect &dialect_nevermined();

// By its name; nullptr: there is none.
const Dialect *find_dialect(std::string_view name);
// For error messages: "v2, v1, fast, nevermined".
std::string dialect_names();

}  // namespace x402

#endif
