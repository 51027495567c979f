// SPDX-License-Identifier: Apache-2.0
#include "session/access_pass.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
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

// Passes that were found good lately. A client shows its pass with each
// request, and to compare it with the one that had its place costs less than to
// decode it, and much less than the HMAC.
class PassMemo {
public:
    // nullptr: not under one of these keys. Money: when it ends is not looked
    // at, nor what it opens.
    const AccessPass *find(std::string_view text, const PassKeys &keys) const
    {
        if (text.size() <= kIdText + sizeof(std::uint64_t) + kSealText) {
            return nullptr;
        }
        const Place &place = places_[place_of(text)];
        bool known =
            place.key != 0 && is_same(place, text)
            && std::any_of(keys.begin(), keys.end(), [&](const auto &key) {
                   return keys_[place.key - 1].view() == key->view();
               });
        return known ? &place.pass : nullptr;
    }

    // Precondition: it is sealed by this key.
    const AccessPass *keep(std::string_view text, std::string_view key,
                           AccessPass &&pass)
    {
        std::size_t number = number_of(key);
        Place &place = places_[place_of(text)];
        place.key = 0;  // until all of it is written
        place.front = text.substr(0, text.size() - kSealText);
        std::copy_n(text.end() - kSealText, sizeof(Digest),
                    place.middle.begin());
        std::copy_n(text.end() - sizeof(Digest), sizeof(Digest),
                    place.end.begin());
        place.pass = std::move(pass);
        place.key = number;
        return &place.pass;
    }

private:
    static constexpr std::size_t kPlaces = 256;
    static constexpr std::size_t kMostKeys = 32;
    // Where characters of the id alone are.
    static constexpr std::size_t kIdText = 24;
    // That the seal is in.
    static constexpr std::size_t kSealText = 48;

    struct Place {
        std::size_t key = 0;  // its number; 0: the place is free
        std::string front;    // of the text
        // The seal is in these characters, in two pieces that overlap.
        Digest middle{};
        Digest end{};
        AccessPass pass;
    };

    // An id is a digest.
    static std::size_t place_of(std::string_view text)
    {
        std::uint64_t hash;
        std::memcpy(&hash, text.data() + kIdText, sizeof(hash));
        hash *= 0x9e3779b97f4a7c15ULL;
        return hash >> 56;
    }

    // Money: of the seal, no time tells how much of a guess is right.
    static bool is_same(const Place &place, std::string_view text)
    {
        std::size_t front = text.size() - kSealText;
        return place.front == text.substr(0, front)
               && equal_secrets(place.middle,
                                text.substr(front, sizeof(Digest)))
               && equal_secrets(place.end,
                                text.substr(text.size() - sizeof(Digest)));
    }

    // Keys are known by all of their bytes: that of another configuration may
    // lie where one of this lay.
    std::size_t number_of(std::string_view key)
    {
        for (std::size_t i = 0; i < keys_.size(); i++) {
            if (keys_[i].view() == key) {
                return i + 1;
            }
        }
        if (keys_.size() == kMostKeys) {
            places_.assign(kPlaces, Place());
            keys_.clear();
        }
        keys_.emplace_back(key);
        return keys_.size();
    }

    std::vector<Place> places_ = std::vector<Place>(kPlaces);
    std::vector<SecretText> keys_;
};

PassMemo &pass_memo()
{
    // Made when a client shows the first pass.
    static thread_local auto memo = std::make_unique<PassMemo>();
    return *memo;
}

// nullptr: none of them has.
const SecretText *sealed_by(std::string_view body, std::string_view seal,
                            const PassKeys &keys)
{
    for (const auto &key : keys) {
        if (equal_secrets(seal_of(body, key->view()), seal)) {
            return key.get();
        }
    }
    return nullptr;
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

const RefusalWord *pass_refusal(PassFault fault)
{
    switch (fault) {
    case PassFault::none:
        return nullptr;
    case PassFault::malformed:
        return &kPassMalformed;
    case PassFault::forged:
        return &kPassInvalid;
    case PassFault::not_yet:
        return &kPassNotYetValid;
    case PassFault::expired:
        return &kPassExpired;
    case PassFault::other_scope:
        return &kPassForAnotherPlace;
    case PassFault::other_price:
        return &kPassForAnotherPrice;
    case PassFault::unknown:
        return &kPassNotKnown;
    case PassFault::used_up:
        return &kPassUsedUp;
    }
    return &kPassInvalid;
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

namespace {

// Of a text that is not remembered. `pass`: for PassFault::none.
PassFault read_unknown(std::string_view text, const PassKeys &keys,
                       const AccessPass *&pass)
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
    const SecretText *key = sealed_by(body, seal, keys);
    if (key == nullptr) {
        return PassFault::forged;
    }
    AccessPass read;
    if (!parse_body(body, read)) {
        return PassFault::malformed;
    }
    pass = pass_memo().keep(text, key->view(), std::move(read));
    return PassFault::none;
}

}  // namespace

ShownPass read_pass(std::string_view text, const PassKeys &keys,
                    std::int64_t now)
{
    ShownPass shown;
    const AccessPass *pass = pass_memo().find(text, keys);
    if (pass == nullptr) {
        shown.fault = read_unknown(text, keys, pass);
    }
    if (pass == nullptr) {
        return shown;
    }
    if (pass->issued > now + kPassClockSeconds) {
        shown.fault = PassFault::not_yet;
    } else if (pass->expires() <= now) {
        shown.fault = PassFault::expired;
    } else {
        shown.pass = pass;
    }
    return shown;
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
