// SPDX-License-Identifier: Apache-2.0
// Writes commands for a Redis server (RESP2: a list of strings) into a buffer
// of the caller, one behind the other. Allocates nothing.
#ifndef X402_STORE_RESP_WRITER_HPP
#define X402_STORE_RESP_WRITER_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace x402 {

// Bytes that an argument of `size` bytes needs at most, and a command itself.
constexpr std::size_t kRespCommandBytes = 24;
constexpr std::size_t resp_argument_bytes(std::size_t size)
{
    return size + 25;
}

class RespWriter {
public:
    // Lifetime: borrows the buffer.
    RespWriter(char *buffer, std::size_t room) : buffer_(buffer), room_(room) {}

    // A command of `arguments` strings, its name counted: call add() as often.
    RespWriter &begin(std::size_t arguments);
    RespWriter &add(std::string_view argument);
    RespWriter &add(std::int64_t number);

    // Whether everything fitted, and each command has its arguments. If not,
    // nothing that was written may be sent.
    bool complete() const { return fits_ && left_ == 0; }
    std::size_t size() const { return size_; }
    std::string_view text() const { return {buffer_, size_}; }

private:
    void put(std::string_view bytes);
    void put_length(char kind, std::size_t length);

    char *buffer_;
    std::size_t room_;
    std::size_t size_ = 0;
    std::size_t left_ = 0;  // arguments of the command that are still missing
    bool fits_ = true;
};

}  // namespace x402

#endif
