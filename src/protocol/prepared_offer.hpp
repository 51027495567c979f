// SPDX-License-Identifier: Apache-2.0
// An offer header that is the same for every request except for the URL in it,
// encoded when the configuration is read. base64 turns three bytes into four
// symbols. The text before the URL is encoded up to its last whole group of
// three; the text after it in up to three ways, one for each position at which
// its first group can begin, each when it is first needed: most locations need
// one, and many of a large configuration none.
#ifndef X402_PROTOCOL_PREPARED_OFFER_HPP
#define X402_PROTOCOL_PREPARED_OFFER_HPP

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace x402 {

class PreparedOffer {
public:
    // The JSON of the offer before and after its URL, including the URL's
    // quotes; `after` has at least two bytes.
    PreparedOffer(std::string_view before, std::string_view after);

    // Length of the whole in base64; `url` as from inside_json_string().
    std::size_t length(std::string_view url) const;
    // Writes the whole.
    void write(char *out, std::string_view url) const;

private:
    // Encoded for each request: the URL and the bytes that complete its groups.
    struct Middle {
        std::size_t bytes;
        std::size_t taken;  // bytes taken from the text after the URL
    };
    Middle middle(std::string_view url) const;
    const std::string &encoded_after(std::size_t taken) const;

    std::string before_;  // base64
    std::string open_;    // bytes of the group before the URL
    std::string after_;   // the text after it
    // base64 from each of its first bytes; empty: not needed yet.
    mutable std::array<std::string, 3> encoded_after_;
};

}  // namespace x402

#endif
