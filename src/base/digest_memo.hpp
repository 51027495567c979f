// SPDX-License-Identifier: Apache-2.0
// SHA-256 of texts that come again and again: the resource that is bought, the
// payer, the address of the client. To compare such a text with the one that
// had its place costs a twentieth of a digest.
#ifndef X402_BASE_DIGEST_MEMO_HPP
#define X402_BASE_DIGEST_MEMO_HPP

#include <array>
#include <cstddef>
#include <string_view>

#include "base/sha256_digest.hpp"

namespace x402 {

class DigestMemo {
public:
    static constexpr std::size_t kPlaces = 256;
    // Longer texts are not remembered.
    static constexpr std::size_t kLongest = 152;

    // sha256(text), always: a text is known by all of its bytes. Throws as that
    // does.
    Digest digest(std::string_view text);

private:
    struct Place {
        std::size_t size = 0;
        std::array<char, kLongest> text;
        Digest digest;
    };
    // The latest of the texts that share a place.
    std::array<Place, kPlaces> places_{};
};

// By one memo for each thread. Not for secrets: it keeps its texts.
Digest remembered_sha256(std::string_view text);

}  // namespace x402

#endif
