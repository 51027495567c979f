// SPDX-License-Identifier: Apache-2.0
// Where keys and passwords are kept: pages of their own, which no core dump
// contains, and which are overwritten before the system has them back.
//
// A text that has to pass through other memory is overwritten there with
// wipe(), once it is not needed.
#ifndef X402_BASE_SECRET_MEMORY_HPP
#define X402_BASE_SECRET_MEMORY_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace x402 {

// Overwrites the bytes, which contained a secret.
void wipe(void *bytes, std::size_t size);
// The same, and empties the text.
void wipe(std::string &text);

// Whole pages, from the first to the last byte, that core dumps leave out from
// now on: for shared memory with a key. What is forked later inherits that.
void hide_from_dumps(void *bytes, std::size_t size);

// A secret. All of its memory is as above; it has no copies.
class SecretText {
public:
    SecretText() = default;
    // Copies it. Throws std::bad_alloc, as all that needs more room.
    explicit SecretText(std::string_view secret) { append(secret); }
    ~SecretText() { clear(); }
    SecretText(SecretText &&other) noexcept { swap(other); }
    SecretText &operator=(SecretText &&other) noexcept
    {
        swap(other);
        return *this;
    }
    SecretText(const SecretText &) = delete;
    SecretText &operator=(const SecretText &) = delete;

    // Lifetime: until the next change. A NUL follows it, if it is not
    // empty.
    std::string_view view() const { return {bytes_, size_}; }
    char *data() { return bytes_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    void append(std::string_view more);
    // So many bytes: the first ones of what it had, and NUL after them.
    void resize(std::size_t size);
    void clear();

private:
    void reserve(std::size_t size);
    void swap(SecretText &other) noexcept;

    char *bytes_ = nullptr;
    std::size_t size_ = 0;
    std::size_t room_ = 0;  // whole pages
};

}  // namespace x402

#endif
