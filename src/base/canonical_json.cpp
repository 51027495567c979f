// SPDX-License-Identifier: Apache-2.0
#include "base/canonical_json.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/decimal_amount.hpp"
#include "base/json_text.hpp"

namespace x402 {

namespace {

void append(std::string &out, JsonValue value, Spelling spelling);

void append_object(std::string &out, JsonValue value, Spelling spelling)
{
    auto members = value.members();
    std::sort(members.begin(), members.end(),
              [](const auto &one, const auto &other) {
                  return one.first < other.first;
              });
    out.push_back('{');
    for (const auto &[key, member] : members) {
        append_json_key(out, key);
        append(out, member, spelling);
    }
    out.push_back('}');
}

void append_array(std::string &out, JsonValue value, Spelling spelling)
{
    out.push_back('[');
    for (std::size_t index = 0; index < value.size(); ++index) {
        out.append(index > 0 ? "," : "");
        append(out, value.at(index), spelling);
    }
    out.push_back(']');
}

void append_loose_text(std::string &out, std::string_view text)
{
    if (is_atomic_amount(text)) {
        out.append(text);
        return;
    }
    std::string plain(text);
    for (char &character : plain) {
        bool upper = character >= 'A' && character <= 'Z';
        character =
            upper ? static_cast<char>(character - 'A' + 'a') : character;
    }
    append_json_string(out, plain);
}

void append(std::string &out, JsonValue value, Spelling spelling)
{
    std::optional<std::int64_t> number = value.integer();
    if (value.is_object()) {
        append_object(out, value, spelling);
    } else if (value.is_array()) {
        append_array(out, value, spelling);
    } else if (number) {
        out.append(std::to_string(*number));
    } else if (value.is_string() && spelling == Spelling::loose) {
        append_loose_text(out, value.string());
    } else {
        value.write(out);
    }
}

}  // namespace

std::string canonical_json(JsonValue value, Spelling spelling)
{
    std::string out;
    append(out, value, spelling);
    return out;
}

}  // namespace x402
