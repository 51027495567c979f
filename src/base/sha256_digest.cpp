// SPDX-License-Identifier: Apache-2.0
#include "base/sha256_digest.hpp"

#include <memory>
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

struct FreeContext {
    void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
};

// One context for each thread and algorithm: to make one, and to release it,
// takes more instructions than the digest of a short text does on a processor
// that has instructions for it.
class Digester {
public:
    explicit Digester(const EVP_MD *method)
        : method_(method), context_(EVP_MD_CTX_new())
    {
    }

    bool digest(std::string_view bytes, Digest &digest) const
    {
        return context_
               && EVP_DigestInit_ex(context_.get(), method_, nullptr) == 1
               && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())
                      == 1
               && EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr)
                      == 1;
    }

private:
    const EVP_MD *method_;
    std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
};

Digest digest_of(std::string_view bytes, const Digester &digester)
{
    Digest digest;
    if (!digester.digest(bytes, digest)) {
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
    static thread_local const Digester digester(method);
    return digest_of(bytes, digester);
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
    static thread_local const Digester digester(method);
    return digest_of(bytes, digester);
}

}  // namespace x402
