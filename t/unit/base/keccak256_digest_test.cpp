// SPDX-License-Identifier: Apache-2.0
#include "base/keccak256_digest.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

std::string hex_of(std::string_view bytes)
{
    auto digest = keccak256(bytes);
    return "0x" + hex_encode(digest.data(), digest.size());
}

TEST(Keccak256Digest, EqualsKnownDigests)
{
    EXPECT_EQ(
        hex_of(""),
        "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    EXPECT_EQ(
        hex_of("abc"),
        "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    EXPECT_EQ(
        hex_of("The quick brown fox jumps over the lazy dog"),
        "0x4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
}

// Lengths around whole blocks of 136 bytes; digests computed with viem, byte i
// of a text of n bytes being 7i + n.
TEST(Keccak256Digest, PadsRightAroundBlockEnds)
{
    struct Row {
        std::size_t length;
        const char *digest;
    };
    constexpr Row kRows[] = {
        {1,
         "0x5fe7f977e71dba2ea1a68e21057beebb9be2ac30c6410aa38d4f3fbe41dcffd2"},
        {8,
         "0x66d6ac686bbe637cb6cf3e4deb8a1bb6aec0163cbbbd2c22747069455e660457"},
        {135,
         "0x8ab570337c9a3a773c3605160ca58e3f0546d92d217c908669cc4f35a31933bc"},
        {136,
         "0x16b30a6be318a7acbcba7a2194789f628abf68dfbbf55a4d840f22f6a4d29efd"},
        {137,
         "0x6a7e8293441d51be41bf4994995b35981f90c07866c7fd0465f405e2b7a8f8dd"},
        {271,
         "0xbb02bca6be57f42d131406260c6f1a81fd9922af8bd1c96d78f454b19ae10add"},
        {272,
         "0x443464c0c3ac8036d14a6f8647fc93b592d514adefbe88683cbbda3b4b2c4553"},
        {273,
         "0x73d5960773e36742ead7c872d84d535f35e75b9517ccb1023491276013f88890"},
        {1000,
         "0x5cab097db1a529f5b1a15428cc494df950671bc3824340aad89941fa68e151bc"},
    };
    for (const Row &row : kRows) {
        std::string bytes;
        for (std::size_t index = 0; index < row.length; ++index) {
            bytes.push_back(static_cast<char>((index * 7 + row.length) & 0xff));
        }
        EXPECT_EQ(hex_of(bytes), row.digest) << row.length;
    }
}

// EIP-712 over the signed payments of the official client: each digest below
// is what a wallet really signed.

std::string hash(const std::string &bytes)
{
    auto digest = keccak256(bytes);
    return std::string(digest.begin(), digest.end());
}

std::string word_of_address(std::string_view text)
{
    auto address = hex_decode<20>(text);
    EXPECT_TRUE(address) << text;
    return std::string(12, '\0')
           + std::string(address->begin(), address->end());
}

std::string word_of_number(std::string_view text)
{
    auto bytes = atomic_amount_bytes(text);
    EXPECT_TRUE(bytes) << text;
    return std::string(bytes->begin(), bytes->end());
}

std::string word_of_bytes(std::string_view text)
{
    auto bytes = hex_decode<32>(text);
    EXPECT_TRUE(bytes) << text;
    return std::string(bytes->begin(), bytes->end());
}

std::string token_domain(std::string_view name, std::string_view version,
                         std::string_view chain_id, std::string_view token)
{
    return hash(hash("EIP712Domain(string name,string version,uint256 chainId,"
                     "address verifyingContract)")
                + hash(std::string(name)) + hash(std::string(version))
                + word_of_number(chain_id) + word_of_address(token));
}

std::string permit2_domain(std::string_view chain_id)
{
    return hash(
        hash("EIP712Domain(string name,uint256 chainId,"
             "address verifyingContract)")
        + hash("Permit2") + word_of_number(chain_id)
        + word_of_address("0x000000000022D473030F116dDEE9F6B43aC78BA3"));
}

std::string transfer_struct(JsonValue terms)
{
    return hash(hash("TransferWithAuthorization(address from,address to,"
                     "uint256 value,uint256 validAfter,uint256 validBefore,"
                     "bytes32 nonce)")
                + word_of_address(terms["from"].string())
                + word_of_address(terms["to"].string())
                + word_of_number(terms["value"].string())
                + word_of_number(terms["validAfter"].string())
                + word_of_number(terms["validBefore"].string())
                + word_of_bytes(terms["nonce"].string()));
}

std::string permit_struct(JsonValue terms)
{
    JsonValue witness = terms["witness"];
    bool upto = witness["facilitator"].exists();
    std::string witness_type =
        upto ? "Witness(address to,address facilitator,uint256 validAfter)"
             : "Witness(address to,uint256 validAfter)";
    std::string token_type = "TokenPermissions(address token,uint256 amount)";

    std::string witness_words = word_of_address(witness["to"].string());
    if (upto) {
        witness_words += word_of_address(witness["facilitator"].string());
    }
    witness_words += word_of_number(witness["validAfter"].string());

    JsonValue permitted = terms["permitted"];
    return hash(
        hash("PermitWitnessTransferFrom(TokenPermissions permitted,"
             "address spender,uint256 nonce,uint256 deadline,Witness witness)"
             + token_type + witness_type)
        + hash(hash(token_type) + word_of_address(permitted["token"].string())
               + word_of_number(permitted["amount"].string()))
        + word_of_address(terms["spender"].string())
        + word_of_number(terms["nonce"].string())
        + word_of_number(terms["deadline"].string())
        + hash(hash(witness_type) + witness_words));
}

std::string hex_text(const std::string &bytes)
{
    std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    return "0x" + hex_encode(copy.data(), copy.size());
}

TEST(Keccak256Digest, MakesTheDigestsThatWalletsSigned)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    ASSERT_EQ(vectors.size(), 9u);

    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        SCOPED_TRACE(std::string(row["name"].string()));
        JsonValue offer = row["paymentRequired"]["accepts"].at(0);
        JsonValue payload = row["decoded"]["payload"];
        std::string_view network = offer["network"].string();
        std::string chain_id(network.substr(network.find(':') + 1));
        if (network == "base-sepolia") {
            chain_id = "84532";  // the row of version 1
        }

        bool permit2 = payload["permit2Authorization"].exists();
        std::string domain =
            permit2 ? permit2_domain(chain_id)
                    : token_domain(offer["extra"]["name"].string(),
                                   offer["extra"]["version"].string(), chain_id,
                                   offer["asset"].string());
        std::string terms = permit2
                                ? permit_struct(payload["permit2Authorization"])
                                : transfer_struct(payload["authorization"]);

        JsonValue expected = row["eip712"];
        EXPECT_EQ(hex_text(domain), expected["domainSeparator"].string());
        EXPECT_EQ(hex_text(terms), expected["structHash"].string());
        EXPECT_EQ(hex_text(hash("\x19\x01" + domain + terms)),
                  expected["digest"].string());
    }
}

}  // namespace
}  // namespace x402
