// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_payload.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

#include "base/base64_codec.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxShownVersionBytes = 32;

constexpr std::string_view kUnreadable = "Unreadable payment header: ";

Problem unreadable(std::string_view word)
{
    return Problem{std::string(word)};
}

std::string upper(std::string_view name)
{
    std::string text(name);
    for (char &letter : text) {
        letter = letter >= 'a' && letter <= 'z'
                     ? static_cast<char>(letter - 'a' + 'A')
                     : letter;
    }
    return text;
}

// `text` or its beginning, without a partial UTF-8 sequence.
std::string_view shortened(std::string_view text)
{
    if (text.size() <= kMaxShownVersionBytes) {
        return text;
    }
    std::size_t end = kMaxShownVersionBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
        --end;
    }
    return text.substr(0, end);
}

Problem unsupported_version(JsonValue version)
{
    std::string shown;
    if (!version.exists()) {
        shown = "undefined";
    } else if (version.is_string()) {
        shown = version.string();
    } else {
        version.write(shown);
    }
    return Problem{"Unsupported x402 version: "
                   + std::string(shortened(shown))};
}

// The limits apply to everything that was sent: the counts of a payment in
// which a number stands for the option, and those of the option.
JsonCounts joined(const JsonCounts &marked, const JsonCounts &option)
{
    JsonCounts whole;
    whole.depth = std::max(marked.depth, option.depth + 1);
    whole.keys = marked.keys + option.keys;
    whole.values = marked.values - 1 + option.values;
    return whole;
}

// A text that is looked for again and again: most of the searched text is
// skipped, where string_view::find() stops at each `"`.
class Needle {
public:
    explicit Needle(std::string_view text) : searcher_(text.begin(), text.end())
    {
    }

    std::size_t find(std::string_view text) const
    {
        auto at = std::search(text.begin(), text.end(), searcher_);
        return at == text.end() ? std::string_view::npos
                                : static_cast<std::size_t>(at - text.begin());
    }
    bool is_in(std::string_view text) const
    {
        return find(text) != std::string_view::npos;
    }

private:
    std::boyer_moore_horspool_searcher<std::string_view::const_iterator>
        searcher_;
};

// `accepted` of a payment is nearly always the text of the offer. A number is
// then parsed in its place, and the option, which is parsed once, is used
// instead. False: nothing was read, and nothing is known.
//
// Why the result equals that of the whole text: no double has the value of the
// mark, so this integer comes from these digits alone, and the client's text
// does not contain them. If the root's member `accepted` is the mark, it is the
// token that was put there. So that place holds a value, and any other value
// can replace it: the text with the option in it is JSON as well, with the same
// members around it. If the place were inside a string, in another member, or
// deeper, the root would not have the mark.
bool read_echo(std::string_view text, const PaymentOffer &offered,
               PaymentPayload &payload)
{
    constexpr std::string_view kMember = "\"accepted\":";
    constexpr std::string_view kMark = "9007199254740993";
    constexpr std::int64_t kMarkValue = 9007199254740993;  // 2^53 + 1
    static const Needle member(kMember);
    static const Needle mark(kMark);

    std::size_t place = member.find(text);
    if (place == std::string_view::npos) {
        return false;
    }
    place += kMember.size();
    std::string_view parsed = text.substr(place);
    for (const PaymentOffer::Option &option : offered.options()) {
        if (parsed.compare(0, option.json.size(), option.json) != 0) {
            continue;
        }
        const JsonDocument *echo = option.echo();
        if (echo == nullptr || !echo->root().exists()) {
            continue;
        }
        std::string_view before = text.substr(0, place);
        std::string_view after = parsed.substr(option.json.size());
        if (mark.is_in(before) || mark.is_in(after)
            || text.size() > JsonLimits().bytes) {
            return false;
        }
        std::string marked;
        marked.reserve(before.size() + kMark.size() + after.size());
        marked.append(before).append(kMark).append(after);
        auto document = JsonDocument::parse(marked);
        if (!document || document->root()["accepted"].integer() != kMarkValue
            || !joined(document->counts(), echo->counts())
                    .within(JsonLimits())) {
            return false;
        }
        payload.document = std::move(document.value());
        payload.echoed = &option;
        return true;
    }
    return false;
}

}  // namespace

std::string wrong_header_error(std::string_view presented,
                               std::string_view expected)
{
    return "Payment in " + upper(presented) + ", but this resource takes it in "
           + upper(expected);
}

bool is_unreadable(const Problem &problem)
{
    return problem.text.compare(0, kUnreadable.size(), kUnreadable) == 0;
}

Result<PaymentPayload> decode_payment_header(std::string_view header_value,
                                             unsigned version,
                                             const PaymentOffer *offered)
{
    if (header_value.size() > kMaxPaymentHeaderBytes) {
        return unreadable(kHeaderTooLong);
    }
    std::optional<std::string> text = base64_decode(header_value);
    if (!text) {
        return unreadable(kHeaderNotBase64);
    }
    PaymentPayload payload;
    if (offered == nullptr || !read_echo(*text, *offered, payload)) {
        Result<JsonDocument> document = JsonDocument::parse(*text);
        if (!document || document->root().is_null()) {
            return unreadable(kHeaderNotJson);
        }
        payload.document = std::move(document.value());
    }

    // x402, PaymentPayload: x402Version is a number. Each version has its own
    // header; a payment in the wrong one is not guessed at.
    JsonValue written = payload.document.root()["x402Version"];
    if (written.integer() != std::int64_t{version}) {
        return unsupported_version(written);
    }
    payload.version = version;
    payload.text = std::move(*text);
    return payload;
}

}  // namespace x402
