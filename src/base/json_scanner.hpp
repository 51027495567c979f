// SPDX-License-Identifier: Apache-2.0
// Reads one JSON text piece by piece and keeps only the members that are asked
// for: answers are long, and are neither copied nor kept. Made by
// policy/reply_fields.
#ifndef X402_BASE_JSON_SCANNER_HPP
#define X402_BASE_JSON_SCANNER_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// Lower case, members of members joined by `_`, elements of arrays by index:
// "usage_total_tokens", "choices_0_index".
using JsonNames = std::vector<std::string>;

class JsonScanner {
public:
    // A string, number or boolean under one of the names. Null is as absent.
    struct Found {
        std::string text;    // strings in ASCII, at most kLongestText bytes
        unsigned count = 0;  // more than 1: the name is not unique
    };

    // Lifetime: `names` outlives the scanner.
    explicit JsonScanner(const JsonNames &names);

    // Any part of the text, cut anywhere. False: it is not JSON (RFC 8259,
    // UTF-8, no NUL, no lone surrogates), or is deeper than kDeepest, or has a
    // number of more than kLongestNumber characters; what follows is ignored.
    bool feed(std::string_view piece);
    // The text ends. Whether it was one complete value.
    bool finish();
    // Another text begins.
    void restart();

    // One for each name, in their order.
    const std::vector<Found> &found() const { return found_; }

    static constexpr std::size_t kDeepest = 64;
    static constexpr std::size_t kLongestName = 128;
    static constexpr std::size_t kLongestText = 256;
    static constexpr std::size_t kLongestNumber = 64;

private:
    enum class State : std::uint8_t {
        value,
        value_or_end,  // after `[`
        name,
        name_or_end,  // after `{`
        colon,
        separator,
        string,
        escape,
        unicode,
        number,
        literal,
        done,
        bad,
    };
    struct Level {
        bool array;
        std::size_t path_size;  // of the container
        std::size_t index;      // of the next element
    };

    void take(char byte);
    void begin_value(char byte);
    void begin_container(bool array);
    void end_container(bool array);
    void end_value();
    void take_separator(char byte);
    void begin_string(bool is_name);
    void take_string(char byte);
    void take_escape(char byte);
    void take_unicode(char byte);
    void take_utf8(unsigned char byte);
    void end_string();
    void take_number(char byte);
    void take_literal(char byte);
    void keep_byte(char byte);
    void enter(std::string_view name);
    void keep_value();
    bool is_wanted() const;

    const JsonNames &names_;
    std::vector<Found> found_;
    std::vector<Level> levels_;
    std::string path_;
    std::string text_;  // of the name or value that is being read
    State state_ = State::value;
    bool is_name_ = false;
    bool keeps_ = false;  // the string is a name, or a value that is wanted
    std::string_view literal_;
    unsigned unit_ = 0;  // of \uxxxx
    unsigned digits_ = 0;
    bool high_surrogate_ = false;  // the next must be \u and the low one
    unsigned utf8_left_ = 0;
    unsigned char utf8_least_ = 0x80;
    unsigned char utf8_most_ = 0xbf;
};

}  // namespace x402

#endif
