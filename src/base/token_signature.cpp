// SPDX-License-Identifier: Apache-2.0
#include "base/token_signature.hpp"

#include <new>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "base/private_pem.hpp"

namespace x402 {

namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kHalfBytes = 32;  // r or s on P-256
constexpr std::size_t kSignatureBytes = 64;

// The error queue belongs to the whole thread; other users of OpenSSL would
// mistake these errors for their own.
class ErrorsForgotten {
public:
    ErrorsForgotten() = default;
    ~ErrorsForgotten() { ERR_clear_error(); }
    ErrorsForgotten(const ErrorsForgotten &) = delete;
    ErrorsForgotten &operator=(const ErrorsForgotten &) = delete;
};

struct Release {
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    void operator()(BIO *bio) const { BIO_free(bio); }
    void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
    void operator()(EC_GROUP *group) const { EC_GROUP_free(group); }
    void operator()(EC_POINT *point) const { EC_POINT_free(point); }
    void operator()(BIGNUM *number) const { BN_clear_free(number); }
    void operator()(EVP_PKEY_CTX *context) const { EVP_PKEY_CTX_free(context); }
    void operator()(ECDSA_SIG *signature) const { ECDSA_SIG_free(signature); }
};

template <class T> using Owned = std::unique_ptr<T, Release>;

// Without it OpenSSL asks for a passphrase at the terminal.
int no_password(char *, int, int, void *)
{
    return -1;
}

bool is_on_p256(EVP_PKEY *key)
{
    char group[64] = "";
    std::size_t length = 0;
    return EVP_PKEY_base_id(key) == EVP_PKEY_EC
           && EVP_PKEY_get_group_name(key, group, sizeof(group), &length) == 1
           && std::string_view(group, length) == "prime256v1";
}

constexpr char kNoPrivateKey[] =
    "the PEM block contains no readable, unencrypted private key";
constexpr char kOtherKind[] =
    "the PEM block contains another kind of key than Ed25519 or EC P-256";

using OwnedKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY *)>;

// nullptr: it cannot be read.
OwnedKey read_public(std::string_view pem)
{
    Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) {
        throw std::bad_alloc();
    }
    return OwnedKey(
        PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr),
        EVP_PKEY_free);
}

std::string coordinate(EVP_PKEY *key, const char *name)
{
    BIGNUM *number = nullptr;
    std::string out(kHalfBytes, '\0');
    int half = static_cast<int>(kHalfBytes);
    bool read = EVP_PKEY_get_bn_param(key, name, &number) == 1
                && BN_bn2binpad(
                       number, reinterpret_cast<unsigned char *>(&out[0]), half)
                       == half;
    BN_free(number);
    if (!read) {
        throw std::bad_alloc();
    }
    return out;
}

std::string raw_public_bytes(EVP_PKEY *key)
{
    std::string out(kSeedBytes, '\0');
    std::size_t length = out.size();
    bool read = EVP_PKEY_get_raw_public_key(
                    key, reinterpret_cast<unsigned char *>(&out[0]), &length)
                == 1;
    return read ? out : std::string();
}

// Precondition: one of the two kinds.
PublicKey public_part(EVP_PKEY *key, SignatureKind kind)
{
    PublicKey out;
    out.kind = kind;
    if (kind == SignatureKind::es256) {
        out.x = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X);
        out.y = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y);
    } else {
        out.x = raw_public_bytes(key);
    }
    return out;
}

std::optional<SignatureKind> kind_of(EVP_PKEY *key)
{
    if (EVP_PKEY_base_id(key) == EVP_PKEY_ED25519) {
        return SignatureKind::eddsa;
    }
    if (is_on_p256(key)) {
        return SignatureKind::es256;
    }
    return std::nullopt;
}

// Of SigningKey: what OpenSSL has for as long as it signs. Without the public
// key that of Ed25519 is computed, which is slow. nullptr: no memory.
OwnedKey private_key(SignatureKind kind, std::string_view number,
                     std::string_view public_bytes = {})
{
    auto bytes = [](std::string_view text) {
        return reinterpret_cast<unsigned char *>(
            const_cast<char *>(text.data()));
    };
    bool on_curve = kind == SignatureKind::es256;
    char group[] = "prime256v1";
    OSSL_PARAM last = OSSL_PARAM_construct_end();
    OSSL_PARAM parts[] = {last, last, last};
    if (on_curve) {
        parts[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY,
                                           bytes(number), number.size());
        parts[1] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                    group, 0);
    } else {
        parts[0] = OSSL_PARAM_construct_octet_string(
            OSSL_PKEY_PARAM_PRIV_KEY, bytes(number), number.size());
        parts[1] = public_bytes.empty()
                       ? last
                       : OSSL_PARAM_construct_octet_string(
                           OSSL_PKEY_PARAM_PUB_KEY, bytes(public_bytes),
                           public_bytes.size());
    }
    EVP_PKEY *key = nullptr;
    Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(
        nullptr, on_curve ? "EC" : "ED25519", nullptr));
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1
        || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parts)
               != 1) {
        key = nullptr;
    }
    return OwnedKey(key, EVP_PKEY_free);
}

// The key of a big-endian number on P-256. False: the number is 0 or too large.
bool find_point(std::string_view number, SecretText &native, PublicKey &out)
{
    Owned<EC_GROUP> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    Owned<EC_POINT> point(group ? EC_POINT_new(group.get()) : nullptr);
    Owned<BIGNUM> factor(
        BN_bin2bn(reinterpret_cast<const unsigned char *>(number.data()),
                  static_cast<int>(number.size()), nullptr));
    Owned<BIGNUM> x(BN_new());
    Owned<BIGNUM> y(BN_new());
    if (!point || !factor || !x || !y) {
        throw std::bad_alloc();
    }
    auto bytes = [](auto &text) {
        text.resize(kHalfBytes);
        return reinterpret_cast<unsigned char *>(text.data());
    };
    int half = static_cast<int>(kHalfBytes);
    out.kind = SignatureKind::es256;
    return BN_cmp(factor.get(), EC_GROUP_get0_order(group.get())) < 0
           && EC_POINT_mul(group.get(), point.get(), factor.get(), nullptr,
                           nullptr, nullptr)
                  == 1
           && EC_POINT_get_affine_coordinates(group.get(), point.get(), x.get(),
                                              y.get(), nullptr)
                  == 1
           && BN_bn2nativepad(factor.get(), bytes(native), half) == half
           && BN_bn2binpad(x.get(), bytes(out.x), half) == half
           && BN_bn2binpad(y.get(), bytes(out.y), half) == half;
}

// The encodings of all points of small order, the sign of x left out.
bool has_small_order(std::string_view key)
{
    constexpr std::string_view kMiddle[] = {
        // Of order 8.
        "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
        "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
        "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
        "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    };
    std::string plain(key);
    plain.back() = static_cast<char>(plain.back() & 0x7f);
    for (std::string_view point : kMiddle) {
        if (plain == point) {
            return true;
        }
    }
    // y is 0, 1 or -1: also as p, p + 1 and p - 1.
    std::string_view tail = std::string_view(plain).substr(1);
    auto first = static_cast<unsigned char>(plain.front());
    if (tail == std::string(31, '\0')) {
        return first <= 1;
    }
    return tail == std::string(30, '\xff') + '\x7f' && first >= 0xec
           && first <= 0xee;
}

// DER to r and s (RFC 7518, 3.4).
std::optional<std::string> raw_halves(std::string_view der)
{
    auto *bytes = reinterpret_cast<const unsigned char *>(der.data());
    Owned<ECDSA_SIG> parsed(
        d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
    if (!parsed) {
        return std::nullopt;
    }
    std::string out(kSignatureBytes, '\0');
    auto *at = reinterpret_cast<unsigned char *>(&out[0]);
    int half = static_cast<int>(kHalfBytes);
    if (BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), at, half) != half
        || BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), at + half, half)
               != half) {
        return std::nullopt;
    }
    return out;
}

}  // namespace

SigningKey::SigningKey(SecretText number, PublicKey its_public)
    : number_(std::make_shared<const SecretText>(std::move(number))),
      public_(std::move(its_public))
{
}

Result<SigningKey> SigningKey::from_ed25519_seed(std::string_view seed)
{
    ErrorsForgotten forgotten;
    if (seed.size() != kSeedBytes) {
        return Problem{"an Ed25519 seed has 32 bytes"};
    }
    OwnedKey key = private_key(SignatureKind::eddsa, seed);
    if (!key) {
        throw std::bad_alloc();
    }
    return SigningKey(SecretText(seed),
                      public_part(key.get(), SignatureKind::eddsa));
}

Result<SigningKey> SigningKey::from_p256_pem(std::string_view pem)
{
    auto key = from_pem(pem);
    bool other = key ? key->kind() != SignatureKind::es256
                     : key.problem().text == kOtherKind;
    if (other) {
        return Problem{
            "the PEM block contains another kind of key than EC P-256"};
    }
    return key;
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem)
{
    ErrorsForgotten forgotten;
    SecretText number;
    SecretText native;
    PublicKey its_public;
    switch (read_private_pem(pem, number)) {
    case PrivatePemKind::ed25519:
        return from_ed25519_seed(number.view());
    case PrivatePemKind::other:
        return Problem{kOtherKind};
    case PrivatePemKind::p256:
        if (find_point(number.view(), native, its_public)) {
            return SigningKey(std::move(native), std::move(its_public));
        }
        break;
    case PrivatePemKind::unreadable:
        break;
    }
    return Problem{kNoPrivateKey};
}

std::string SigningKey::public_bytes() const
{
    return kind() == SignatureKind::eddsa ? public_.x : std::string();
}

Result<PublicKey> read_public_pem(std::string_view pem)
{
    ErrorsForgotten forgotten;
    if (has_private_pem(pem)) {
        auto key = SigningKey::from_pem(pem);
        return key ? Result<PublicKey>(key->public_key()) : key.problem();
    }
    OwnedKey key = read_public(pem);
    if (!key) {
        return Problem{"the PEM block contains no readable, unencrypted key"};
    }
    auto kind = kind_of(key.get());
    if (!kind) {
        return Problem{kOtherKind};
    }
    return public_part(key.get(), *kind);
}

std::optional<std::string> SigningKey::sign(std::string_view text) const
{
    ErrorsForgotten forgotten;
    OwnedKey key =
        private_key(kind(), number_->view(),
                    kind() == SignatureKind::eddsa ? std::string_view(public_.x)
                                                   : std::string_view());
    Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    const EVP_MD *digest =
        kind() == SignatureKind::es256 ? EVP_sha256() : nullptr;
    auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
    unsigned char signature[128];
    std::size_t length = sizeof(signature);

    if (!key || !context
        || EVP_DigestSignInit(context.get(), nullptr, digest, nullptr,
                              key.get())
               != 1
        || EVP_DigestSign(context.get(), signature, &length, bytes, text.size())
               != 1) {
        return std::nullopt;
    }
    std::string_view made(reinterpret_cast<char *>(signature), length);
    if (kind() == SignatureKind::es256) {
        return raw_halves(made);
    }
    return std::string(made);
}

bool verify_ed25519(std::string_view key, std::string_view text,
                    std::string_view signature)
{
    ErrorsForgotten forgotten;
    if (key.size() != kSeedBytes || signature.size() != kSignatureBytes
        || has_small_order(key)) {
        return false;
    }
    auto bytes = [](std::string_view view) {
        return reinterpret_cast<const unsigned char *>(view.data());
    };
    Owned<EVP_PKEY> parsed(EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, bytes(key), key.size()));
    Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    return parsed && context
           && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr,
                                   parsed.get())
                  == 1
           && EVP_DigestVerify(context.get(), bytes(signature),
                               signature.size(), bytes(text), text.size())
                  == 1;
}

bool fill_random(void *bytes, std::size_t size)
{
    ErrorsForgotten forgotten;
    return RAND_bytes(static_cast<unsigned char *>(bytes),
                      static_cast<int>(size))
           == 1;
}

}  // namespace x402
