// SPDX-License-Identifier: Apache-2.0
// An answer that says what it has cost: the same wherever it is cut, the same
// as the JSON reader finds it, and never more than the maximum.
#include <string>

#include "base/decimal_amount.hpp"
#include "base/json_document.hpp"
#include "fuzz_check.hpp"
#include "policy/reply_fields.hpp"
#include "policy/usage_charge.hpp"

using namespace x402;

namespace {

constexpr std::string_view kMaximum = "5000000";
const JsonNames kNames = {"usage_total_tokens", "a_b", "a", "0"};

std::string read(ReplyForm form, std::string_view text, std::size_t piece)
{
    ReplyFields fields(form, kNames);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        fields.feed(text.substr(at, piece));
    }
    fields.finish();
    std::string all;
    for (const std::string &name : kNames) {
        all += fields.value(name);
        all += '\0';
    }
    return all;
}

// What is JSON for the reader that is used elsewhere is JSON for the scanner,
// and a whole number is the same number.
void check_json(std::string_view text)
{
    JsonLimits limits;
    limits.bytes = text.size();
    auto document = JsonDocument::parse(text, limits);
    JsonScanner scanner(kNames);
    scanner.feed(text);
    bool is_json = scanner.finish();
    if (!document) {
        return;
    }
    // The scanner alone limits how long a number is.
    bool digits = text.find_first_of("0123456789") != std::string_view::npos;
    must(is_json || digits, "JSON for one is JSON for the other");
    JsonValue value = document->root()["a"];
    auto number = value.integer();
    const JsonScanner::Found &found = scanner.found()[2];
    if (is_json && number && found.count == 1
        && found.text.find_first_of(".eE") == std::string::npos
        && document->root()["A"].exists() == false) {
        must(found.text == std::to_string(*number) || found.text == "-0",
             "a member is one number");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view text = text_of(data, size);
    unsigned choice = take_byte(text);
    constexpr ReplyForm kForms[] = {ReplyForm::json, ReplyForm::json_lines,
                                    ReplyForm::event_stream};
    ReplyForm form = kForms[choice % 3];
    std::string whole = read(form, text, text.size() + 1);
    must(whole == read(form, text, 1), "cut at every byte");
    must(whole == read(form, text, 2 + choice / 3), "cut elsewhere");
    check_json(text);
    std::string first = whole.substr(0, whole.find('\0'));
    auto charge = usage_charge({{first, "2"}, {"1", "0.5"}}, kMaximum);
    must(!charge
             || (is_atomic_amount(charge->amount)
                 && compare_atomic_amounts(charge->amount, kMaximum) <= 0),
         "never more than the maximum");
    return 0;
}
