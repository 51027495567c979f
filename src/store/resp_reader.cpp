// SPDX-License-Identifier: Apache-2.0
#include "store/resp_reader.hpp"

#include <charconv>

namespace x402 {

namespace {

constexpr std::string_view kNull = "-1";
// Of any number of 64 bits.
constexpr std::size_t kDigitsThatFit = 18;

}  // namespace

bool read_resp_integer(std::string_view text, std::int64_t &number)
{
    std::string_view digits = text;
    bool negative = !digits.empty() && digits[0] == '-';
    if (negative) {
        digits.remove_prefix(1);
    }
    // Neither "-0" nor "007".
    if (digits.empty() || digits[0] < '0' || digits[0] > '9'
        || (digits[0] == '0' && (digits.size() > 1 || negative))) {
        return false;
    }
    if (digits.size() <= kDigitsThatFit) {
        std::int64_t value = 0;
        for (char digit : digits) {
            if (digit < '0' || digit > '9') {
                return false;
            }
            value = value * 10 + (digit - '0');
        }
        number = negative ? -value : value;
        return true;
    }
    const char *end = text.data() + text.size();
    auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end;
}

RespReply::State RespReply::fail(const char *problem)
{
    problem_ = problem;
    return State::broken;
}

RespReply::State RespReply::read(std::string_view bytes)
{
    items_count_ = 0;
    used_ = 0;
    problem_ = nullptr;
    Cursor cursor{bytes};
    State state = read_item(cursor, 0);
    bool whole = state == State::complete;
    if (state != State::broken
        && (whole ? cursor.at > kMaxBytes : bytes.size() >= kMaxBytes)) {
        return fail("a reply of more than 256 KB");
    }
    used_ = whole ? cursor.at : 0;
    return state;
}

RespReply::State RespReply::read_item(Cursor &cursor, std::size_t depth)
{
    if (cursor.at == cursor.bytes.size()) {
        return State::incomplete;
    }
    char kind = cursor.bytes[cursor.at++];
    if (std::string_view("+-:$*").find(kind) == std::string_view::npos) {
        return fail("a reply of no type that RESP2 has");
    }
    std::string_view line;
    State state = read_line(cursor, line);
    if (state != State::complete) {
        return state;
    }
    if (items_count_ == kMaxItems) {
        return fail("a reply of more than 256 items");
    }
    std::size_t number = items_count_++;
    RespItem &item = items_[number];
    item = RespItem();
    item.behind = static_cast<std::uint32_t>(items_count_);
    switch (kind) {
    case '+':
    case '-':
        item.type = kind == '+' ? RespType::text : RespType::error;
        item.text = line;
        return State::complete;
    case ':':
        item.type = RespType::integer;
        return read_resp_integer(line, item.integer)
                   ? State::complete
                   : fail("an integer that is not written as one");
    case '$':
        return read_bytes(cursor, line, item);
    default:
        return read_list(cursor, line, number, depth);
    }
}

// Up to CR LF, which are read, too.
RespReply::State RespReply::read_line(Cursor &cursor, std::string_view &line)
{
    std::string_view rest = cursor.bytes.substr(cursor.at);
    std::string_view head = rest.substr(0, kMaxLineBytes + 2);
    // Most lines are a few digits, so that a search by the library takes
    // longer.
    std::size_t end = 0;
    while (end < head.size() && head[end] != '\r' && head[end] != '\n') {
        end++;
    }
    if (end == head.size()) {
        return head.size() > kMaxLineBytes ? fail("a line of more than 4 KB")
                                           : State::incomplete;
    }
    if (end > kMaxLineBytes) {
        return fail("a line of more than 4 KB");
    }
    if (rest[end] == '\n') {
        return fail("a line feed without a carriage return");
    }
    if (end + 1 == rest.size()) {
        return State::incomplete;
    }
    if (rest[end + 1] != '\n') {
        return fail("a carriage return without a line feed");
    }
    line = rest.substr(0, end);
    cursor.at += end + 2;
    return State::complete;
}

RespReply::State RespReply::read_bytes(Cursor &cursor, std::string_view length,
                                       RespItem &item)
{
    if (length == kNull) {
        return State::complete;
    }
    std::int64_t size = 0;
    if (!read_resp_integer(length, size) || size < 0) {
        return fail("a string without a length");
    }
    if (size > static_cast<std::int64_t>(kMaxBytes)) {
        return fail("a reply of more than 256 KB");
    }
    auto bytes = static_cast<std::size_t>(size);
    std::string_view rest = cursor.bytes.substr(cursor.at);
    std::string_view end =
        rest.substr(rest.size() < bytes ? rest.size() : bytes, 2);
    if (end != std::string_view("\r\n").substr(0, end.size())) {
        return fail("a string that is longer than it says");
    }
    if (rest.size() < bytes + 2) {
        return State::incomplete;
    }
    item.type = RespType::bytes;
    item.text = rest.substr(0, bytes);
    cursor.at += bytes + 2;
    return State::complete;
}

RespReply::State RespReply::read_list(Cursor &cursor, std::string_view count,
                                      std::size_t number, std::size_t depth)
{
    if (count == kNull) {
        return State::complete;
    }
    std::int64_t members = 0;
    if (!read_resp_integer(count, members) || members < 0) {
        return fail("a list without a length");
    }
    if (members > static_cast<std::int64_t>(kMaxItems)) {
        return fail("a reply of more than 256 items");
    }
    if (depth == kMaxDepth) {
        return fail("lists in lists beyond four levels");
    }
    items_[number].type = RespType::list;
    items_[number].count = static_cast<std::uint32_t>(members);
    for (std::int64_t i = 0; i < members; i++) {
        State state = read_item(cursor, depth + 1);
        if (state != State::complete) {
            return state;
        }
    }
    items_[number].behind = static_cast<std::uint32_t>(items_count_);
    return State::complete;
}

const RespItem &RespReply::member(const RespItem &list,
                                  std::size_t number) const
{
    static const RespItem none;
    if (list.type != RespType::list || number >= list.count) {
        return none;
    }
    auto at = static_cast<std::size_t>(&list - items_.data()) + 1;
    while (number-- > 0) {
        at = items_[at].behind;
    }
    return items_[at];
}

std::string_view RespReply::error_word() const
{
    return is_error() ? root().text.substr(0, root().text.find(' '))
                      : std::string_view();
}

}  // namespace x402
