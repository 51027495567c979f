// SPDX-License-Identifier: Apache-2.0
#include "session/access_pass.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/base64_codec.hpp"

namespace x402 {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kCounted = 1;
// Under the same key other texts may be signed: this word sets passes apart.
constexpr std::string_view kPurpose = "x402 pass\n";
constexpr std::size_t kFixedBytes = 1 + 1 + 8 + 4 + 16 + 3 * 32 + 1;
constexpr std::size_t kMostBytes =
    kFixedBytes + kLongestPassPayer + sizeof(Digest);

void put_number(std::string &out, std::uint64_t number, std::size_t bytes)
{
    for (std::size_t i = bytes; i-- > 0;) {
        out += static_cast<char>(number >> (8 * i) & 0xff);
    }
}

template <std::size_t N>
void put_bytes(std::string &out, const std::array<std::uint8_t, N> &bytes)
{
    out.append(reinterpret_cast<const char *>(bytes.data()), N);
}

// Takes from the front. Precondition: there are so many.
std::uint64_t take_number(std::string_view &in, std::size_t bytes)
{
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes; i++) {
        number = number << 8 | static_cast<std::uint8_t>(in[i]);
    }
    in.remove_prefix(bytes);
    return number;
}

template <std::size_t N>
void take_bytes(std::string_view &in, std::array<std::uint8_t, N> &out)
{
    std::copy_n(in.begin(), N, out.begin());
    in.remove_prefix(N);
}

Digest seal_of(std::string_view body, std::string_view key)
{
    std::string text(kPurpose);
    text += body;
    return hmac_sha256(key, text);
}

bool is_sealed(std::string_view body, std::string_view seal,
               const std::vector<std::string_view> &keys)
{
    return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
        return equal_secrets(seal_of(body, key), seal);
    });
}

// False: another length or version. Precondition: kFixedBytes at least.
bool parse_body(std::string_view body, AccessPass &out)
{
    if (take_number(body, 1) != kVersion) {
        return false;
    }
    std::uint64_t flags = take_number(body, 1);
    out.counted = (flags & kCounted) != 0;
    out.issued = static_cast<std::int64_t>(take_number(body, 8));
    out.seconds = static_cast<std::uint32_t>(take_number(body, 4));
    take_bytes(body, out.id);
    take_bytes(body, out.bought.resource);
    take_bytes(body, out.bought.terms);
    take_bytes(body, out.bought.asked);
    std::uint64_t length = take_number(body, 1);
    out.payer = body;
    return length == body.size() && flags <= kCounted;
}

}  // namespace

const char *pass_fault_word(PassFault fault)
{
    switch (fault) {
    case PassFault::none:
        return "";
    case PassFault::malformed:
        return "pass_malformed";
    case PassFault::forged:
        return "pass_invalid";
    case PassFault::not_yet:
        return "pass_not_yet_valid";
    case PassFault::expired:
        return "pass_expired";
    case PassFault::other_scope:
        return "pass_for_another_place";
    case PassFault::other_price:
        return "pass_for_another_price";
    case PassFault::unknown:
        return "pass_not_known";
    case PassFault::used_up:
        return "pass_used_up";
    }
    return "pass_invalid";
}

std::string write_pass(const AccessPass &pass, std::string_view key)
{
    std::string_view payer = pass.payer;
    if (payer.size() > kLongestPassPayer) {
        payer = {};
    }
    std::string body;
    body.reserve(kMostBytes);
    put_number(body, kVersion, 1);
    put_number(body, pass.counted ? kCounted : 0, 1);
    put_number(body, static_cast<std::uint64_t>(pass.issued), 8);
    put_number(body, pass.seconds, 4);
    put_bytes(body, pass.id);
    put_bytes(body, pass.bought.resource);
    put_bytes(body, pass.bought.terms);
    put_bytes(body, pass.bought.asked);
    put_number(body, payer.size(), 1);
    body += payer;
    put_bytes(body, seal_of(body, key));
    return base64_encode(body);
}

PassFault read_pass(std::string_view text,
                    const std::vector<std::string_view> &keys, std::int64_t now,
                    AccessPass &out)
{
    if (text.size() > base64_length(kMostBytes)) {
        return PassFault::malformed;
    }
    std::optional<std::string> bytes = base64_decode(text);
    if (!bytes || bytes->size() < kFixedBytes + sizeof(Digest)) {
        return PassFault::malformed;
    }
    std::string_view body = *bytes;
    std::string_view seal = body.substr(body.size() - sizeof(Digest));
    body.remove_suffix(sizeof(Digest));
    // Money: nothing of it is believed before this.
    if (!is_sealed(body, seal, keys)) {
        return PassFault::forged;
    }
    AccessPass pass;
    if (!parse_body(body, pass)) {
        return PassFault::malformed;
    }
    if (pass.issued > now + kPassClockSeconds) {
        return PassFault::not_yet;
    }
    if (pass.expires() <= now) {
        return PassFault::expired;
    }
    out = std::move(pass);
    return PassFault::none;
}

PassId pass_id_of(const Digest &payment)
{
    std::string text(kPurpose);
    put_bytes(text, payment);
    Digest digest = sha256(text);
    PassId id;
    std::copy_n(digest.begin(), id.size(), id.begin());
    return id;
}

}  // namespace x402
