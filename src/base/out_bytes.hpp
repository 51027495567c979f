// SPDX-License-Identifier: Apache-2.0
// Bytes that are gathered for a connection: written in place, and forgotten all
// at once. Its memory is kept for the next ones.
#ifndef X402_BASE_OUT_BYTES_HPP
#define X402_BASE_OUT_BYTES_HPP

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace x402 {

class OutBytes {
public:
    // What a burst took beyond this is given back once it has left.
    static constexpr std::size_t kMostKept = 256 * 1024;

    std::size_t size() const { return size_; }
    std::string_view text() const { return {bytes_.get(), size_}; }

    // Where so many more may be written; they count once they are added.
    // Throws std::bad_alloc. Lifetime: until the next call.
    char *room(std::size_t bytes)
    {
        if (bytes > room_ - size_) {
            grow(size_ + bytes);
        }
        return bytes_.get() + size_;
    }
    // Precondition: there is room for them.
    void add(std::size_t bytes) { size_ += bytes; }
    void clear()
    {
        size_ = 0;
        if (room_ > kMostKept) {
            bytes_.reset();
            room_ = 0;
        }
    }

private:
    static constexpr std::size_t kLeast = 16 * 1024;

    void grow(std::size_t needed)
    {
        std::size_t room = room_ == 0 ? kLeast : room_;
        while (room < needed) {
            room *= 2;
        }
        std::unique_ptr<char[]> bytes(new char[room]);  // not zeros
        if (size_ > 0) {
            std::memcpy(bytes.get(), bytes_.get(), size_);
        }
        bytes_ = std::move(bytes);
        room_ = room;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t room_ = 0;
    std::size_t size_ = 0;
};

}  // namespace x402

#endif
