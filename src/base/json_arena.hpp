// jansson's memory for the nodes of one text: allocated in few blocks, released
// as a whole. Used by json_document.cpp only.
#ifndef X402_BASE_JSON_ARENA_HPP
#define X402_BASE_JSON_ARENA_HPP

#include <cstddef>

namespace x402 {

// Memory of the arena is valid until the arena is destroyed, regardless of
// reference counts. A piece above 1 KB has its own block, which is freed when
// the piece is released: the doubling buffers of a parser leave at most 2 KB
// behind, for a text of any length.
class JsonArena {
public:
    // For the nodes of a text of so many bytes. Allocates nothing yet.
    explicit JsonArena(std::size_t text_bytes);
    ~JsonArena();
    JsonArena(const JsonArena &) = delete;
    JsonArena &operator=(const JsonArena &) = delete;

    // Aligned for any type. nullptr: no memory; the arena remembers that.
    void *allocate(std::size_t size);
    // Releases a piece of this arena.
    void release(void *place);
    bool has_refused() const { return has_refused_; }

private:
    struct alignas(std::max_align_t) Block {
        Block *next;
    };
    char *add_block(Block *&list, std::size_t size);
    void drop_blocks(Block *list);

    // jansson's former allocator; blocks are allocated with it.
    void *(*malloc_)(std::size_t);
    void (*free_)(void *);
    std::size_t block_bytes_;  // of the next shared one
    Block *shared_ = nullptr;  // by pieces up to 1 KB; the newest first
    Block *large_ = nullptr;   // of one piece each
    char *next_ = nullptr;     // free bytes of the newest shared block
    std::size_t left_ = 0;
    char *last_ = nullptr;  // the piece in front of them, or nullptr
    bool has_refused_ = false;
};

// While an object of this class exists, jansson allocates from an arena. The
// destructor restores the former allocator, because other modules use jansson,
// too. Threads of other modules never use the arena.
class ArenaInUse {
public:
    explicit ArenaInUse(JsonArena &arena);
    ~ArenaInUse();
    ArenaInUse(const ArenaInUse &) = delete;
    ArenaInUse &operator=(const ArenaInUse &) = delete;

private:
    void *(*malloc_)(std::size_t);
    // jansson has one since 2.15.
    [[maybe_unused]] void *(*realloc_)(void *, std::size_t) = nullptr;
    void (*free_)(void *);
};

}  // namespace x402

#endif
