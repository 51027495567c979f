// SPDX-License-Identifier: Apache-2.0
// Reads the replies of a Redis server (RESP2), one at a time, from the bytes of
// a connection that are still to be read.
//
// Strict: a reply that two readers could understand in two ways (a bare CR or
// LF, "+1" or "01" as a number, another type) is broken, and the connection is
// of no use any more. Nothing is allocated and nothing is remembered: what is
// incomplete is read again when there are more bytes, which is cheap because
// strings are skipped by their length.
#ifndef X402_STORE_RESP_READER_HPP
#define X402_STORE_RESP_READER_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace x402 {

enum class RespType : std::uint8_t {
    text,     // a simple string: "OK"
    error,    // "-WORD sentence"
    integer,  // 64 bits
    bytes,    // a bulk string
    nothing,  // a null: neither bytes nor a list
    list,
};

struct RespItem {
    RespType type = RespType::nothing;
    // Of text, error and bytes. Lifetime: a view of what was read.
    std::string_view text;
    std::int64_t integer = 0;  // of an integer
    std::uint32_t count = 0;   // of a list: its own members
    // Number of the item behind this one and all that is in it.
    std::uint32_t behind = 0;
};

// One reply: its items in the order of the wire, a list before its members.
class RespReply {
public:
    static constexpr std::size_t kMaxItems = 256;
    static constexpr std::size_t kMaxDepth = 4;
    static constexpr std::size_t kMaxBytes = 256 * 1024;
    static constexpr std::size_t kMaxLineBytes = 4096;

    enum class State {
        incomplete,  // more bytes are needed
        complete,
        broken,  // problem() says why; nothing else of it may be used
    };

    // Reads the reply that `bytes` begin with. Bytes behind it are left alone:
    // used() says how many it has. Lifetime: the items are views of `bytes`.
    State read(std::string_view bytes);

    // Bytes of the reply; 0 if it is not complete.
    std::size_t used() const { return used_; }
    // Why it is broken, for the log; nullptr: it is not.
    const char *problem() const { return problem_; }

    // The reply itself. Precondition: it is complete.
    const RespItem &root() const { return items_[0]; }
    // Member `number` of a list; a null item if there is none, or if `list`
    // has another type, so that an answer of another form is seen as one.
    const RespItem &member(const RespItem &list, std::size_t number) const;
    const RespItem &member(std::size_t number) const
    {
        return member(root(), number);
    }
    bool is_error() const { return root().type == RespType::error; }
    // The first word of an error, e.g. "NOSCRIPT"; empty: it is none.
    std::string_view error_word() const;

private:
    struct Cursor {
        std::string_view bytes;
        std::size_t at = 0;
    };

    State fail(const char *problem);
    State read_item(Cursor &cursor, std::size_t depth);
    State read_line(Cursor &cursor, std::string_view &line);
    State read_bytes(Cursor &cursor, std::string_view length, RespItem &item);
    State read_list(Cursor &cursor, std::string_view count, std::size_t number,
                    std::size_t depth);

    std::array<RespItem, kMaxItems> items_;
    std::size_t items_count_ = 0;
    std::size_t used_ = 0;
    const char *problem_ = nullptr;
};

// A decimal number as RESP writes it: no plus, no zero in front, no space.
bool read_resp_integer(std::string_view text, std::int64_t &number);

}  // namespace x402

#endif
