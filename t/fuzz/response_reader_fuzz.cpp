// SPDX-License-Identifier: Apache-2.0
// The first byte chooses how the rest travels; the second copy comes byte by
// byte. Both have to be read the same, within the limits.
#include "facilitator/response_reader.hpp"

#include "facilitator/facilitator_port.hpp"
#include "fuzz_check.hpp"

using namespace x402;

namespace {

using State = ResponseReader::State;

void check_alone(ResponseReader &reader)
{
    must(reader.body().size() <= kMaxReplyBytes, "a body fits");
    must(reader.location().size() <= ResponseReader::kMaxHeadBytes,
         "a location is part of a head");
    must((reader.state() == State::failed) == (reader.problem() != nullptr),
         "who fails says why");
    if (reader.state() == State::complete) {
        must(reader.started(), "nothing is no answer");
        must(reader.status() >= 200 && reader.status() < 600,
             "an interim answer is none");
    } else {
        must(!reader.reusable(), "only whole answers leave a connection");
    }
}

void check_same(ResponseReader &one, ResponseReader &other)
{
    must(one.state() == other.state(), "pieces do not matter");
    if (one.state() == State::failed) {
        must(std::string_view(one.problem()) == other.problem(),
             "pieces do not matter to the reason");
    } else if (one.state() == State::complete) {
        must(one.status() == other.status() && one.body() == other.body()
                 && one.location() == other.location()
                 && one.reusable() == other.reusable(),
             "pieces do not matter to the answer");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view rest = text_of(data, size);
    unsigned choice = take_byte(rest);
    std::size_t piece = choice / 2 + 2;
    ResponseReader cut;
    ResponseReader bytes;
    for (std::size_t at = 0; at < rest.size(); at += piece) {
        cut.feed(rest.substr(at, piece));
    }
    for (std::size_t at = 0; at < rest.size(); at++) {
        bytes.feed(rest.substr(at, 1));
    }
    if (choice % 2) {
        cut.end();
        bytes.end();
    }
    check_alone(cut);
    check_alone(bytes);
    check_same(cut, bytes);

    // An answer that was whole stays so when its last byte is taken away and
    // comes again.
    if (bytes.reusable() && choice % 2 == 0) {
        ResponseReader shorter;
        shorter.feed(rest.substr(0, rest.size() - 1));
        must(shorter.state() == State::reading, "no answer ends too early");
        shorter.feed(rest.substr(rest.size() - 1));
        check_same(bytes, shorter);
    }
    return 0;
}
