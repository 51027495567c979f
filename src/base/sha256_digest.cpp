// SPDX-License-Identifier: Apache-2.0
#include "base/sha256_digest.hpp"

#include <algorithm>
#include <memory>
#include <new>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

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

    // Of both texts, one after the other.
    bool digest(std::string_view first, std::string_view second,
                Digest &digest) const
    {
        return context_
               && EVP_DigestInit_ex(context_.get(), method_, nullptr) == 1
               && EVP_DigestUpdate(context_.get(), first.data(), first.size())
                      == 1
               && EVP_DigestUpdate(context_.get(), second.data(), second.size())
                      == 1
               && EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr)
                      == 1;
    }

private:
    const EVP_MD *method_;
    std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
};

Digest digest_of(std::string_view bytes, const Digester &digester,
                 std::string_view more = {})
{
    Digest digest;
    if (!digester.digest(bytes, more, digest)) {
        // An error left in the queue would be logged, at `alert`, as one of
        // another connection.
        ERR_clear_error();
        throw std::bad_alloc();
    }
    return digest;
}

const Digester &sha256_digester()
{
    static const EVP_MD *const method = fetched("SHA2-256", EVP_sha256());
    static thread_local const Digester digester(method);
    return digester;
}

// What HMAC puts in front of a text: a block of the key. Holds a secret.
class KeyBlock {
public:
    explicit KeyBlock(std::string_view key)
    {
        if (key.size() > block_.size()) {
            Digest digest = sha256(key);
            std::copy(digest.begin(), digest.end(), block_.begin());
        } else {
            std::copy(key.begin(), key.end(), block_.begin());
        }
    }
    ~KeyBlock() { OPENSSL_cleanse(block_.data(), block_.size()); }
    KeyBlock(const KeyBlock &) = delete;
    KeyBlock &operator=(const KeyBlock &) = delete;

    // Instead of the pad that it has.
    std::string_view with_pad(unsigned char pad)
    {
        for (char &byte : block_) {
            byte = static_cast<char>(static_cast<unsigned char>(byte) ^ pad_
                                     ^ pad);
        }
        pad_ = pad;
        return {block_.data(), block_.size()};
    }

private:
    std::array<char, 64> block_{};
    unsigned char pad_ = 0;
};

}  // namespace

Digest sha256(std::string_view bytes)
{
    return digest_of(bytes, sha256_digester());
}

// OpenSSL's own HMAC() looks for its parts and makes them for each text, which
// costs more than the digests.
Digest hmac_sha256(std::string_view key, std::string_view bytes)
{
    KeyBlock block(key);
    Digest inner = digest_of(block.with_pad(0x36), sha256_digester(), bytes);
    return digest_of(
        block.with_pad(0x5c), sha256_digester(),
        {reinterpret_cast<const char *>(inner.data()), inner.size()});
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

Digest sha3_256(std::string_view bytes)
{
    static const EVP_MD *const method = fetched("SHA3-256", EVP_sha3_256());
    static thread_local const Digester digester(method);
    return digest_of(bytes, digester);
}

}  // namespace x402
