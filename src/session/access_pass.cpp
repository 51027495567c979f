// SPDX-License-Identifier: Apache-2.0
#include "session/access_pass.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/base64_codec.hpp"
#include "base/token_signature.hpp"

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

// Seals that were found good lately. A client shows its pass with each request,
// and to compare it with the one that had its place costs less than the HMAC.
class SealMemo {
public:
    bool is_sealed(std::string_view body, std::string_view seal,
                   std::string_view key)
    {
        std::size_t number = number_of(key);
        std::size_t hash = std::hash<std::string_view>()(body) + number;
        Place &place = places_[hash % places_.size()];
        if (place.key == number && place.body == body) {
            return equal_secrets(place.seal, seal);
        }
        Digest good = seal_of(body, key);
        if (!equal_secrets(good, seal)) {
            return false;
        }
        place.key = 0;  // until all of it is written
        place.body = body;
        place.seal = good;
        place.key = number;
        return true;
    }

private:
    static constexpr std::size_t kPlaces = 256;
    static constexpr std::size_t kMostKeys = 32;

    struct Place {
        std::size_t key = 0;  // its number; 0: the place is free
        std::string body;
        Digest seal{};
    };

    // Keys are known by all of their bytes: that of another configuration may
    // lie where one of this lay.
    std::size_t number_of(std::string_view key)
    {
        for (std::size_t i = 0; i < keys_.size(); i++) {
            if (keys_[i]->text == key) {
                return i + 1;
            }
        }
        if (keys_.size() == kMostKeys) {
            places_.assign(kPlaces, Place());
            keys_.clear();
        }
        keys_.push_back(std::make_unique<SecretText>(std::string(key)));
        return keys_.size();
    }

    std::vector<Place> places_ = std::vector<Place>(kPlaces);
    std::vector<std::unique_ptr<SecretText>> keys_;
};

bool is_sealed(std::string_view body, std::string_view seal,
               const std::vector<std::string_view> &keys)
{
    // Made when a client shows the first pass.
    static thread_local auto memo = std::make_unique<SealMemo>();
    return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
        return memo->is_sealed(body, seal, key);
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
