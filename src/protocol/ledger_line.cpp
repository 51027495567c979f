// SPDX-License-Identifier: Apache-2.0
#include "protocol/ledger_line.hpp"

#include <algorithm>
#include <array>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "base/json_text.hpp"
#include "base/module_version.hpp"
#include "base/utc_time.hpp"

namespace x402 {

namespace {

void put_raw(std::string &out, const char *key, std::string_view value)
{
    out += out.empty() || out.back() == '{' ? "\"" : ",\"";
    out += key;
    out += "\":";
    out += value;
}

void put_text(std::string &out, const char *key, std::string_view value)
{
    if (value.empty()) {
        put_raw(out, key, "null");
        return;
    }
    put_raw(out, key, "");
    append_json_string(out, value);
}

void put_number(std::string &out, const char *key,
                const std::optional<std::uint64_t> &value)
{
    put_raw(out, key, value ? std::to_string(*value) : "null");
}

}  // namespace

const char *ledger_event_name(LedgerEventKind kind)
{
    constexpr const char *kNames[] = {
        "settled",         "refused",      "unknown",
        "resolved",        "unproven",     "owed",
        "delivered",       "redelivered",  "closed",
        "would_challenge", "would_refuse", "would_charge",
        "returned",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0])
                  == static_cast<std::size_t>(LedgerEventKind::returned) + 1);
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kLedgerEvents);
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<LedgerEventKind> ledger_event_named(std::string_view name)
{
    for (std::size_t i = 0; i < kLedgerEvents; i++) {
        auto kind = static_cast<LedgerEventKind>(i);
        if (name == ledger_event_name(kind)) {
            return kind;
        }
    }
    return std::nullopt;
}

namespace {

constexpr std::size_t kLongestText = 128;
constexpr std::uint64_t kNotKnown = ~std::uint64_t{0};
constexpr std::size_t kTexts = 12;

using Texts = std::array<std::string_view *, kTexts>;

// The URL is the last: it has what room is left.
Texts texts_of(LedgerFacts &facts)
{
    return {&facts.request_id, &facts.server, &facts.location, &facts.method,
            &facts.payer,      &facts.pay_to, &facts.network,  &facts.asset,
            &facts.symbol,     &facts.amount, &facts.scheme,   &facts.resource};
}

void put_bytes(std::string &out, std::uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out.push_back(static_cast<char>(number >> (8 * i)));
    }
}

bool take_bytes(std::string_view &in, std::uint64_t &number, unsigned bytes)
{
    if (in.size() < bytes) {
        return false;
    }
    number = 0;
    for (unsigned i = 0; i < bytes; i++) {
        number |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
    }
    in.remove_prefix(bytes);
    return true;
}

void put_facts(std::string &out, const LedgerFacts &facts)
{
    put_text(out, "request_id", facts.request_id);
    put_text(out, "server", facts.server);
    put_text(out, "location", facts.location);
    put_text(out, "method", facts.method);
    put_text(out, "resource", facts.resource);
    put_text(out, "payer", facts.payer);
    put_text(out, "pay_to", facts.pay_to);
    put_text(out, "network", facts.network);
    put_text(out, "asset", facts.asset);
    put_text(out, "symbol", facts.symbol);
    put_text(out, "amount", facts.amount);
    bool known = facts.decimals && is_atomic_amount(facts.amount);
    put_text(out, "amount_decimal",
             known ? to_decimal(facts.amount, *facts.decimals) : "");
    put_text(out, "scheme", facts.scheme);
    put_number(out, "x402_version",
               facts.version == 0
                   ? std::nullopt
                   : std::optional<std::uint64_t>(facts.version));
    put_number(out, "verify_ms", facts.verify_ms);
}

}  // namespace

std::string pack_facts(const LedgerFacts &facts)
{
    LedgerFacts copied = facts;
    std::string out;
    out.reserve(kLongestPackedFacts);
    put_bytes(out, facts.verify_ms.value_or(kNotKnown), 8);
    put_bytes(out, facts.decimals.value_or(255), 1);
    put_bytes(out, facts.version, 1);
    std::size_t left = kLongestPackedFacts - out.size() - 2 * kTexts;
    for (const std::string_view *text : texts_of(copied)) {
        bool url = text == &copied.resource;
        std::string_view part =
            text->substr(0, url ? left : std::min(left, kLongestText));
        put_bytes(out, part.size(), 2);
        out += part;
        left -= part.size();
    }
    return out;
}

bool unpack_facts(std::string_view bytes, LedgerFacts &facts)
{
    std::uint64_t verify_ms;
    std::uint64_t decimals;
    std::uint64_t version;
    if (!take_bytes(bytes, verify_ms, 8) || !take_bytes(bytes, decimals, 1)
        || !take_bytes(bytes, version, 1)) {
        return false;
    }
    facts = LedgerFacts();
    if (verify_ms != kNotKnown) {
        facts.verify_ms = verify_ms;
    }
    if (decimals != 255) {
        facts.decimals = static_cast<unsigned>(decimals);
    }
    facts.version = static_cast<unsigned>(version);
    for (std::string_view *text : texts_of(facts)) {
        std::uint64_t size;
        if (!take_bytes(bytes, size, 2) || size > bytes.size()) {
            return false;
        }
        *text = bytes.substr(0, static_cast<std::size_t>(size));
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

std::string ledger_line(const LedgerEvent &event)
{
    std::string id =
        event.payment == Digest{}
            ? std::string()
            : hex_encode(event.payment.data(), event.payment.size());
    std::string out = "{";
    out.reserve(1024);
    put_text(out, "time", rfc3339_utc(event.time_ms));
    put_text(out, "event", ledger_event_name(event.kind));
    put_text(out, "payment_id", id);
    put_facts(out, event.facts);
    put_text(out, "transaction", event.transaction);
    put_text(out, "facilitator", event.facilitator);
    put_number(out, "settle_ms", event.settle_ms);
    bool delivered = event.kind == LedgerEventKind::delivered
                     || event.kind == LedgerEventKind::redelivered
                     || event.kind == LedgerEventKind::returned;
    put_raw(out, "delivered", delivered ? "true" : "false");
    put_text(out, "reason", event.reason);
    put_text(out, "module_version", NGX_HTTP_X402_VERSION);
    return out + "}\n";
}

}  // namespace x402
