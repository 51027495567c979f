// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: a check that ends the process, which is how
// libFuzzer learns of a finding, and the input as text.
#ifndef X402_FUZZ_CHECK_HPP
#define X402_FUZZ_CHECK_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size);

namespace x402 {

inline void must(bool holds, const char *promise)
{
    if (!holds) {
        std::fprintf(stderr, "broken promise: %s\n", promise);
        std::abort();
    }
}

inline std::string_view text_of(const std::uint8_t *data, std::size_t size)
{
    return {reinterpret_cast<const char *>(data), size};
}

// Takes one byte from the front; 0 when there is none.
inline unsigned take_byte(std::string_view &text)
{
    if (text.empty()) {
        return 0;
    }
    unsigned byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    return byte;
}

}  // namespace x402

#endif
