// SPDX-License-Identifier: Apache-2.0
#include "facilitator/auth_token.hpp"

#include "base/hex_codec.hpp"
#include "base/json_text.hpp"
#include "base/web_signature.hpp"
#include "facilitator/facilitator_url.hpp"

namespace x402 {

namespace {

constexpr std::int64_t kLifetime = 120;  // s, as the official clients
// How long a token is used: of CDP half of its life, of PayAI until 30 s
// before its end.
constexpr std::int64_t kCdpUse = 60;
constexpr std::int64_t kPayaiUse = 90;

std::string hex(const RandomBytes &bytes)
{
    return hex_encode(bytes.data(), bytes.size());
}

// RFC 9562, 5.4: version and variant are not random.
std::string uuid_v4(RandomBytes bytes)
{
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string out = hex(bytes);
    for (std::size_t at : {20u, 16u, 12u, 8u}) {
        out.insert(at, "-");
    }
    return out;
}

void add_number(std::string &object, std::string_view key, std::int64_t number)
{
    append_json_key(object, key);
    object += std::to_string(number);
}

}  // namespace

std::string token_use(std::string_view method, const std::string &url)
{
    auto parsed = parse_facilitator_url(url);
    FacilitatorUrl host = parsed.value();
    host.path.clear();
    std::string authority = host.base();
    authority.erase(0, authority.find("://") + 3);
    // As written: a slash at the end is part of the endpoint.
    std::size_t path = url.find('/', url.find("://") + 3);
    return std::string(method) + " " + authority
           + (path == std::string::npos ? "" : url.substr(path));
}

std::optional<std::string> mint_cdp_token(const AuthKey &key,
                                          std::string_view use,
                                          std::int64_t now,
                                          const RandomBytes &nonce)
{
    bool es256 = key.key->kind() == SignatureKind::es256;
    std::string header = "{";
    append_json_member(header, "alg", es256 ? "ES256" : "EdDSA");
    append_json_member(header, "kid", key.id);
    append_json_member(header, "typ", "JWT");
    append_json_member(header, "nonce", hex(nonce));

    std::string claims = "{";
    append_json_member(claims, "sub", key.id);
    append_json_member(claims, "iss", "cdp");
    append_json_key(claims, "uris");
    claims += "[";
    append_json_string(claims, use);
    claims += "]";
    add_number(claims, "iat", now);
    add_number(claims, "nbf", now);
    add_number(claims, "exp", now + kLifetime);
    return compact_jws(*key.key, header + "}", claims + "}");
}

std::optional<std::string>
mint_payai_token(const AuthKey &key, std::int64_t now, const RandomBytes &id)
{
    std::string header = "{";
    append_json_member(header, "alg", "EdDSA");
    append_json_member(header, "typ", "JWT");
    append_json_member(header, "kid", key.id);

    std::string claims = "{";
    append_json_member(claims, "sub", key.id);
    append_json_member(claims, "iss", "payai-merchant");
    add_number(claims, "iat", now);
    add_number(claims, "exp", now + kLifetime);
    append_json_member(claims, "jti", uuid_v4(id));
    return compact_jws(*key.key, header + "}", claims + "}");
}

std::optional<std::string> AuthTokens::authorization(std::string_view method,
                                                     const std::string &url,
                                                     std::int64_t now,
                                                     RandomSource random)
{
    if (key_.kind == AuthKind::bearer) {
        constexpr std::string_view kScheme = "Bearer ";
        std::string out;
        out.reserve(kScheme.size() + key_.token->size());
        out += kScheme;
        out += key_.token->view();
        return out;
    }
    bool cdp = key_.kind == AuthKind::cdp;
    auto made = token(cdp ? token_use(method, url) : "all", now, random);
    if (!made) {
        return std::nullopt;
    }
    return "Bearer " + *made;
}

std::optional<std::string>
AuthTokens::token(const std::string &use, std::int64_t now, RandomSource random)
{
    bool cdp = key_.kind == AuthKind::cdp;
    std::int64_t longest = cdp ? kCdpUse : kPayaiUse;
    Kept *place = nullptr;
    for (Kept &kept : kept_) {
        if (kept.use != use) {
            continue;
        }
        // If the clock was set back, the token is from the future.
        if (now >= kept.made && now - kept.made < longest) {
            return kept.token;
        }
        place = &kept;
    }
    RandomBytes bytes;
    if (!random(bytes)) {
        return std::nullopt;
    }
    auto made = cdp ? mint_cdp_token(key_, use, now, bytes)
                    : mint_payai_token(key_, now, bytes);
    if (!made) {
        return std::nullopt;
    }
    if (place == nullptr) {
        place = &kept_[next_];
        next_ = (next_ + 1) % kept_.size();
    }
    *place = Kept{use, *made, now};
    return made;
}

}  // namespace x402
