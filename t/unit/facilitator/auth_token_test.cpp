// SPDX-License-Identifier: Apache-2.0
#include "facilitator/auth_token.hpp"

#include <algorithm>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <gtest/gtest.h>

#include "facilitator/auth_keys.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

std::string decoded(std::string_view part)
{
    std::string text(part);
    for (char &byte : text) {
        byte = byte == '-' ? '+' : byte == '_' ? '/' : byte;
    }
    return base64_decode(text).value_or("not base64url");
}

struct Token {
    std::string header, claims, signature, signed_text;
};

Token taken_apart(const std::string &token)
{
    std::size_t first = token.find('.');
    std::size_t second = token.find('.', first + 1);
    EXPECT_NE(second, std::string::npos) << token;
    EXPECT_EQ(token.find_first_of("+/="), std::string::npos) << token;
    return {decoded(token.substr(0, first)),
            decoded(token.substr(first + 1, second - first - 1)),
            decoded(token.substr(second + 1)), token.substr(0, second)};
}

AuthKey key_of(AuthKind kind, const std::string &secret, const std::string &id)
{
    auto key = read_auth_key(kind, id_and_secret(secret, id));
    EXPECT_TRUE(key) << (key ? "" : key.problem().text);
    return key.value();
}

AuthKey cdp_key(const std::string &secret)
{
    return key_of(AuthKind::cdp, secret, "organizations/x/apiKeys/y");
}

RandomBytes random_of(std::string hex)
{
    hex.erase(std::remove(hex.begin(), hex.end(), '-'), hex.end());
    auto bytes = hex_decode<16>("0x" + hex);
    EXPECT_TRUE(bytes) << hex;
    return bytes.value_or(RandomBytes());
}

// As a JWS has it: r and s, back in DER for OpenSSL.
bool es256_verifies(const Token &token)
{
    const auto *raw =
        reinterpret_cast<const unsigned char *>(token.signature.data());
    ECDSA_SIG *pair = ECDSA_SIG_new();
    ECDSA_SIG_set0(pair, BN_bin2bn(raw, 32, nullptr),
                   BN_bin2bn(raw + 32, 32, nullptr));
    unsigned char *der = nullptr;
    int length = i2d_ECDSA_SIG(pair, &der);
    BIO *bio = BIO_new_mem_buf(kPkcs8Pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
    bool good = EVP_DigestVerify(context, der, static_cast<std::size_t>(length),
                                 reinterpret_cast<const unsigned char *>(
                                     token.signed_text.data()),
                                 token.signed_text.size())
                == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    BIO_free(bio);
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return good;
}

TEST(AuthToken, OfCdpIsThatOfTheOfficialPackage)
{
    JsonDocument vectors = read_vectors("auth-jwt-vectors.json");
    JsonValue rows = vectors.root()["cdp"];
    unsigned compared = 0;
    for (std::size_t i = 0; i < rows.size(); i++) {
        JsonValue row = rows.at(i);
        if (!row["ok"].is_true()) {
            continue;
        }
        SCOPED_TRACE(std::string(row["name"].string()));
        std::string token(row["token"].string());
        bool es256 = row["header"]["alg"].string() == "ES256";
        AuthKey key = cdp_key(es256 ? kPkcs8Pem : cdp_secret());
        auto made = mint_cdp_token(
            key, row["claims"]["uris"].at(0).string(),
            *row["claims"]["iat"].integer(),
            random_of(std::string(row["header"]["nonce"].string())));
        ASSERT_TRUE(made);
        Token ours = taken_apart(*made);
        Token theirs = taken_apart(token);
        EXPECT_EQ(ours.header, theirs.header);
        EXPECT_EQ(ours.claims, theirs.claims);
        EXPECT_EQ(ours.signature.size(), 64u);
        if (es256) {
            EXPECT_TRUE(es256_verifies(theirs));
            EXPECT_TRUE(es256_verifies(ours));
            ours.signed_text += "x";
            EXPECT_FALSE(es256_verifies(ours));
        } else {
            EXPECT_EQ(*made, token);
        }
        compared++;
    }
    EXPECT_EQ(compared, 5u);
}

// Refused by the package: the seed alone as here, SEC1 and written line breaks
// not, since CDP's own downloads hold them.
TEST(AuthToken, KeysThatThePackageRefuses)
{
    JsonDocument vectors = read_vectors("auth-jwt-vectors.json");
    JsonValue rows = vectors.root()["cdp"];
    unsigned seen = 0;
    for (std::size_t i = 0; i < rows.size(); i++) {
        JsonValue row = rows.at(i);
        if (row["ok"].is_true()) {
            continue;
        }
        std::string name(row["name"].string());
        seen++;
        if (name == "ed25519 32-byte seed only") {
            EXPECT_FALSE(read_auth_key(
                AuthKind::cdp, id_and_secret(base64_encode(seed_bytes()))));
            continue;
        }
        bool sec1 = name == "ES256 SEC1 PEM";
        EXPECT_TRUE(sec1 || name == "ES256 PKCS#8 with literal \\n") << name;
        auto made =
            mint_cdp_token(cdp_key(sec1 ? kSec1Pem : written_breaks(kPkcs8Pem)),
                           "POST a/b", 1, RandomBytes());
        ASSERT_TRUE(made);
        EXPECT_TRUE(es256_verifies(taken_apart(*made)));
    }
    EXPECT_EQ(seen, 3u);
}

TEST(AuthToken, OfPayaiIsThatOfTheOfficialPackage)
{
    JsonDocument vectors = read_vectors("auth-jwt-vectors.json");
    JsonValue rows = vectors.root()["payai"];
    ASSERT_EQ(rows.size(), 3u);
    JsonValue row = rows.at(0);
    ASSERT_TRUE(row["ok"].is_true());
    AuthKey key = key_of(AuthKind::payai, "payai_sk_" + payai_secret(), "kid");
    std::string jti(row["claims"]["jti"].string());
    EXPECT_EQ(
        mint_payai_token(key, *row["claims"]["iat"].integer(), random_of(jti)),
        std::string(row["token"].string()));

    EXPECT_EQ(rows.at(1)["name"].string(), "raw seed base64");
    EXPECT_FALSE(read_auth_key(AuthKind::payai,
                               id_and_secret(base64_encode(seed_bytes()))));
    EXPECT_EQ(rows.at(2)["name"].string(), "64-byte base64");
    EXPECT_FALSE(read_auth_key(AuthKind::payai, id_and_secret(cdp_secret())));

    // Whatever the random bytes are, the id is a UUID of version 4.
    RandomBytes ones;
    ones.fill(0xff);
    auto made = mint_payai_token(key, 1, ones);
    ASSERT_TRUE(made);
    JsonDocument claims = parse_json(taken_apart(*made).claims);
    EXPECT_EQ(claims.root()["jti"].string(),
              "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(AuthToken, IsGoodForOneEndpoint)
{
    EXPECT_EQ(token_use("POST",
                        "https://api.cdp.coinbase.com/platform/v2/x402/verify"),
              "POST api.cdp.coinbase.com/platform/v2/x402/verify");
    EXPECT_EQ(token_use("POST", "https://API.example.com:443/Verify/"),
              "POST api.example.com/Verify/");
    EXPECT_EQ(token_use("GET", "http://127.0.0.1:4021/supported"),
              "GET 127.0.0.1:4021/supported");
    EXPECT_EQ(token_use("POST", "http://[::1]:4021/v"), "POST [::1]:4021/v");
}

TEST(AuthToken, EscapesTheId)
{
    AuthKey key = key_of(AuthKind::cdp, cdp_secret(), "a\"\\b");
    auto made = mint_cdp_token(key, "POST a/b", 1, RandomBytes());
    ASSERT_TRUE(made);
    Token token = taken_apart(*made);
    EXPECT_EQ(parse_json(token.header).root()["kid"].string(), "a\"\\b");
    EXPECT_EQ(parse_json(token.claims).root()["sub"].string(), "a\"\\b");
}

// Other bytes each time; none when `dry`.
bool dry = false;
std::uint8_t last_byte = 0;

bool counted(RandomBytes &bytes)
{
    bytes.fill(++last_byte);
    return !dry;
}

TEST(AuthTokens, OfABearerAreTheTokenItself)
{
    auto key = read_auth_key(AuthKind::bearer, "abc\n");
    ASSERT_TRUE(key);
    AuthTokens tokens(key.value());
    EXPECT_EQ(tokens.authorization("POST", "https://a/verify", 1, counted),
              "Bearer abc");
}

TEST(AuthTokens, OfCdpAreKeptForAMinuteAndOneEndpoint)
{
    AuthKey key = cdp_key(cdp_secret());
    AuthTokens tokens(key);
    auto ask = [&](const char *path, std::int64_t now) {
        auto made = tokens.authorization(
            "POST", std::string("https://a") + path, now, counted);
        EXPECT_TRUE(made);
        return made.value_or("");
    };
    std::string verify = ask("/verify", 1000);
    EXPECT_EQ(verify.substr(0, 7), "Bearer ");
    std::string settle = ask("/settle", 1000);
    EXPECT_NE(verify, settle);
    EXPECT_EQ(ask("/verify", 1059), verify);
    EXPECT_EQ(ask("/settle", 1059), settle);
    std::string fresh = ask("/verify", 1060);
    EXPECT_NE(fresh, verify);
    EXPECT_EQ(ask("/verify", 1061), fresh);
    EXPECT_NE(ask("/verify", 1059), fresh) << "the clock was set back";
    // More endpoints than places: still right.
    for (const char *path : {"/a", "/b", "/c", "/d", "/e", "/f", "/verify"}) {
        Token token = taken_apart(ask(path, 2000).substr(7));
        EXPECT_EQ(parse_json(token.claims).root()["uris"].at(0).string(),
                  std::string("POST a") + path);
    }
}

TEST(AuthTokens, OfPayaiAreKeptForAllEndpointsUntilShortlyBeforeTheirEnd)
{
    AuthKey key = key_of(AuthKind::payai, payai_secret(), "kid");
    AuthTokens tokens(key);
    auto first = tokens.authorization("POST", "https://a/verify", 10, counted);
    ASSERT_TRUE(first);
    EXPECT_EQ(tokens.authorization("POST", "https://a/settle", 99, counted),
              first);
    auto second = tokens.authorization("POST", "https://a/v", 100, counted);
    ASSERT_TRUE(second);
    EXPECT_NE(second, first);
}

TEST(AuthTokens, AreNotMadeWithoutRandomBytes)
{
    AuthKey key = cdp_key(cdp_secret());
    AuthTokens tokens(key);
    dry = true;
    EXPECT_FALSE(tokens.authorization("POST", "https://a/v", 1, counted));
    dry = false;
    EXPECT_TRUE(tokens.authorization("POST", "https://a/v", 1, counted));
}

}  // namespace
}  // namespace x402
