// SPDX-License-Identifier: Apache-2.0
#include "base/secret_memory.hpp"

#include <cstring>
#include <new>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace x402 {

void wipe(void *bytes, std::size_t size)
{
    explicit_bzero(bytes, size);
}

void wipe(std::string &text)
{
    // The whole capacity, also what an assignment of a shorter text left
    // behind.
    text.resize(text.capacity());
    wipe(&text[0], text.size());
    text.clear();
}

void hide_from_dumps(void *bytes, std::size_t size)
{
    // A kernel that does not know it keeps the secret as well as it can.
    (void)madvise(bytes, size, MADV_DONTDUMP);
}

// One mapping for each: secrets are few, and what the heap would share with
// others is dumped.
void SecretText::reserve(std::size_t size)
{
    if (size < room_) {
        return;
    }
    auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::size_t room = (size / page + 1) * page;
    void *pages = mmap(nullptr, room, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        throw std::bad_alloc();
    }
    hide_from_dumps(pages, room);
    SecretText larger;
    larger.bytes_ = static_cast<char *>(pages);
    larger.room_ = room;
    larger.size_ = size_;
    if (size_ != 0) {
        std::memcpy(larger.bytes_, bytes_, size_);
    }
    swap(larger);
}

void SecretText::append(std::string_view more)
{
    if (more.empty()) {
        return;
    }
    std::size_t before = size_;
    reserve(before + more.size());
    std::memcpy(bytes_ + before, more.data(), more.size());
    size_ = before + more.size();
}

void SecretText::resize(std::size_t size)
{
    if (size > size_) {
        reserve(size);
    } else if (bytes_ != nullptr) {
        wipe(bytes_ + size, size_ - size);
    }
    size_ = size;
}

void SecretText::clear()
{
    if (bytes_ == nullptr) {
        return;
    }
    wipe(bytes_, room_);
    (void)munmap(bytes_, room_);
    bytes_ = nullptr;
    size_ = 0;
    room_ = 0;
}

void SecretText::swap(SecretText &other) noexcept
{
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
}

}  // namespace x402
