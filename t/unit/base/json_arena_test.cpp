#include "base/json_arena.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <jansson.h>

#include "vectors.hpp"

namespace x402 {
namespace {

// jansson's memory for one test: counted, and refused from some size on.
class Memory {
public:
    explicit Memory(std::size_t most = SIZE_MAX)
    {
        state() = {most, 0, 0, 0};
        json_set_alloc_funcs(allocate, release);
    }
    ~Memory() { json_set_alloc_funcs(malloc, free); }
    static std::size_t blocks() { return state().blocks; }
    static std::size_t bytes() { return state().bytes; }
    static std::size_t taken() { return state().taken; }
    static bool is_in_use()
    {
        json_malloc_t current;
        json_get_alloc_funcs(&current, nullptr);
        return current == allocate;
    }

private:
    struct PaymentState {
        std::size_t most;
        std::size_t blocks;  // that live
        std::size_t bytes;   // of them
        std::size_t taken;   // ever
    };
    static PaymentState &state()
    {
        static PaymentState counters;
        return counters;
    }
    static void *allocate(std::size_t size)
    {
        if (size > state().most) {
            return nullptr;
        }
        auto *place = static_cast<std::size_t *>(malloc(size + 16));
        *place = size;
        state().blocks++;
        state().taken++;
        state().bytes += size;
        return place + 2;
    }
    static void release(void *place)
    {
        auto *begin = static_cast<std::size_t *>(place) - 2;
        state().blocks--;
        state().bytes -= *begin;
        free(begin);
    }
};

TEST(JsonArena, PiecesAreAlignedAndApart)
{
    JsonArena arena(100);
    std::vector<std::pair<char *, std::size_t>> pieces;
    for (std::size_t size = 1; size < 3000; size += 7) {
        auto *piece = static_cast<char *>(arena.allocate(size));
        ASSERT_NE(piece, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece)
                      % alignof(std::max_align_t),
                  0u);
        std::memset(piece, static_cast<char>(size), size);
        pieces.emplace_back(piece, size);
    }
    for (const auto &[piece, size] : pieces) {
        EXPECT_EQ(std::string(piece, size),
                  std::string(size, static_cast<char>(size)));
    }
}

TEST(JsonArena, GivesEverythingBackAtItsEnd)
{
    Memory memory;
    {
        JsonArena arena(1);
        EXPECT_EQ(Memory::blocks(), 0u);
        for (std::size_t size = 16; size < 5000; size += 16) {
            arena.allocate(size);
        }
        EXPECT_GT(Memory::blocks(), 200u);
    }
    EXPECT_EQ(Memory::blocks(), 0u);
}

TEST(JsonArena, TheLastPieceAndLargeOnesAreUsedAgain)
{
    Memory memory;
    JsonArena arena(1);
    void *first = arena.allocate(100);
    arena.release(first);
    EXPECT_EQ(arena.allocate(50), first);

    void *second = arena.allocate(50);
    arena.release(first);  // not the last one: it stays
    EXPECT_NE(arena.allocate(50), first);
    arena.release(second);

    std::vector<void *> large;
    for (std::size_t size = 2000; size < 2003; ++size) {
        large.push_back(arena.allocate(size));
    }
    EXPECT_EQ(Memory::blocks(), 4u);
    for (std::size_t index : {1, 0, 2}) {
        arena.release(large[index]);
    }
    EXPECT_EQ(Memory::blocks(), 1u);
}

TEST(JsonArena, RemembersThatMemoryWasRefused)
{
    Memory memory(2500);
    JsonArena arena(1);
    EXPECT_NE(arena.allocate(1000), nullptr);
    EXPECT_FALSE(arena.has_refused());
    EXPECT_EQ(arena.allocate(3000), nullptr);
    EXPECT_NE(arena.allocate(1000), nullptr);
    EXPECT_TRUE(arena.has_refused());
}

TEST(JsonArena, JanssonGetsBackWhatItHad)
{
    Memory memory;
    for (const char *text : {"[1,2]", "[1,", "{\"a\":[{\"b\":{}}],\"a\":1}"}) {
        auto document = JsonDocument::parse(text);
        EXPECT_TRUE(Memory::is_in_use());
        json_t *foreign = json_pack("{s:[s,f]}", "name", "value", 0.1);
        char *dumped = json_dumps(foreign, JSON_COMPACT);
        document = Problem{"gone"};
        EXPECT_NE(dumped, nullptr);
        json_decref(foreign);
        json_free_t give_back;
        json_get_alloc_funcs(nullptr, &give_back);
        give_back(dumped);
    }
    EXPECT_EQ(Memory::blocks(), 0u);
}

TEST(JsonArena, APaymentTakesOneBlockOrTwo)
{
    JsonDocument vectors = read_vectors("evm-payments.json");
    JsonValue rows = vectors.root()["vectors"];
    ASSERT_GT(rows.size(), 0u);
    for (std::size_t index = 0; index < rows.size(); ++index) {
        std::string text;
        rows.at(index)["decoded"].write(text);
        Memory memory;
        JsonDocument document = parse_json(text);
        EXPECT_LE(Memory::taken(), 2u) << text;
        EXPECT_LT(Memory::bytes(), text.size() * 8 + 2048) << text;
    }
}

// What a stranger can make us keep, for each byte that was sent.
TEST(JsonArena, KeepsLittleMoreThanTheText)
{
    std::string longest = "\"" + std::string(60000, 'a') + "\"";
    Memory memory;
    JsonDocument document = parse_json(longest);
    EXPECT_LT(Memory::bytes(), 60000u + 10000u);

    std::string names = "{";
    for (unsigned index = 0; index < 30; ++index) {
        names +=
            "\"" + std::string(2000, static_cast<char>('A' + index)) + "\":0,";
    }
    names.back() = '}';
    document = parse_json(names);
    EXPECT_LT(Memory::bytes(), 60000u + 12000u);
}

}  // namespace
}  // namespace x402
