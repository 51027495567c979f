// SPDX-License-Identifier: Apache-2.0
#include "base/base64_codec.hpp"

#include <string>

#include "fuzz_check.hpp"

using namespace x402;

namespace {

std::string_view without_padding(std::string_view text)
{
    while (!text.empty() && text.back() == '=') {
        text.remove_suffix(1);
    }
    return text;
}

void check_encoding(std::string_view bytes)
{
    std::string text = base64_encode(bytes);
    must(text.size() == (bytes.size() + 2) / 3 * 4, "the length is known");
    must(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789+/=")
             == std::string::npos,
         "only letters of the alphabet");
    auto decoded = base64_decode(text);
    must(decoded && *decoded == bytes, "decode(encode(x)) == x");
    auto unpadded = base64_decode(without_padding(text));
    must(unpadded && *unpadded == bytes, "padding may be left out");
}

void check_decoding(std::string_view text)
{
    auto bytes = base64_decode(text);
    if (!bytes) {
        return;
    }
    std::string_view symbols = without_padding(text);
    must(bytes->size() == symbols.size() * 6 / 8, "no byte lost or made");
    must(text.size() - symbols.size() <= 2, "two pads at most");
    must(text.size() == symbols.size() || text.size() % 4 == 0,
         "padding fills a group");
    // The last symbol may have bits behind the last byte.
    std::string again = base64_encode(*bytes);
    std::size_t sure = symbols.empty() ? 0 : symbols.size() - 1;
    must(without_padding(again).size() == symbols.size(), "as many symbols");
    must(again.compare(0, sure, symbols.substr(0, sure)) == 0,
         "encode(decode(t)) == t");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    check_encoding(text_of(data, size));
    check_decoding(text_of(data, size));
    return 0;
}
