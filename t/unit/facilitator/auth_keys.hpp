// SPDX-License-Identifier: Apache-2.0
// Public test keys: Ed25519 seed 00..1f, P-256 of RFC 7515, A.3, as in
// t/vectors/auth-jwt-vectors.json.
#ifndef X402_UNIT_AUTH_KEYS_HPP
#define X402_UNIT_AUTH_KEYS_HPP

#include <string>

#include "base/base64_codec.hpp"
#include "base/hex_codec.hpp"

namespace x402 {

inline std::string seed_bytes()
{
    std::string seed;
    for (char byte = 0; byte < 32; byte++) {
        seed += byte;
    }
    return seed;
}

inline std::string public_bytes()
{
    auto bytes = hex_decode<32>(
        "0x03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
    return std::string(bytes->begin(), bytes->end());
}

inline std::string url_alphabet(std::string text)
{
    for (char &byte : text) {
        byte = byte == '+' ? '-' : byte == '/' ? '_' : byte;
    }
    while (!text.empty() && text.back() == '=') {
        text.pop_back();
    }
    return text;
}

inline std::string cdp_secret()
{
    return base64_encode(seed_bytes() + public_bytes());
}

inline std::string payai_secret()
{
    auto front = hex_decode<16>("0x302e020100300506032b657004220420");
    return base64_encode(std::string(front->begin(), front->end())
                         + seed_bytes());
}

inline std::string
id_and_secret(const std::string &secret,
              const std::string &id = "organizations/x/apiKeys/y")
{
    return "id = " + id + "\nsecret = " + secret + "\n";
}

constexpr char kPkcs8Pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----";

constexpr char kSec1Pem[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
    "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"
    "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
    "-----END EC PRIVATE KEY-----";

constexpr char kP384Pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCacOlLm4bFK32VSfaC\n"
    "1GFcAPKi8WlR7tCAMpQuQq85HSBH5UYQ2jYu0On0aKLruzmhZANiAARHVgnyy+mI\n"
    "LHUtVT69sLHZSRs+pkDoH4LRuVYMoTm4k13mYxMJ+D2uJQM44XCcrWualWVOLQnk\n"
    "IwjFj/Bb+UPGnKLePQbfdqV+i9AfNRfhjGu6R4eOkTo1GI/eI6uyvUk=\n"
    "-----END PRIVATE KEY-----";

constexpr char kEd25519Pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINc5M8i1OfgLLfmtxxuNSiHI4foqtByXCuU+XtCtaVOd\n"
    "-----END PRIVATE KEY-----";

// The text with every line break as the two characters "\n".
inline std::string written_breaks(const std::string &pem)
{
    std::string out;
    for (char byte : pem) {
        out += byte == '\n' ? std::string("\\n") : std::string(1, byte);
    }
    return out;
}

}  // namespace x402

#endif
