// SPDX-License-Identifier: Apache-2.0
// What a client sends back of the extensions it was offered. The input: a byte
// that chooses the name, the declaration, a line break, the echo.
#include "protocol/extension_echo.hpp"

#include <string>

#include "fuzz_check.hpp"
#include "protocol/extension_list.hpp"
#include "protocol/payment_identifier.hpp"

using namespace x402;

namespace {

const JsonLimits kGenerous{1024 * 1024, 64, 100000, 100000};

// Nothing would change if the echo were given what it should have kept.
bool keeps_all(JsonValue offered, JsonValue parsed)
{
    if (!offered.is_object() || !parsed.is_object()) {
        return parsed.exists() && parsed.equals(offered);
    }
    auto merged =
        JsonDocument::parse(merge_json_objects(parsed, offered), kGenerous);
    must(merged.ok(), "merged objects can be read");
    return merged->root().equals(parsed);
}

void check_identifier(JsonValue extensions)
{
    PaymentIdentifier read = read_payment_identifier(extensions);
    must((read.kind == PaymentIdentifier::Kind::named)
             == is_payment_identifier(read.id),
         "an identifier is valid or is none");
}

// What we offer ourselves is always taken back.
void check_own_offer(const char *name, std::string_view declaration)
{
    Extensions extensions;
    if (!extensions.add(name, declaration, "").empty()) {
        return;
    }
    auto offered = JsonDocument::parse(
        extensions_for(extensions, "GET", "/a\"b"), kGenerous);
    must(offered.ok(), "an offer can be read");
    must(offered->root().size() == 1, "and is of one extension");
    must(echo_ok(extensions, "GET", "/a\"b", offered->root()),
         "an exact echo is good");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    constexpr const char *kNames[] = {
        "other",  "sign-in-with-x",     "offer-receipt",       "builder-code",
        "bazaar", "payment-identifier", "eip2612GasSponsoring"};
    std::string_view text = text_of(data, size);
    const char *name = kNames[take_byte(text) % 7];
    std::size_t line = text.find('\n');
    std::string_view declaration = text.substr(0, line);
    check_own_offer(name, declaration);
    if (line == std::string_view::npos) {
        return 0;
    }
    auto advertised = JsonDocument::parse(declaration);
    auto echoed = JsonDocument::parse(text.substr(line + 1));
    if (!advertised || !echoed) {
        return 0;
    }
    check_identifier(echoed->root());
    JsonValue offered = extension_info(advertised->root());
    JsonValue parsed = extension_info(echoed->root());
    bool all_kept = keeps_all(offered, parsed);
    must(keeps_info(offered, parsed, {}) == all_kept,
         "an echo is good if and only if it lost nothing");
    if (is_echo(name, advertised->root(), echoed->root())) {
        must(all_kept || !fields_of_one_answer(name).empty()
                 || name == kNames[3],
             "only some names may lose something");
        must(name != kNames[3] || !parsed["a"].exists()
                 || parsed["a"].equals(offered["a"]),
             "nobody changes whose application it is");
    }
    return 0;
}
