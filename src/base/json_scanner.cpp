// SPDX-License-Identifier: Apache-2.0
// It is longer than others because it is one automaton: a function for each
// state.
#include "base/json_scanner.hpp"

namespace x402 {

namespace {

bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a')
                                      : byte;
}

std::size_t skip_digits(std::string_view text, std::size_t at)
{
    while (at < text.size() && is_digit(text[at])) {
        at++;
    }
    return at;
}

// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_number(std::string_view text)
{
    std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
    std::size_t end = skip_digits(text, at);
    if (end == at || (text[at] == '0' && end > at + 1)) {
        return false;
    }
    if (end < text.size() && text[end] == '.') {
        at = end + 1;
        end = skip_digits(text, at);
        if (end == at) {
            return false;
        }
    }
    if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
        at = end + 1;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
            at++;
        }
        end = skip_digits(text, at);
        if (end == at) {
            return false;
        }
    }
    return end == text.size();
}

// What no name of a variable contains.
constexpr char kOther = '\x01';

}  // namespace

JsonScanner::JsonScanner(const JsonNames &names)
    : names_(names), found_(names.size())
{
}

void JsonScanner::restart()
{
    for (Found &found : found_) {
        found.count = 0;
    }
    levels_.clear();
    path_.clear();
    state_ = State::value;
    utf8_left_ = 0;
    high_surrogate_ = false;
}

bool JsonScanner::feed(std::string_view piece)
{
    for (char byte : piece) {
        take(byte);
        if (state_ == State::bad) {
            return false;
        }
    }
    return true;
}

bool JsonScanner::finish()
{
    if (state_ == State::number && levels_.empty()) {
        take(' ');
    }
    return state_ == State::done;
}

void JsonScanner::take(char byte)
{
    switch (state_) {
    case State::string:
        take_string(byte);
        return;
    case State::escape:
        take_escape(byte);
        return;
    case State::unicode:
        take_unicode(byte);
        return;
    case State::number:
        take_number(byte);
        return;
    case State::literal:
        take_literal(byte);
        return;
    case State::bad:
        return;
    default:
        break;
    }
    if (is_space(byte)) {
        return;
    }
    switch (state_) {
    case State::value_or_end:
        if (byte == ']') {
            end_container(true);
            return;
        }
        begin_value(byte);
        return;
    case State::value:
        begin_value(byte);
        return;
    case State::name_or_end:
    case State::name:
        if (byte == '"') {
            begin_string(true);
        } else if (byte == '}' && state_ == State::name_or_end) {
            end_container(false);
        } else {
            state_ = State::bad;
        }
        return;
    case State::colon:
        state_ = byte == ':' ? State::value : State::bad;
        return;
    case State::separator:
        take_separator(byte);
        return;
    default:
        state_ = State::bad;  // after the value
        return;
    }
}

void JsonScanner::begin_value(char byte)
{
    if (!levels_.empty() && levels_.back().array) {
        path_.resize(levels_.back().path_size);
        enter(std::to_string(levels_.back().index++));
    }
    text_.clear();
    switch (byte) {
    case '{':
    case '[':
        begin_container(byte == '[');
        return;
    case '"':
        begin_string(false);
        return;
    case 't':
        literal_ = "rue";
        break;
    case 'f':
        literal_ = "alse";
        break;
    case 'n':
        literal_ = "ull";
        break;
    default:
        if (byte != '-' && !is_digit(byte)) {
            state_ = State::bad;
            return;
        }
        text_ += byte;
        state_ = State::number;
        return;
    }
    text_ += byte;
    state_ = State::literal;
}

void JsonScanner::begin_container(bool array)
{
    if (levels_.size() == kDeepest) {
        state_ = State::bad;
        return;
    }
    levels_.push_back({array, path_.size(), 0});
    state_ = array ? State::value_or_end : State::name_or_end;
}

void JsonScanner::end_container(bool array)
{
    if (levels_.empty() || levels_.back().array != array) {
        state_ = State::bad;
        return;
    }
    path_.resize(levels_.back().path_size);
    levels_.pop_back();
    end_value();
}

void JsonScanner::end_value()
{
    state_ = levels_.empty() ? State::done : State::separator;
}

void JsonScanner::take_separator(char byte)
{
    bool array = levels_.back().array;
    if (byte == ',') {
        state_ = array ? State::value : State::name;
    } else if (byte == '}' || byte == ']') {
        end_container(byte == ']');
    } else {
        state_ = State::bad;
    }
}

void JsonScanner::begin_string(bool is_name)
{
    is_name_ = is_name;
    text_.clear();
    keeps_ = is_name || is_wanted();
    state_ = State::string;
}

void JsonScanner::take_string(char byte)
{
    auto code = static_cast<unsigned char>(byte);
    if (high_surrogate_ && byte != '\\') {
        state_ = State::bad;
        return;
    }
    if (code >= 0x80 || utf8_left_ > 0) {
        take_utf8(code);
    } else if (byte == '"') {
        end_string();
    } else if (byte == '\\') {
        state_ = State::escape;
    } else if (code < 0x20) {
        state_ = State::bad;
    } else {
        keep_byte(byte);
    }
}

// RFC 3629: no surrogates, nothing longer than needed, nothing above U+10FFFF.
void JsonScanner::take_utf8(unsigned char byte)
{
    if (utf8_left_ > 0) {
        bool good = byte >= utf8_least_ && byte <= utf8_most_;
        utf8_least_ = 0x80;
        utf8_most_ = 0xbf;
        if (!good) {
            state_ = State::bad;
        }
        utf8_left_--;
        return;
    }
    if (byte < 0xc2 || byte > 0xf4) {
        state_ = State::bad;
        return;
    }
    utf8_left_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    utf8_least_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    utf8_most_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    keep_byte(kOther);
}

void JsonScanner::take_escape(char byte)
{
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    std::size_t at = kEscapes.find(byte);
    if (byte == 'u') {
        unit_ = digits_ = 0;
        state_ = State::unicode;
    } else if (at == std::string_view::npos || high_surrogate_) {
        state_ = State::bad;
    } else {
        keep_byte(kMeant[at]);
        state_ = State::string;
    }
}

void JsonScanner::take_unicode(char byte)
{
    char small = lower(byte);
    unsigned value = is_digit(byte) ? static_cast<unsigned>(byte - '0')
                     : small >= 'a' && small <= 'f'
                         ? static_cast<unsigned>(small - 'a' + 10)
                         : 16;
    if (value == 16) {
        state_ = State::bad;
        return;
    }
    unit_ = unit_ * 16 + value;
    if (++digits_ < 4) {
        return;
    }
    bool low = unit_ >= 0xdc00 && unit_ <= 0xdfff;
    if (unit_ == 0 || low != high_surrogate_) {
        state_ = State::bad;
        return;
    }
    high_surrogate_ = unit_ >= 0xd800 && unit_ <= 0xdbff;
    keep_byte(unit_ < 0x80 ? static_cast<char>(unit_) : kOther);
    state_ = State::string;
}

// Beyond the longest name a name is none that could be asked for.
void JsonScanner::keep_byte(char byte)
{
    if (!keeps_) {
        return;
    }
    std::size_t limit = is_name_ ? kLongestName : kLongestText;
    if (text_.size() < limit) {
        text_ += is_name_ ? lower(byte) : byte;
    } else if (is_name_) {
        text_.back() = kOther;
    }
}

void JsonScanner::end_string()
{
    if (is_name_) {
        path_.resize(levels_.back().path_size);
        enter(text_);
        state_ = State::colon;
        return;
    }
    keep_value();
    end_value();
}

void JsonScanner::take_number(char byte)
{
    bool more = is_digit(byte) || byte == '.' || byte == 'e' || byte == 'E'
                || byte == '+' || byte == '-';
    if (more) {
        text_ += byte;
        if (text_.size() > kLongestNumber) {
            state_ = State::bad;
        }
        return;
    }
    if (!is_number(text_)) {
        state_ = State::bad;
        return;
    }
    keep_value();
    end_value();
    take(byte);
}

void JsonScanner::take_literal(char byte)
{
    if (byte != literal_.front()) {
        state_ = State::bad;
        return;
    }
    text_ += byte;
    literal_.remove_prefix(1);
    if (!literal_.empty()) {
        return;
    }
    if (text_ != "null") {
        keep_value();
    }
    end_value();
}

void JsonScanner::enter(std::string_view name)
{
    if (!path_.empty()) {
        path_ += '_';
    }
    // A name of no letters would make another path of the same letters.
    path_ += name.empty() ? std::string_view(&kOther, 1) : name;
}

bool JsonScanner::is_wanted() const
{
    for (const std::string &name : names_) {
        if (name == path_) {
            return true;
        }
    }
    return false;
}

void JsonScanner::keep_value()
{
    for (std::size_t i = 0; i < names_.size(); i++) {
        if (names_[i] == path_ && found_[i].count++ == 0) {
            found_[i].text = text_;
        }
    }
}

}  // namespace x402
