// SPDX-License-Identifier: Apache-2.0
// The protocol between client and server: which headers, which texts. One
// dialect per file (dialect_v2.cpp, dialect_v1.cpp, ...). All other code uses
// this interface and never asks for a version.
#ifndef X402_PROTOCOL_DIALECT_HPP
#define X402_PROTOCOL_DIALECT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/payment_offer.hpp"
#include "protocol/payment_payload.hpp"
#include "protocol/prepared_offer.hpp"
#include "protocol/prepared_text.hpp"
#include "protocol/resource_info.hpp"

namespace x402 {

struct MppServer;

// The content of a 402. Lifetime: borrowed for the call.
struct Challenge {
    std::string_view error;
    bool unpaid = false;  // there was no payment, and `error` is the default
    const ResourceInfo &resource;
    const PaymentOffer &offer;
    std::string_view extensions_json = {};  // object; empty: none
    std::string_view payer = {};            // empty: unknown
    // The header that carries a token; only dialects of tokens use it.
    std::string_view token_header = {};
    const MppServer *mpp = nullptr;  // only dialects with challenges use it
};

// A verify or settle request for a token. Lifetime: borrowed for the call.
struct TokenQuestion {
    const Challenge &challenge;  // its `error` is not sent
    std::string_view token;
    std::string_view credits;
    std::string_view agent_request;  // as returned by verify; empty: for verify
};

// When the payment is settled, relative to the content.
enum class SettleTime {
    after,           // verified, produced, settled, released
    before,          // settled, then produced
    verified_first,  // verified, settled, then produced
    off,             // verified, then produced; not settled here
};

// Stateless; the instances are static.
class Dialect {
public:
    // As written in x402_protocol.
    virtual std::string_view name() const = 0;
    // x402Version in verify and settle requests of this dialect.
    virtual unsigned version() const = 0;

    // Lower-case name of the request header that carries a payment.
    virtual std::string_view payment_header() const = 0;
    // As decode_payment_header(); `offered` may be nullptr, and so may
    // `server`, without which nothing is said about the origin of a challenge.
    virtual Result<PaymentPayload>
    decode(std::string_view header_value, const PaymentOffer *offered,
           const MppServer *server = nullptr) const = 0;

    // The first option that the payment matches; nullptr: none. Lifetime: the
    // offer's.
    virtual const PaymentOffer::Option *
    match(const PaymentOffer &offer, const PaymentPayload &payload) const = 0;
    // `error` of the 402 if no option matches.
    virtual std::string_view mismatch() const = 0;

    // False: this dialect cannot express the option, so does not offer it.
    virtual bool can_offer(const PaymentRequirements &option) const = 0;
    // The name of an option's network in this dialect; empty: it has none.
    // Lifetime: the option's, or static.
    virtual std::string_view
    network_name(const PaymentRequirements &option) const;
    // maxTimeoutSeconds if x402_timeout is not written.
    virtual std::uint32_t default_timeout() const { return 300; }
    // For how many seconds its clients sign, whatever they are offered; 0: for
    // as long as the offer says.
    virtual std::uint32_t usual_validity() const { return 0; }
    // The response header that carries the offer, base64; an empty name: there
    // is none. Lifetime of the name: static.
    virtual std::string_view offer_header() const = 0;
    virtual std::string offer_value(const Challenge &challenge) const = 0;
    // The same for challenges that differ in their URL only; nullopt: they have
    // more differences.
    virtual std::optional<PreparedOffer>
    prepared_offer(const Challenge &challenge) const
    {
        (void)challenge;
        return std::nullopt;
    }
    // Whether the body of the 402 contains the offer, too.
    virtual bool offers_in_body() const { return true; }
    // That body, JSON; empty if offers_in_body() is false.
    virtual std::string offer_body(const Challenge &challenge) const = 0;
    // The same for challenges that differ in their URL only, as in a JSON
    // string; nullopt: they have more differences.
    virtual std::optional<PreparedText>
    prepared_body(const Challenge &challenge) const
    {
        (void)challenge;
        return std::nullopt;
    }

    // A payment repeats a challenge that the server made (mpp_challenge.hpp).
    // It comes in Authorization, whose other schemes belong to the backend.
    virtual bool has_challenges() const { return false; }
    // The body of a refusal to a client of this dialect, of type
    // application/problem+json; empty: that of all others.
    virtual std::string refusal_body(std::string_view error,
                                     unsigned status) const
    {
        (void)error;
        (void)status;
        return {};
    }

    // Payments are opaque, reusable tokens: they are never decoded, claimed,
    // stored or logged.
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
    // `configured`: nullopt if x402_settle is not written.
    virtual SettleTime settle_time(const PaymentRequirements &option,
                                   std::optional<SettleTime> configured) const
    {
        (void)option;
        return configured.value_or(SettleTime::after);
    }

    // Whether offers and receipts have the member `extensions`.
    virtual bool carries_extensions() const { return false; }
    // The response header of a receipt. Lifetime: static.
    virtual std::string_view receipt_header() const = 0;
    // A receipt in the schema of version 2 (settlement_receipt.hpp), in the
    // form of this dialect. A text that is not a JSON object is unchanged.
    virtual std::string receipt(const std::string &json) const { return json; }
    // The value of that header; empty: this receipt is not sent.
    virtual std::string receipt_value(const std::string &json,
                                      std::int64_t now_ms) const;
    // The receipt, JSON, of a payment that was verified and is not settled
    // here; empty: there is none.
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
const Dialect &dialect_mpp();

// The dialect of that name; nullptr: there is none.
const Dialect *find_dialect(std::string_view name);
// For error messages: "v2, v1, fast, nevermined, mpp".
std::string dialect_names();
// "; did you mean \"fast\"?" where a known name is near; else empty.
std::string near_dialect_question(std::string_view name);

}  // namespace x402

#endif
