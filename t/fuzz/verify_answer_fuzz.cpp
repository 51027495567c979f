// SPDX-License-Identifier: Apache-2.0
// The first byte chooses status and transport, the rest is the body.
#include "base/text_excerpt.hpp"
#include "facilitator/verify_answer.hpp"

#include "fuzz_check.hpp"
#include "jansson_view.hpp"

using namespace x402;

namespace {

constexpr int kStatuses[] = {200, 201, 204, 302, 307, 400, 401, 402,
                             403, 404, 412, 429, 500, 502, 503, 100};

void check_excerpt(const std::string &text)
{
    for (std::size_t limit : {std::size_t{0}, std::size_t{7}, text.size()}) {
        std::string excerpt = log_excerpt(text, limit);
        must(excerpt.size() <= limit + 3, "an excerpt is short");
        for (char byte : excerpt) {
            must(byte >= ' ' && byte < 0x7f && byte != '"',
                 "an excerpt is one line of plain text");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view rest = text_of(data, size);
    unsigned choice = take_byte(rest);
    FacilitatorReply reply;
    reply.transport = choice >= 240 ? static_cast<Transport>(choice % 5)
                                    : Transport::answered;
    reply.status = kStatuses[choice % 16];
    reply.body = std::string(rest);
    VerifyAnswer answer = read_verify_answer(reply);

    bool success = reply.status >= 200 && reply.status < 300;
    bool client = reply.status >= 400 && reply.status < 500;
    Jansson body = read_by_jansson(reply.body);
    json_t *word = json_object_get(body.get(), "isValid");
    if (answer.verdict == VerifyVerdict::valid) {
        must(reply.transport == Transport::answered && success,
             "valid is an answer of 2xx");
        must(json_is_true(word), "valid is the JSON word true");
        must(answer.payer == member_text(body, "payer"), "the payer is its");
    } else {
        must(answer.payer.empty(), "who is not valid is not named");
    }
    if (answer.verdict == VerifyVerdict::invalid) {
        must(reply.transport == Transport::answered && (success || client),
             "invalid is an answer of 2xx or 4xx");
        must(json_is_false(word), "invalid is the JSON word false");
        must(answer.reason.size() <= 256, "a reason fits a header");
    } else {
        must(answer.reason.empty(), "only invalid has a reason");
    }
    if (answer.verdict == VerifyVerdict::rate_limited) {
        must(reply.status == 429, "429 and nothing else means slow down");
    }
    if (answer.verdict == VerifyVerdict::timed_out) {
        must(reply.transport != Transport::answered, "no answer came");
    }
    check_excerpt(reply.body);
    return 0;
}
