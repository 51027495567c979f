// SPDX-License-Identifier: Apache-2.0
// Counts what a program asks of the heap. In front of the C library by
// LD_PRELOAD; the file HEAP_COUNTS has two numbers of 64 bits: calls, and bytes
// that were asked for.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {
void *__libc_malloc(std::size_t);
void *__libc_calloc(std::size_t, std::size_t);
void *__libc_realloc(void *, std::size_t);
void *__libc_memalign(std::size_t, std::size_t);
}

namespace {

struct Counts {
    std::atomic<std::uint64_t> calls;
    std::atomic<std::uint64_t> bytes;
};

Counts not_seen;  // of what runs before begin()
Counts *counts = &not_seen;

__attribute__((constructor)) void begin()
{
    const char *path = std::getenv("HEAP_COUNTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) {
        return;
    }
    void *memory = mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE,
                        MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) {
        counts = static_cast<Counts *>(memory);
    }
    close(file);
}

void count(std::size_t bytes)
{
    counts->calls.fetch_add(1, std::memory_order_relaxed);
    counts->bytes.fetch_add(bytes, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void *malloc(std::size_t bytes)
{
    count(bytes);
    return __libc_malloc(bytes);
}

void *calloc(std::size_t number, std::size_t bytes)
{
    count(number * bytes);
    return __libc_calloc(number, bytes);
}

void *realloc(void *memory, std::size_t bytes)
{
    count(bytes);
    return __libc_realloc(memory, bytes);
}

void *memalign(std::size_t alignment, std::size_t bytes)
{
    count(bytes);
    return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(std::size_t alignment, std::size_t bytes)
{
    return memalign(alignment, bytes);
}

int posix_memalign(void **memory, std::size_t alignment, std::size_t bytes)
{
    *memory = memalign(alignment, bytes);
    return *memory ? 0 : 12;  // ENOMEM
}
}
