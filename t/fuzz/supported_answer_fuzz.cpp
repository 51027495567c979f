// SPDX-License-Identifier: Apache-2.0
// The first line is the field Cache-Control, what follows is the body.
#include "facilitator/supported_answer.hpp"

#include <algorithm>

#include "fuzz_check.hpp"

using namespace x402;

namespace {

void check_kinds(SupportedKinds &kinds)
{
    std::string text = kinds.text();
    auto again = SupportedKinds::parse(text);
    must(again.ok(), "what we write we can read");
    must(again->text() == text, "and it is the same");
    for (const SupportedKind &kind : kinds.kinds()) {
        KindNeed need{kind.version, kind.scheme, kind.network};
        must(kinds.find(kind.version, kind.scheme, kind.network),
             "what is listed is found");
        must(kinds.find_near(need), "and near to itself");
        must(missing_kinds(kinds, {need}).empty(), "and not missing");
    }
    std::vector<KindNeed> needs = {{2, "exact", "eip155:8453"}};
    for (const MissingKind &missing : missing_kinds(kinds, needs)) {
        for (char byte : missing.sentence) {
            must(byte >= ' ' && byte < 0x7f, "a sentence is plain text");
        }
    }
    bool listed = kinds.find(2, "exact", "eip155:8453");
    kinds.keep_only(needs);
    must(listed == (kinds.find(2, "exact", "eip155:8453") != nullptr),
         "what is needed is kept");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view rest = text_of(data, size);
    std::size_t line = std::min(rest.find('\n'), rest.size());
    FacilitatorReply reply;
    reply.transport = Transport::answered;
    reply.status = 200;
    reply.cache_control = std::string(rest.substr(0, line));
    reply.body = std::string(rest.substr(line));
    SupportedAnswer answer = read_supported_answer(reply);
    must(answer.kinds.has_value() == answer.detail.empty(),
         "there are kinds, or there is a reason");
    if (answer.kinds) {
        must(answer.lifetime >= 1 && answer.lifetime <= kMaxSupportedLifetime,
             "a lifetime is from a second to an hour");
        check_kinds(*answer.kinds);
    }
    return 0;
}
