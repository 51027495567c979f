// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the size of the pieces. Replies that arrive in pieces
// are read like the whole stream, and no reply reaches beyond its end.
#include "store/resp_reader.hpp"

#include "fuzz_check.hpp"

using namespace x402;

namespace {

using State = RespReply::State;

struct Told {
    std::size_t replies = 0;
    std::size_t used = 0;
    bool broken = false;
};

void check_item(const RespReply &reply, const RespItem &item,
                std::string_view bytes, std::size_t depth)
{
    must(depth <= RespReply::kMaxDepth, "lists end");
    if (!item.text.empty()) {
        must(item.text.data() >= bytes.data()
                 && item.text.data() + item.text.size()
                        <= bytes.data() + reply.used(),
             "a text is part of its reply");
    }
    if (item.type == RespType::text || item.type == RespType::error) {
        must(item.text.find_first_of("\r\n") == std::string_view::npos,
             "a line has no end in it");
    }
    for (std::size_t i = 0; i < item.count; i++) {
        check_item(reply, reply.member(item, i), bytes, depth + 1);
    }
    must(reply.member(item, item.count).type == RespType::nothing,
         "there is nothing behind the last member");
}

// All replies of what has arrived; more may come.
void read_all(std::string_view arrived, Told &told)
{
    RespReply reply;
    while (!told.broken && told.used < arrived.size()) {
        std::string_view rest = arrived.substr(told.used);
        State state = reply.read(rest);
        must((state == State::broken) == (reply.problem() != nullptr),
             "what is broken says why");
        if (state == State::incomplete) {
            return;
        }
        told.broken = state == State::broken;
        if (state == State::complete) {
            must(reply.used() > 0 && reply.used() <= rest.size(),
                 "a reply has bytes");
            check_item(reply, reply.root(), rest, 0);
            told.used += reply.used();
            told.replies++;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view text = text_of(data, size);
    std::size_t piece = take_byte(text) + std::size_t{1};
    Told whole;
    Told pieces;
    read_all(text, whole);
    for (std::size_t end = 0; end < text.size();) {
        end = text.size() - end < piece ? text.size() : end + piece;
        read_all(text.substr(0, end), pieces);
    }
    must(whole.replies == pieces.replies && whole.used == pieces.used
             && whole.broken == pieces.broken,
         "pieces do not matter");
    return 0;
}
