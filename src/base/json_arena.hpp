// jansson's memory for the nodes of one text: taken in few blocks, given back
// as a whole. For json_document.cpp alone.
#ifndef X402_BASE_JSON_ARENA_HPP
#define X402_BASE_JSON_ARENA_HPP

#include <cstddef>

namespace x402 {

// What is asked for stays where it is until the arena dies, and then is gone,
// whoever counts references. A piece beyond 1 KB has a block of its own, which
// goes when it is released: a parser's buffers that double leave 2 KB behind,
// however long the text.
class JsonArena {
public:
    // For the nodes of a text of so many bytes. Allocates nothing yet.
    explicit JsonArena(std::size_t text_bytes);
    ~JsonArena();
    JsonArena(const JsonArena &) = delete;
    JsonArena &operator=(const JsonArena &) = delete;

    // For any type; nullptr: no memory, which is remembered.
    void *allocate(std::size_t size);
    // A piece of this arena.
    void release(void *place);
    bool has_refused() const { return has_refused_; }

private:
    struct alignas(std::max_align_t) Block {
        Block *next;
    };
    char *add_block(Block *&list, std::size_t size);
    void drop_blocks(Block *list);

    // What jansson had before: blocks come from there.
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

// While one lives, jansson takes its memory from an arena. What it had is put
// back, since it serves other modules, too; their threads, should they have
// any, stay out of the arena meanwhile.
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
