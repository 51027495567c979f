// SPDX-License-Identifier: Apache-2.0
#include "facilitator/response_reader.hpp"

#include <algorithm>

#include "base/header_syntax.hpp"
#include "facilitator/facilitator_port.hpp"

namespace x402 {

namespace {

// Memory is not reserved for a length that the peer only announced.
constexpr std::uint64_t kMaxReserved = 16 * 1024;

bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

// -1: not a hexadecimal digit.
int hex_value(char byte)
{
    if (is_digit(byte)) {
        return byte - '0';
    }
    char small = static_cast<char>(byte | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

}  // namespace

ResponseReader::State ResponseReader::feed(std::string_view bytes)
{
    started_ = started_ || !bytes.empty();
    while (state_ == State::reading && !bytes.empty()) {
        if (expecting_ == Expecting::body
            || expecting_ == Expecting::chunk_bytes) {
            take_body(bytes);
        } else {
            take_line(bytes);
        }
    }
    if (state_ == State::complete && !bytes.empty()) {
        // An answer without a request.
        keep_alive_ = false;
    }
    return state_;
}

ResponseReader::State ResponseReader::end()
{
    if (state_ != State::reading) {
        return state_;
    }
    if (expecting_ == Expecting::body && !framed_) {
        complete();
    } else if (!started_) {
        fail("the connection was closed without an answer");
    } else {
        fail("the connection was closed in the middle of the answer");
    }
    return state_;
}

// Reads up to the end of a line, which is CR LF only. The limit applies while
// the line is incomplete.
void ResponseReader::take_line(std::string_view &bytes)
{
    bool of_chunk = expecting_ == Expecting::chunk_line
                    || expecting_ == Expecting::chunk_end;
    std::size_t limit =
        of_chunk ? kMaxChunkLineBytes : kMaxHeadBytes - head_bytes_;
    std::size_t at = bytes.find('\n');
    bool ends = at != std::string_view::npos;
    std::string_view piece = bytes.substr(0, ends ? at + 1 : at);
    bytes.remove_prefix(piece.size());
    if (line_.size() + piece.size() > limit) {
        fail(of_chunk ? "the answer has a chunk line that is too long"
                      : "the answer's head is larger than 16 KB");
        return;
    }
    if (!ends) {
        line_.append(piece);
        return;
    }

    if (!line_.empty()) {
        line_.append(piece);
        piece = line_;
    }
    if (!of_chunk) {
        head_bytes_ += piece.size();
    }
    if (piece.size() < 2 || piece[piece.size() - 2] != '\r') {
        fail("the answer has a line that does not end in CR LF");
        return;
    }
    piece.remove_suffix(2);
    if (has_control(piece)) {
        fail("the answer has a control character in its head");
        return;
    }
    read_line(piece);
    line_.clear();
}

void ResponseReader::read_line(std::string_view line)
{
    switch (expecting_) {
    case Expecting::status_line:
        read_status_line(line);
        return;
    case Expecting::header_line:
        if (line.empty()) {
            head_ended();
        } else {
            read_field(line);
        }
        return;
    case Expecting::chunk_line:
        read_chunk_line(line);
        return;
    case Expecting::chunk_end:
        if (!line.empty()) {
            fail("the answer has a chunk that is longer than it says");
        }
        expecting_ = Expecting::chunk_line;
        return;
    case Expecting::trailer_line:
        if (line.empty()) {
            complete();
        } else {
            read_field(line);
        }
        return;
    case Expecting::body:
    case Expecting::chunk_bytes:
    case Expecting::end:
        break;
    }
    fail("the answer is of no known form");
}

// "HTTP/1.1 200 OK"; the reason may be missing, and its space, too.
void ResponseReader::read_status_line(std::string_view line)
{
    constexpr std::size_t kShortest = 12;
    bool good = line.size() >= kShortest && line.substr(0, 7) == "HTTP/1."
                && (line[7] == '0' || line[7] == '1') && line[8] == ' '
                && line[9] >= '1' && line[9] <= '5' && is_digit(line[10])
                && is_digit(line[11])
                && (line.size() == kShortest || line[kShortest] == ' ');
    if (!good) {
        fail("the answer is not HTTP/1.x");
        return;
    }
    old_ = line[7] == '0';
    status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    expecting_ = Expecting::header_line;
}

// RFC 9112, 5.1: no space before the colon, and 5.2: no folded line.
void ResponseReader::read_field(std::string_view line)
{
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        fail("the answer has a header line without a proper name");
        return;
    }
    if (expecting_ == Expecting::header_line) {
        read_header(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
}

void ResponseReader::read_header(std::string_view name, std::string_view value)
{
    // Few lengths, so that most headers are skipped at once.
    switch (name.size()) {
    case 8:
        if (same_word(name, "location")) {
            read_location(value);
        }
        return;
    case 10:
        if (same_word(name, "connection")) {
            read_connection(value);
        }
        return;
    case 11:
        if (same_word(name, "retry-after")) {
            retry_after_ = std::string(value);
        }
        return;
    case 13:
        if (same_word(name, "cache-control")) {
            cache_control_ += cache_control_.empty() ? "" : ",";
            cache_control_ += value;
        }
        return;
    case 14:
        if (same_word(name, "content-length")) {
            read_content_length(value);
        }
        return;
    case 16:
        if (same_word(name, "content-encoding")
            && !same_word(value, "identity")) {
            fail("the answer is compressed, which was not asked for");
        }
        return;
    case 17:
        if (same_word(name, "transfer-encoding")) {
            read_transfer_encoding(value);
        }
        return;
    case 19:
        if (same_word(name, "extension-responses")) {
            extension_responses_ = std::string(value);
        }
        return;
    default:
        return;
    }
}

void ResponseReader::read_content_length(std::string_view value)
{
    constexpr std::size_t kMostDigits = 18;
    std::uint64_t length = 0;
    if (value.empty() || value.size() > kMostDigits
        || !std::all_of(value.begin(), value.end(), is_digit)) {
        fail("the answer has a Content-Length that is not a number");
        return;
    }
    for (char digit : value) {
        length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    if (has_length_ && length != left_) {
        fail("the answer has two different Content-Lengths");
        return;
    }
    has_length_ = true;
    left_ = length;
}

void ResponseReader::read_transfer_encoding(std::string_view value)
{
    if (chunked_ || !same_word(value, "chunked")) {
        fail("the answer has a Transfer-Encoding other than chunked");
        return;
    }
    chunked_ = true;
}

void ResponseReader::read_connection(std::string_view value)
{
    while (!value.empty()) {
        std::size_t comma = value.find(',');
        std::string_view word = trimmed(value.substr(0, comma));
        said_close_ = said_close_ || same_word(word, "close");
        said_keep_alive_ = said_keep_alive_ || same_word(word, "keep-alive");
        value.remove_prefix(std::min(comma, value.size() - 1) + 1);
    }
}

void ResponseReader::read_location(std::string_view value)
{
    if (has_location_ && location_ != value) {
        fail("the answer has two different Locations");
        return;
    }
    has_location_ = true;
    location_ = std::string(value);
}

void ResponseReader::head_ended()
{
    if (chunked_ && (has_length_ || old_)) {
        fail(old_ ? "the answer is chunked in HTTP/1.0"
                  : "the answer has Content-Length and Transfer-Encoding");
        return;
    }
    if (status_ < 200) {
        // Interim heads; the answer follows. Another protocol was not
        // requested.
        if (status_ == 101 || chunked_ || has_length_
            || ++interim_ > kMaxInterimAnswers) {
            fail("the answer begins with interim answers that are invalid or "
                 "too many");
            return;
        }
        said_close_ = said_keep_alive_ = has_location_ = false;
        location_.clear();
        cache_control_.clear();
        extension_responses_.clear();
        retry_after_.clear();
        expecting_ = Expecting::status_line;
        return;
    }

    keep_alive_ = !said_close_ && (!old_ || said_keep_alive_);
    if (status_ == 204 || status_ == 304) {
        // RFC 9112, 6.3: ends with its head, regardless of its framing headers.
        keep_alive_ =
            keep_alive_ && !chunked_ && (status_ == 304 || left_ == 0);
        complete();
    } else if (chunked_) {
        expecting_ = Expecting::chunk_line;
    } else if (!has_length_) {
        framed_ = false;
        expecting_ = Expecting::body;
    } else if (left_ > kMaxReplyBytes) {
        fail("the answer is larger than 256 KB");
    } else if (left_ == 0) {
        complete();
    } else {
        body_.reserve(std::min(left_, kMaxReserved));
        expecting_ = Expecting::body;
    }
}

// RFC 9112, 7.1: a size and extensions, which are ignored.
void ResponseReader::read_chunk_line(std::string_view line)
{
    constexpr std::size_t kMostDigits = 15;
    std::size_t digits = 0;
    left_ = 0;
    while (digits < line.size() && hex_value(line[digits]) >= 0) {
        if (digits == kMostDigits) {
            fail("the answer has a chunk of an impossible size");
            return;
        }
        left_ =
            left_ * 16 + static_cast<std::uint64_t>(hex_value(line[digits]));
        digits++;
    }
    std::string_view rest = trimmed(line.substr(digits));
    if (digits == 0 || (!rest.empty() && rest.front() != ';')) {
        fail("the answer has a chunk without a size");
    } else if (left_ > kMaxReplyBytes - body_.size()) {
        fail("the answer is larger than 256 KB");
    } else {
        expecting_ =
            left_ == 0 ? Expecting::trailer_line : Expecting::chunk_bytes;
    }
}

void ResponseReader::take_body(std::string_view &bytes)
{
    std::string_view piece = bytes;
    if (framed_) {
        piece = bytes.substr(0, left_);
        left_ -= piece.size();
    } else if (bytes.size() > kMaxReplyBytes - body_.size()) {
        fail("the answer is larger than 256 KB");
        return;
    }
    body_.append(piece);
    bytes.remove_prefix(piece.size());
    if (framed_ && left_ == 0) {
        if (expecting_ == Expecting::chunk_bytes) {
            expecting_ = Expecting::chunk_end;
        } else {
            complete();
        }
    }
}

void ResponseReader::complete()
{
    state_ = State::complete;
    expecting_ = Expecting::end;
}

void ResponseReader::fail(const char *problem)
{
    state_ = State::failed;
    problem_ = problem;
    body_.clear();
}

}  // namespace x402
