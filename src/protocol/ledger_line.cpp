// SPDX-License-Identifier: Apache-2.0
#include "protocol/ledger_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "base/json_text.hpp"
#include "base/module_version.hpp"
#include "base/utc_time.hpp"

namespace x402 {

namespace {

// Of a text in JSON: each byte can become \u00xx.
constexpr std::size_t kMostOfByte = 6;
// All names, numbers and quotes of a line.
constexpr std::size_t kAroundTexts = 1024;

// Writes members into room that is long enough. Their names come with all that
// stands around them, so that they are copied in one piece.
class LineWriter {
public:
    explicit LineWriter(std::size_t texts)
    {
        std::size_t most = kAroundTexts + kMostOfByte * texts;
        if (most > sizeof(usual_)) {
            longer_.reset(new char[most]);
        }
        line_ = at_ = longer_ ? longer_.get() : usual_;
    }

    template <std::size_t N> void constant(const char (&text)[N])
    {
        std::memcpy(at_, text, N - 1);
        at_ += N - 1;
    }
    void raw(std::string_view text)
    {
        at_ = std::copy(text.begin(), text.end(), at_);
    }
    template <std::size_t N>
    void text(const char (&name)[N], std::string_view value)
    {
        plain(name, inside_json_string(value, room_));
    }
    // A text of figures, hex digits and names, which is written as it is.
    template <std::size_t N>
    void plain(const char (&name)[N], std::string_view value)
    {
        constant(name);
        if (value.empty()) {
            constant("null");
            return;
        }
        *at_++ = '"';
        raw(value);
        *at_++ = '"';
    }
    template <std::size_t N>
    void number(const char (&name)[N],
                const std::optional<std::uint64_t> &value)
    {
        constexpr std::ptrdiff_t kMostDigits = 20;
        constant(name);
        if (value) {
            at_ = std::to_chars(at_, at_ + kMostDigits, *value).ptr;
        } else {
            constant("null");
        }
    }

    std::string_view line() const
    {
        return {line_, static_cast<std::size_t>(at_ - line_)};
    }

private:
    // Not cleared: all that is read is written. Nearly all lines fit.
    char usual_[8 * 1024];
    std::unique_ptr<char[]> longer_;
    std::string room_;
    char *line_;
    char *at_;
};

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

// Writes into room that is long enough.
class Packer {
public:
    explicit Packer(char *out) : begin_(out), at_(out) {}

    template <unsigned Bytes> void number(std::uint64_t number)
    {
        for (unsigned i = 0; i < Bytes; i++) {
            *at_++ = static_cast<char>(number >> (8 * i));
        }
    }
    void text(std::string_view text)
    {
        number<2>(text.size());
        at_ = std::copy(text.begin(), text.end(), at_);
    }
    std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

private:
    char *begin_;
    char *at_;
};

template <unsigned Bytes>
bool take_number(std::string_view &in, std::uint64_t &number)
{
    if (in.size() < Bytes) {
        return false;
    }
    number = 0;
    for (unsigned i = 0; i < Bytes; i++) {
        number |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
    }
    in.remove_prefix(Bytes);
    return true;
}

void put_facts(LineWriter &out, const LedgerFacts &facts)
{
    out.text(",\"request_id\":", facts.request_id);
    out.text(",\"server\":", facts.server);
    out.text(",\"location\":", facts.location);
    out.text(",\"method\":", facts.method);
    out.text(",\"resource\":", facts.resource);
    out.text(",\"payer\":", facts.payer);
    out.text(",\"pay_to\":", facts.pay_to);
    out.text(",\"network\":", facts.network);
    out.text(",\"asset\":", facts.asset);
    out.text(",\"symbol\":", facts.symbol);
    out.text(",\"amount\":", facts.amount);
    bool known = facts.decimals && is_atomic_amount(facts.amount);
    out.plain(",\"amount_decimal\":",
              known ? to_decimal(facts.amount, *facts.decimals) : "");
    out.text(",\"scheme\":", facts.scheme);
    out.number(",\"x402_version\":",
               facts.version == 0
                   ? std::nullopt
                   : std::optional<std::uint64_t>(facts.version));
    out.number(",\"verify_ms\":", facts.verify_ms);
}

// The bytes of all texts in a line; the amount is there twice, once with a
// point and zeros.
std::size_t text_bytes(const LedgerEvent &event)
{
    LedgerFacts facts = event.facts;
    std::size_t bytes = event.transaction.size() + event.facilitator.size()
                        + event.reason.size() + facts.amount.size()
                        + facts.decimals.value_or(0);
    for (const std::string_view *text : texts_of(facts)) {
        bytes += text->size();
    }
    return bytes;
}

}  // namespace

std::string pack_facts(const LedgerFacts &facts)
{
    LedgerFacts copied = facts;
    std::array<char, kLongestPackedFacts> room;
    Packer out(room.data());
    out.number<8>(facts.verify_ms.value_or(kNotKnown));
    out.number<1>(facts.decimals.value_or(255));
    out.number<1>(facts.version);
    std::size_t left = kLongestPackedFacts - out.size() - 2 * kTexts;
    for (const std::string_view *text : texts_of(copied)) {
        bool url = text == &copied.resource;
        std::string_view part =
            text->substr(0, url ? left : std::min(left, kLongestText));
        out.text(part);
        left -= part.size();
    }
    return std::string(room.data(), out.size());
}

bool unpack_facts(std::string_view bytes, LedgerFacts &facts)
{
    std::uint64_t verify_ms;
    std::uint64_t decimals;
    std::uint64_t version;
    if (!take_number<8>(bytes, verify_ms) || !take_number<1>(bytes, decimals)
        || !take_number<1>(bytes, version)) {
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
        if (!take_number<2>(bytes, size) || size > bytes.size()) {
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
    LineWriter out(text_bytes(event));
    out.plain(kLedgerLineBegin, rfc3339_utc(event.time_ms));
    out.plain(",\"event\":", ledger_event_name(event.kind));
    out.plain(",\"payment_id\":", id);
    put_facts(out, event.facts);
    out.text(",\"transaction\":", event.transaction);
    out.text(",\"facilitator\":", event.facilitator);
    out.number(",\"settle_ms\":", event.settle_ms);
    bool delivered = event.kind == LedgerEventKind::delivered
                     || event.kind == LedgerEventKind::redelivered
                     || event.kind == LedgerEventKind::returned;
    out.raw(delivered ? ",\"delivered\":true" : ",\"delivered\":false");
    out.text(",\"reason\":", event.reason);
    out.constant(",\"module_version\":\"" NGX_HTTP_X402_VERSION "\"}\n");
    return std::string(out.line());
}

}  // namespace x402
