// SPDX-License-Identifier: Apache-2.0
#include "base/private_pem.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "base/hex_codec.hpp"
#include "base/token_signature.hpp"

namespace x402 {
namespace {

// Of RFC 7515, A.3, in SEC1, and the same as PKCS#8.
constexpr char kSec1[] =
    "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
    "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"
    "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n";
constexpr char kNumber[] =
    "8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2";
// RFC 8410, 10.3.
constexpr char kEd25519[] =
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n";
constexpr char kSeed[] =
    "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";

std::string bytes_of(std::string_view hex)
{
    std::string out(hex.size() / 2, '\0');
    EXPECT_TRUE(hex_decode("0x" + std::string(hex),
                           reinterpret_cast<std::uint8_t *>(&out[0]),
                           out.size()));
    return out;
}

std::string block(const std::string &label, const std::string &body)
{
    return "-----BEGIN " + label + "-----\n" + body + "-----END " + label
           + "-----\n";
}

// PKCS#8 with P-256 around a key of SEC1 without its parameters.
std::string pkcs8_p256()
{
    std::string inner = bytes_of("30770201010420") + bytes_of(kNumber)
                        + bytes_of("a144034200") + std::string(65, '\4');
    inner[1] = static_cast<char>(inner.size() - 2);
    std::string out = bytes_of("020100301306072a8648ce3d020106082a8648ce3d03"
                               "010704")
                      + static_cast<char>(inner.size()) + inner;
    return bytes_of("3081") + static_cast<char>(out.size()) + out;
}

TEST(PrivatePem, ReadsTheNumber)
{
    struct {
        std::string pem;
        PrivatePemKind kind;
        const char *number;
    } cases[] = {
        {block("EC PRIVATE KEY", kSec1), PrivatePemKind::p256, kNumber},
        {block("PRIVATE KEY", kEd25519), PrivatePemKind::ed25519, kSeed},
        {block("PRIVATE KEY", base64_encode(pkcs8_p256())),
         PrivatePemKind::p256, kNumber},
        {"a comment\r\n" + block("EC PARAMETERS", "BggqhkjOPQMBBw==\n")
             + block("EC PRIVATE KEY", kSec1),
         PrivatePemKind::p256, kNumber},
    };
    for (const auto &test : cases) {
        SecretText number;
        EXPECT_EQ(read_private_pem(test.pem, number), test.kind) << test.pem;
        EXPECT_EQ(number.view(), bytes_of(test.number)) << test.pem;
        EXPECT_TRUE(has_private_pem(test.pem));
        EXPECT_TRUE(SigningKey::from_pem(test.pem)) << test.pem;
    }
}

TEST(PrivatePem, TellsOtherKinds)
{
    SecretText number;
    // P-384 as PKCS#8, and a key of RSA as its own format has it.
    std::string p384 = block(
        "PRIVATE KEY",
        base64_encode(bytes_of("301c020100301006072a8648ce3d020106052b8104"
                               "0022040530030201010a0a")));
    EXPECT_EQ(read_private_pem(p384, number), PrivatePemKind::other);
    EXPECT_EQ(read_private_pem(block("RSA PRIVATE KEY", "AAAA\n"), number),
              PrivatePemKind::other);
    EXPECT_FALSE(has_private_pem(block("PUBLIC KEY", "AAAA\n")));
}

TEST(PrivatePem, RefusesWhatIsCutShort)
{
    SecretText number;
    for (const std::string &der :
         {pkcs8_p256(), *base64_decode(std::string(kEd25519).substr(0, 64))}) {
        for (std::size_t size = 0; size < der.size(); size++) {
            std::string pem =
                block("PRIVATE KEY", base64_encode(der.substr(0, size)));
            EXPECT_EQ(read_private_pem(pem, number), PrivatePemKind::unreadable)
                << size;
        }
    }
    for (const std::string &pem :
         {std::string(), std::string("-----BEGIN PRIVATE KEY-----\n"),
          block("PRIVATE KEY", "not base64!"), block("PUBLIC KEY", "AAAA\n"),
          block("ENCRYPTED PRIVATE KEY", kEd25519),
          block("EC PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\nAAAA\n"),
          block("EC PRIVATE KEY", kEd25519)}) {
        EXPECT_EQ(read_private_pem(pem, number), PrivatePemKind::unreadable)
            << pem;
    }
}

// 0, and the order of the curve, have no key.
TEST(PrivatePem, NumbersOutsideOfTheCurveAreNoKeys)
{
    std::string order = bytes_of(
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    std::string der = *base64_decode(
        "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49"
        "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b"
        "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==");
    for (const std::string &number : {std::string(32, '\0'), order}) {
        std::string pem =
            block("EC PRIVATE KEY", base64_encode(der.replace(7, 32, number)));
        EXPECT_FALSE(SigningKey::from_pem(pem));
    }
}

}  // namespace
}  // namespace x402
