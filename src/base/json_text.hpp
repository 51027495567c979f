// SPDX-License-Identifier: Apache-2.0
// Writes JSON text as ECMAScript's JSON.stringify does: no spaces, '/' raw,
// non-ASCII raw UTF-8, control characters as \b \t \n \f \r or \u00xx with
// lower-case digits, DEL raw. Offers are byte-equal to the reference's.
#ifndef X402_BASE_JSON_TEXT_HPP
#define X402_BASE_JSON_TEXT_HPP

#include <string>
#include <string_view>

namespace x402 {

// Appends `text` as a quoted JSON string. Bytes that are not valid UTF-8 are
// written as U+FFFD, one for each bad byte: request URIs and Host headers are
// not trusted, and a JSON text must be UTF-8.
void append_json_string(std::string &out, std::string_view text);

// The same without the quotes. Lifetime: that of `text` if nothing in it has to
// be escaped, otherwise that of `room`.
std::string_view inside_json_string(std::string_view text, std::string &room);

// Appends `"key":` with a leading comma unless `out` ends in '{'.
void append_json_key(std::string &out, std::string_view key);

// Appends a member whose value is a string.
inline void append_json_member(std::string &out, std::string_view key,
                               std::string_view text)
{
    append_json_key(out, key);
    append_json_string(out, text);
}

// The same JSON text in printable ASCII, for use in a header: other characters
// become \uxxxx (two of them above U+FFFF). `json` is compact JSON as written
// by JsonValue::write(); bytes that are not UTF-8 become \ufffd.
std::string ascii_json(std::string_view json);

// Appends a finite number in the fewest digits that read back as the same
// double. As ECMAScript's Number::toString, except for two cases that would
// read back as something else here: -0 is "-0.0", and an integer that needs
// zeros after its digits keeps its exponent ("1e+20").
void append_json_number(std::string &out, double number);

}  // namespace x402

#endif
