// Writing JSON text the way ECMAScript's JSON.stringify does: no blanks, '/'
// raw, non-ASCII raw UTF-8, control characters as \b \t \n \f \r or \u00xx with
// lower-case digits, DEL raw. Our offers stay byte-equal to the reference's.
#ifndef X402_BASE_JSON_TEXT_HPP
#define X402_BASE_JSON_TEXT_HPP

#include <string>
#include <string_view>

namespace x402 {

// Appends `text` as a quoted JSON string. Bytes that are not valid UTF-8 are
// written as U+FFFD, one for each bad byte: request URIs and Host headers come
// from strangers and a JSON text has to be UTF-8.
void append_json_string(std::string &out, std::string_view text);

// The same without its quotes. Lifetime: `text`'s where nothing in it has to be
// written in another way, else that of `room`.
std::string_view inside_json_string(std::string_view text, std::string &room);

// Appends `"key":` with a leading comma unless `out` ends in '{'.
void append_json_key(std::string &out, std::string_view key);

// The same JSON text in printable ASCII: what lies beyond becomes \uxxxx (two
// of them beyond U+FFFF), so that it may stand in a header. `json` is compact
// JSON as JsonValue::write() makes it; bytes that are no UTF-8 become \ufffd.
std::string ascii_json(std::string_view json);

// Appends a finite number in the fewest digits that read back as the same
// double. As ECMAScript's Number::toString, but for two cases that would read
// back as something else here: -0 is "-0.0", and an integer that needs zeros
// behind its digits keeps its exponent ("1e+20").
void append_json_number(std::string &out, double number);

}  // namespace x402

#endif
