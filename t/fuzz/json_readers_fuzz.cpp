// SPDX-License-Identifier: Apache-2.0
// Both JSON readers take the same texts for the same values. They differ in
// nothing that a text can say.
#include <cstring>
#include <string>

#include "base/json_jansson.hpp"
#include "base/json_reader.hpp"
#include "base/json_text.hpp"
#include "fuzz_check.hpp"

using namespace x402;

namespace {

bool same_bits(double left, double right)
{
    return std::memcmp(&left, &right, sizeof(left)) == 0;
}

bool same_value(const JsonNode &left, const JsonNode &right)
{
    switch (left.kind) {
    case JsonKind::integer:
        return left.integer == right.integer;
    case JsonKind::real:
        return same_bits(left.real, right.real);
    case JsonKind::string:
        return left.string() == right.string();
    case JsonKind::array:
    case JsonKind::object:
        return left.size == right.size && left.span == right.span;
    default:
        return true;
    }
}

void check_node(const JsonNode &left, const JsonNode &right)
{
    must(left.kind == right.kind, "a value is of one kind");
    must(left.name_text() == right.name_text(), "a member has one name");
    must(same_value(left, right), "a value is one value");
    const JsonNode *other = right.first();
    for (const JsonNode *value = left.first();
         left.holds_values() && value != left.next();
         value = value->next(), other = other->next()) {
        check_node(*value, *other);
    }
}

void check_text(std::string_view text, const JsonLimits &limits)
{
    auto tree = read_json(text, limits);
    auto other = read_json_by_jansson(text, limits);
    must(tree.has_value() == other.has_value(), "a text is JSON or is not");
    if (tree) {
        const JsonCounts &counts = tree->counts();
        const JsonCounts &others = other->counts();
        must(counts.depth == others.depth && counts.keys == others.keys
                 && counts.values == others.values,
             "values are counted as bytes are");
        check_node(*tree->root(), *other->root());
    }
}

// The same bytes as a row of tokens: most of what a mutation makes of a text is
// refused at its first byte, rows of tokens are often JSON.
std::string row_of_tokens(std::string_view bytes)
{
    constexpr std::string_view kTokens[] = {"{",
                                            "}",
                                            "[",
                                            "]",
                                            ",",
                                            ":",
                                            "\"a\":",
                                            "\"\\u0061\":",
                                            "\"b\":1",
                                            "\"\":",
                                            "null",
                                            "true",
                                            "false",
                                            "0",
                                            "-0",
                                            "-0.0",
                                            "1e400",
                                            "1e-400",
                                            "9223372036854775807",
                                            "9223372036854775808",
                                            "-9223372036854775808",
                                            "-9223372036854775809",
                                            "18446744073709551615",
                                            "0.1",
                                            "01",
                                            "1.",
                                            "-",
                                            "5e-324",
                                            "1E+2",
                                            "\"\\ud83d\\ude00\"",
                                            "\"\\ud800\"",
                                            "\"\\udc00\"",
                                            "\"\\ud800\\u0041\"",
                                            "\"\\u0000\"",
                                            "\"\\x\"",
                                            "\"\\\"\\\\\\/\"",
                                            "\"\xc3\xa9\"",
                                            "\"\xed\xa0\x80\"",
                                            "\"\xff\"",
                                            "\"\x7f\"",
                                            "\"\t\"",
                                            " ",
                                            "\n",
                                            "\f",
                                            "\xef\xbb\xbf",
                                            "\"",
                                            "\\",
                                            "123456789012345678901"};
    constexpr std::size_t kCount = sizeof(kTokens) / sizeof(kTokens[0]);

    std::string text;
    for (char byte : bytes) {
        text.append(kTokens[static_cast<unsigned char>(byte) % kCount]);
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view bytes = text_of(data, size);
    for (const std::string &text :
         {std::string(bytes), row_of_tokens(bytes.substr(0, 200))}) {
        check_text(text, {});
        check_text(text, {text.size(), 1000, text.size(), text.size() + 2});
    }
    return 0;
}
