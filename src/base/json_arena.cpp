#include "base/json_arena.hpp"

#include <algorithm>
#include <cstdlib>

#include <jansson.h>

namespace x402 {

namespace {

constexpr std::size_t kLargePiece = 1024;
// The first block is sized for a payment or an answer of a facilitator, with so
// many bytes of nodes for a byte of text. Small blocks follow if it is too
// small.
constexpr std::size_t kNodeBytes = 7;
constexpr std::size_t kSmallestBlock = 1024;
constexpr std::size_t kLargestBlock = 8192;
constexpr std::size_t kNextBlock = 2048;

constexpr std::size_t rounded(std::size_t size)
{
    constexpr std::size_t kUnit = alignof(std::max_align_t);
    return (size + kUnit - 1) / kUnit * kUnit;
}

// The arena in use. jansson's allocation functions get only a size.
thread_local JsonArena *arena_in_use = nullptr;

void *allocate_in_use(std::size_t size)
{
    return arena_in_use ? arena_in_use->allocate(size) : std::malloc(size);
}

void release_in_use(void *place)
{
    arena_in_use ? arena_in_use->release(place) : std::free(place);
}

}  // namespace

JsonArena::JsonArena(std::size_t text_bytes)
    : block_bytes_(std::clamp(rounded(text_bytes * kNodeBytes), kSmallestBlock,
                              kLargestBlock))
{
    json_get_alloc_funcs(&malloc_, &free_);
}

JsonArena::~JsonArena()
{
    drop_blocks(shared_);
    drop_blocks(large_);
}

void *JsonArena::allocate(std::size_t size)
{
    if (size > kLargePiece) {
        return add_block(large_, size);
    }
    std::size_t bytes = rounded(size);
    if (bytes > left_) {
        char *block = add_block(shared_, block_bytes_);
        if (block == nullptr) {
            return nullptr;
        }
        next_ = block;
        left_ = block_bytes_;
        block_bytes_ = kNextBlock;
    }
    last_ = next_;
    next_ += bytes;
    left_ -= bytes;
    return last_;
}

void JsonArena::release(void *place)
{
    if (place == last_) {
        left_ += static_cast<std::size_t>(next_ - last_);
        next_ = last_;
        last_ = nullptr;
        return;
    }
    for (Block **link = &large_; *link != nullptr; link = &(*link)->next) {
        Block *block = *link;
        if (block + 1 == place) {
            *link = block->next;
            free_(block);
            return;
        }
    }
}

char *JsonArena::add_block(Block *&list, std::size_t size)
{
    auto *block = static_cast<Block *>(malloc_(sizeof(Block) + size));
    if (block == nullptr) {
        has_refused_ = true;
        return nullptr;
    }
    block->next = list;
    list = block;
    return reinterpret_cast<char *>(block + 1);
}

void JsonArena::drop_blocks(Block *list)
{
    while (list != nullptr) {
        Block *next = list->next;
        free_(list);
        list = next;
    }
}

ArenaInUse::ArenaInUse(JsonArena &arena)
{
#if JANSSON_VERSION_HEX >= 0x020f00
    json_get_alloc_funcs2(&malloc_, &realloc_, &free_);
#else
    json_get_alloc_funcs(&malloc_, &free_);
#endif
    arena_in_use = &arena;
    // Without a realloc jansson copies.
    json_set_alloc_funcs(allocate_in_use, release_in_use);
}

ArenaInUse::~ArenaInUse()
{
#if JANSSON_VERSION_HEX >= 0x020f00
    json_set_alloc_funcs2(malloc_, realloc_, free_);
#else
    json_set_alloc_funcs(malloc_, free_);
#endif
    arena_in_use = nullptr;
}

}  // namespace x402
