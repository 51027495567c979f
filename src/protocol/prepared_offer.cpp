// SPDX-License-Identifier: Apache-2.0
#include "protocol/prepared_offer.hpp"

#include "base/base64_codec.hpp"

namespace x402 {

namespace {

char *put(char *out, std::string_view text)
{
    return out + text.copy(out, text.size());
}

}  // namespace

PreparedOffer::PreparedOffer(std::string_view before, std::string_view after)
    : open_(before.substr(before.size() / 3 * 3)), after_(after)
{
    append_base64(before_, before.substr(0, before.size() / 3 * 3));
}

const std::string &PreparedOffer::encoded_after(std::size_t taken) const
{
    std::string &encoded = encoded_after_[taken];
    if (encoded.empty()) {
        append_base64(encoded, std::string_view(after_).substr(taken));
    }
    return encoded;
}

PreparedOffer::Middle PreparedOffer::middle(std::string_view url) const
{
    std::size_t bytes = open_.size() + url.size();
    std::size_t taken = (3 - bytes % 3) % 3;
    return {bytes + taken, taken};
}

std::size_t PreparedOffer::length(std::string_view url) const
{
    Middle part = middle(url);
    return before_.size() + base64_length(part.bytes)
           + encoded_after(part.taken).size();
}

void PreparedOffer::write(char *out, std::string_view url) const
{
    Middle part = middle(url);
    out = put(out, before_);
    // The bytes are at the position of the last of their symbols.
    char *bytes = out + base64_length(part.bytes) - part.bytes;
    char *end = put(put(bytes, open_), url);
    put(end, std::string_view(after_).substr(0, part.taken));
    out = write_base64(out, {bytes, part.bytes});
    put(out, encoded_after(part.taken));
}

}  // namespace x402
