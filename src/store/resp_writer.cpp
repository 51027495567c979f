// SPDX-License-Identifier: Apache-2.0
#include "store/resp_writer.hpp"

#include <charconv>
#include <cstring>

namespace x402 {

namespace {

// The longest number is "-9223372036854775808".
using NumberText = char[24];

template <class Number>
std::string_view written(NumberText &text, Number number)
{
    auto end = std::to_chars(text, text + sizeof(text), number).ptr;
    return {text, static_cast<std::size_t>(end - text)};
}

// Precondition: there is room for a NumberText. Most sizes have two digits.
char *put_size(char *out, std::size_t size)
{
    if (size < 10 || size > 99) {
        return std::to_chars(out, out + sizeof(NumberText), size).ptr;
    }
    *out++ = static_cast<char>('0' + size / 10);
    *out++ = static_cast<char>('0' + size % 10);
    return out;
}

}  // namespace

void RespWriter::put(std::string_view bytes)
{
    if (!fits_ || bytes.size() > room_ - size_) {
        fits_ = false;
        return;
    }
    if (!bytes.empty()) {
        std::memcpy(buffer_ + size_, bytes.data(), bytes.size());
    }
    size_ += bytes.size();
}

void RespWriter::put_length(char kind, std::size_t length)
{
    NumberText text;
    put({&kind, 1});
    put(written(text, length));
    put("\r\n");
}

RespWriter &RespWriter::begin(std::size_t arguments)
{
    fits_ = fits_ && left_ == 0 && arguments > 0;
    left_ = arguments;
    put_length('*', arguments);
    return *this;
}

RespWriter &RespWriter::add(std::string_view argument)
{
    if (left_ == 0) {
        fits_ = false;
        return *this;
    }
    left_--;
    if (!fits_ || resp_argument_bytes(argument.size()) > room_ - size_) {
        put_length('$', argument.size());
        put(argument);
        put("\r\n");
        return *this;
    }
    // There is room for the longest length, too: no part is asked whether it
    // fits.
    char *out = buffer_ + size_;
    *out++ = '$';
    out = put_size(out, argument.size());
    *out++ = '\r';
    *out++ = '\n';
    if (!argument.empty()) {
        std::memcpy(out, argument.data(), argument.size());
    }
    out += argument.size();
    *out++ = '\r';
    *out++ = '\n';
    size_ = static_cast<std::size_t>(out - buffer_);
    return *this;
}

RespWriter &RespWriter::add(std::int64_t number)
{
    NumberText text;
    return add(written(text, number));
}

}  // namespace x402
