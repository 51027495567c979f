// SPDX-License-Identifier: Apache-2.0
#include "base/sha1_digest.hpp"

#include <new>

#include <openssl/err.h>
#include <openssl/evp.h>

namespace x402 {

std::array<std::uint8_t, 20> sha1(std::string_view bytes)
{
    std::array<std::uint8_t, 20> digest;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr,
                   EVP_sha1(), nullptr)
        != 1) {
        ERR_clear_error();  // as in sha256_digest.cpp
        throw std::bad_alloc();
    }
    return digest;
}

}  // namespace x402
