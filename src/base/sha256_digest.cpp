// SPDX-License-Identifier: Apache-2.0
#include "base/sha256_digest.hpp"

#include <new>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace x402 {

namespace {

// OpenSSL 3 searches its providers each time an algorithm is named by
// EVP_sha256(); a fetched algorithm is found already. It is never released,
// because the process needs it until its end.
const EVP_MD *fetched(const char *name, const EVP_MD *method)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    const EVP_MD *found = EVP_MD_fetch(nullptr, name, nullptr);
    if (found == nullptr) {
        ERR_clear_error();
    }
    return found ? found : method;
#else
    (void)name;
    return method;
#endif
}

Digest digest_of(std::string_view bytes, const EVP_MD *method)
{
    Digest digest;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, method,
                   nullptr)
        != 1) {
        // An error left in the queue would be logged, at `alert`, as one of
        // another connection.
        ERR_clear_error();
        throw std::bad_alloc();
    }
    return digest;
}

}  // namespace

Digest sha256(std::string_view bytes)
{
    static const EVP_MD *const method = fetched("SHA2-256", EVP_sha256());
    return digest_of(bytes, method);
}

Digest hmac_sha256(std::string_view key, std::string_view bytes)
{
    Digest digest;
    unsigned length = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char *>(bytes.data()),
             bytes.size(), digest.data(), &length)
        == nullptr) {
        ERR_clear_error();
        throw std::bad_alloc();
    }
    return digest;
}

bool equal_secrets(const Digest &digest, std::string_view presented)
{
    return presented.size() == digest.size()
           && CRYPTO_memcmp(digest.data(), presented.data(), digest.size())
                  == 0;
}

Digest sha512_256(std::string_view bytes)
{
    static const EVP_MD *const method =
        fetched("SHA2-512/256", EVP_sha512_256());
    return digest_of(bytes, method);
}

}  // namespace x402
