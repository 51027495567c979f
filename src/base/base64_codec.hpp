// SPDX-License-Identifier: Apache-2.0
// Base64 as in x402 headers (RFC 4648 section 4, standard alphabet), and its
// form for URLs.
#ifndef X402_BASE_BASE64_CODEC_HPP
#define X402_BASE_BASE64_CODEC_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_memory.hpp"

namespace x402 {

// Padded, without line breaks: the only form that all clients can read.
std::string base64_encode(std::string_view bytes);
void append_base64(std::string &out, std::string_view bytes);

// The number of symbols, padding included, of so many bytes.
constexpr std::size_t base64_length(std::size_t bytes)
{
    return (bytes + 2) / 3 * 4;
}
// Writes the symbols. `bytes` may be the end of the memory that is written to:
// no symbol overwrites a byte that was not read before. Returns the end.
char *write_base64(char *out, std::string_view bytes);

// Accepts padded text and text without any padding. Refuses (nullopt) the URL
// alphabet, spaces, commas, missing or surplus '=' and a lone last symbol.
// Non-zero trailing bits are accepted, as the reference implementation does.
std::optional<std::string> base64_decode(std::string_view text);
// The same of a secret, without a copy elsewhere. False: refused.
bool base64_decode(std::string_view text, SecretText &out);

// RFC 4648, section 5, without padding, as in JWS and in HTTP Payment.
std::string base64url_encode(std::string_view bytes);
// Accepts that alphabet only, with padding or without any; otherwise as
// base64_decode().
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace x402

#endif
