#include "base/sha256_digest.hpp"

#include <new>

#include <openssl/evp.h>

namespace x402 {

Digest sha256(std::string_view bytes)
{
    Digest digest;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr,
                   EVP_sha256(), nullptr)
        != 1) {
        throw std::bad_alloc();
    }
    return digest;
}

}  // namespace x402
