// SPDX-License-Identifier: Apache-2.0
#include "base/private_pem.hpp"

#include <cstddef>

#include "base/base64_codec.hpp"

namespace x402 {

namespace {

constexpr std::size_t kNumberBytes = 32;
constexpr std::string_view kPkcs8 = "-----BEGIN PRIVATE KEY-----";
constexpr std::string_view kSec1 = "-----BEGIN EC PRIVATE KEY-----";
constexpr std::string_view kAnyEnd = " PRIVATE KEY-----";

// Object identifiers (X.690, 8.19), without tag and length.
constexpr std::string_view kEd25519("\x2b\x65\x70", 3);
constexpr std::string_view kEcPublicKey("\x2a\x86\x48\xce\x3d\x02\x01", 7);
constexpr std::string_view kP256("\x2a\x86\x48\xce\x3d\x03\x01\x07", 8);

enum Tag : unsigned char {
    integer = 0x02,
    octets = 0x04,
    identifier = 0x06,
    sequence = 0x30,
    parameters = 0xa0,  // [0] of SEC1
};

// Takes one value of DER off `rest`. False: it begins with something else.
bool take(std::string_view &rest, Tag tag, std::string_view &content)
{
    auto byte = [&](std::size_t at) {
        return static_cast<unsigned char>(rest[at]);
    };
    if (rest.size() < 2 || byte(0) != tag) {
        return false;
    }
    std::size_t length = byte(1);
    std::size_t begin = 2;
    if (length > 0x80) {
        std::size_t more = length - 0x80;
        if (more > 2 || rest.size() < begin + more) {
            return false;
        }
        length = 0;
        for (; more > 0; more--) {
            length = length << 8 | byte(begin++);
        }
    }
    if (length == 0x80 || length > rest.size() - begin) {
        return false;
    }
    content = rest.substr(begin, length);
    rest.remove_prefix(begin + length);
    return true;
}

PrivatePemKind take_number(std::string_view bytes, PrivatePemKind kind,
                           SecretText &number)
{
    if (bytes.size() != kNumberBytes) {
        return PrivatePemKind::unreadable;
    }
    number.clear();
    number.append(bytes);
    return kind;
}

// `curve`: of what it is in; empty: it has to say so itself.
PrivatePemKind read_sec1(std::string_view der, std::string_view curve,
                         SecretText &number)
{
    std::string_view key;
    std::string_view version;
    std::string_view bytes;
    std::string_view named;
    if (!curve.empty() && curve != kP256) {
        return PrivatePemKind::other;
    }
    if (!take(der, sequence, key) || !take(key, integer, version)
        || !take(key, octets, bytes)) {
        return PrivatePemKind::unreadable;
    }
    if (curve.empty()
        && (!take(key, parameters, named) || !take(named, identifier, curve))) {
        return PrivatePemKind::unreadable;
    }
    return curve == kP256 ? take_number(bytes, PrivatePemKind::p256, number)
                          : PrivatePemKind::other;
}

PrivatePemKind read_pkcs8(std::string_view der, SecretText &number)
{
    std::string_view key;
    std::string_view version;
    std::string_view algorithm;
    std::string_view name;
    std::string_view inner;
    std::string_view curve;
    if (!take(der, sequence, key) || !take(key, integer, version)
        || !take(key, sequence, algorithm) || !take(algorithm, identifier, name)
        || !take(key, octets, inner)) {
        return PrivatePemKind::unreadable;
    }
    if (name == kEd25519) {
        std::string_view seed;
        return take(inner, octets, seed)
                   ? take_number(seed, PrivatePemKind::ed25519, number)
                   : PrivatePemKind::unreadable;
    }
    return name == kEcPublicKey && take(algorithm, identifier, curve)
               ? read_sec1(inner, curve, number)
               : PrivatePemKind::other;
}

// The bytes of the block that begins with `front`. False: there is none, or it
// is not base64.
bool read_block(std::string_view pem, std::string_view front, SecretText &der)
{
    std::size_t begin = pem.find(front);
    if (begin == std::string_view::npos) {
        return false;
    }
    pem.remove_prefix(begin + front.size());
    std::size_t end = pem.find("-----END ");
    if (end == std::string_view::npos) {
        return false;
    }
    SecretText symbols;
    for (pem = pem.substr(0, end); !pem.empty();) {
        std::size_t size = pem.find_first_of(" \t\r\n");
        symbols.append(pem.substr(0, size));
        pem.remove_prefix(size == std::string_view::npos ? pem.size()
                                                         : size + 1);
    }
    return base64_decode(symbols.view(), der);
}

}  // namespace

bool has_private_pem(std::string_view pem)
{
    return pem.find(kPkcs8) != std::string_view::npos
           || pem.find(kAnyEnd) != std::string_view::npos;
}

PrivatePemKind read_private_pem(std::string_view pem, SecretText &number)
{
    SecretText der;
    if (read_block(pem, kPkcs8, der)) {
        return read_pkcs8(der.view(), number);
    }
    if (read_block(pem, kSec1, der)) {
        return read_sec1(der.view(), {}, number);
    }
    bool unknown = has_private_pem(pem)
                   && pem.find(kPkcs8) == std::string_view::npos
                   && pem.find(kSec1) == std::string_view::npos
                   && pem.find("ENCRYPTED") == std::string_view::npos;
    return unknown ? PrivatePemKind::other : PrivatePemKind::unreadable;
}

}  // namespace x402
