#include "base/sha256_digest.hpp"

#include <new>

#include <openssl/evp.h>

namespace x402 {

namespace {

Digest digest_of(std::string_view bytes, const EVP_MD *method)
{
    Digest digest;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, method,
                   nullptr)
        != 1) {
        throw std::bad_alloc();
    }
    return digest;
}

}  // namespace

Digest sha256(std::string_view bytes)
{
    return digest_of(bytes, EVP_sha256());
}

Digest sha512_256(std::string_view bytes)
{
    return digest_of(bytes, EVP_sha512_256());
}

}  // namespace x402
