// SPDX-License-Identifier: Apache-2.0
#include "policy/account_signature.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/address_codec.hpp"
#include "base/base64_codec.hpp"
#include "base/token_signature.hpp"
#include "protocol/sign_in_message.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

struct SignedIn {
    SignInProof proof;
    std::string message;
    std::string payer;
};

// Signed by the official client.
std::vector<SignedIn> vectors()
{
    const JsonDocument document = read_vectors("sign-in.json");
    std::vector<SignedIn> list;
    const JsonValue all = document.root()["vectors"];
    for (std::size_t i = 0; i < all.size(); i++) {
        auto proof = parse_sign_in(all.at(i)["header"].string());
        EXPECT_TRUE(proof) << i;
        list.push_back({proof.value(),
                        std::string(all.at(i)["message"].string()),
                        std::string(all.at(i)["payer"].string())});
    }
    EXPECT_EQ(list.size(), 6u);
    return list;
}

std::string verdict(const SignInProof &proof, const std::string &text)
{
    auto payer =
        verify_account(proof.chain, proof.address, text, proof.signature);
    return payer ? payer.value() : payer.problem().text;
}

TEST(AccountSignature, OfTheOfficialClientIsVerified)
{
    for (const SignedIn &one : vectors()) {
        const std::string text =
            sign_in_text(one.proof.terms, one.proof.address, one.proof.chain);
        EXPECT_EQ(text, one.message);
        EXPECT_EQ(verdict(one.proof, text), one.payer);
    }
}

TEST(AccountSignature, OfAnotherTextOrAccountIsNone)
{
    const std::vector<SignedIn> all = vectors();
    for (const SignedIn &one : all) {
        EXPECT_NE(verdict(one.proof, one.message + " "), one.payer);
        SignInProof other = one.proof;
        other.address = all[one.proof.type == "eip191" ? 4 : 0].proof.address;
        EXPECT_EQ(verdict(other, one.message).find("0x"), std::string::npos);
        other = one.proof;
        other.chain = "cosmos:cosmoshub-4";
        EXPECT_NE(verdict(other, one.message).find("cannot sign in"),
                  std::string::npos);
    }
    SignInProof swapped = all[0].proof;
    swapped.address = all[1].proof.address;
    EXPECT_NE(verdict(swapped, all[0].message).find("not by this address"),
              std::string::npos);
    swapped = all[4].proof;
    swapped.address = all[5].proof.address;
    EXPECT_NE(verdict(swapped, all[4].message).find("not by this address"),
              std::string::npos);
}

TEST(AccountSignature, OtherFormsAreRefused)
{
    const std::vector<SignedIn> all = vectors();
    for (const char *bad :
         {"", "0x", "0x00", "zz", "not base58 0OIl", "0xzz"}) {
        for (std::size_t at : {0u, 4u}) {
            SignInProof other = all[at].proof;
            other.signature = bad;
            EXPECT_NE(verdict(other, all[at].message), all[at].payer) << bad;
            other = all[at].proof;
            other.address = bad;
            EXPECT_NE(verdict(other, all[at].message), all[at].payer) << bad;
        }
    }
    SignInProof longer = all[0].proof;
    longer.signature += "00";
    EXPECT_NE(verdict(longer, all[0].message).find("contract wallets"),
              std::string::npos);
    // A letter in the other case: a wrong checksum.
    SignInProof mistyped = all[0].proof;
    for (char &letter : mistyped.address) {
        if (letter >= 'a' && letter <= 'f') {
            letter = static_cast<char>(letter - 'a' + 'A');
            break;
        }
    }
    EXPECT_NE(verdict(mistyped, all[0].message).find("not an EVM address"),
              std::string::npos);
}

// Under a key of small order, one signature is good for every text.
TEST(AccountSignature, KeysOfSmallOrderAreRefused)
{
    std::string key(32, '\0');
    std::string signature(64, '\0');
    signature[0] = 1;  // R is the neutral point, s is 0
    for (int first : {0, 1}) {
        key[0] = static_cast<char>(first);
        EXPECT_FALSE(verify_ed25519(key, "text", signature)) << first;
    }
    key.assign(31, '\xff');
    key.insert(key.begin(), '\xec');
    key[31] = '\x7f';
    EXPECT_FALSE(verify_ed25519(key, "text", signature));
    key[31] = '\xff';
    EXPECT_FALSE(verify_ed25519(key, "text", signature));
    EXPECT_FALSE(verify_ed25519("short", "text", signature));
}

TEST(SignInMessage, IsReadAsItWasSent)
{
    const SignInProof proof = vectors()[1].proof;
    EXPECT_EQ(proof.terms.domain, "127.0.0.1:8402");
    EXPECT_EQ(proof.terms.statement, "Sign in to what you bought");
    EXPECT_EQ(proof.chain, "eip155:84532");
    EXPECT_EQ(proof.type, "eip191");
}

std::string problem_of(const std::string &json)
{
    auto proof = parse_sign_in(base64_encode(json));
    return proof ? "" : proof.problem().text;
}

TEST(SignInMessage, OtherTextsAreRefused)
{
    const std::string good =
        R"({"domain":"a","uri":"b","version":"1","nonce":"c","issuedAt":"d",)"
        R"("address":"e","chainId":"f","type":"g","signature":"h")";
    EXPECT_EQ(problem_of(good + "}"), "");
    EXPECT_EQ(problem_of(good + R"(,"resources":["b"]})"), "");
    EXPECT_NE(problem_of(good + R"(,"resources":["b","x"]})"), "");
    EXPECT_NE(problem_of(good + R"(,"resources":["x"]})"), "");
    EXPECT_NE(problem_of(good + R"(,"notBefore":"2026-11-28T10:00:00Z"})"), "");
    EXPECT_NE(problem_of(good + R"(,"requestId":"1"})"), "");
    EXPECT_NE(problem_of(good + R"(,"statement":7})"), "");
    for (const char *name : {"domain", "uri", "version", "nonce", "issuedAt",
                             "address", "chainId", "type", "signature"}) {
        std::string without = good + "}";
        const std::size_t at = without.find(std::string("\"") + name);
        without.insert(at + 1, "x");
        EXPECT_NE(problem_of(without), "") << name;
    }
    EXPECT_NE(problem_of("[]"), "");
    EXPECT_NE(problem_of("{"), "");
    EXPECT_FALSE(parse_sign_in("!"));
    EXPECT_FALSE(parse_sign_in(std::string(5000, 'A')));
}

TEST(SignInMessage, IsDeclaredInAnOffer)
{
    SignInTerms terms;
    terms.domain = "shop";
    terms.uri = "http://shop/\"a";
    terms.nonce = "12345678";
    terms.issued_at = "i";
    terms.expires_at = "e";
    const JsonDocument document = parse_json(
        sign_in_declaration(terms, {"eip155:1", "solana:x", "eip155:2"}));
    const JsonValue root = document.root();
    EXPECT_EQ(root["info"]["uri"].string(), terms.uri);
    EXPECT_EQ(root["info"]["resources"].at(0).string(), terms.uri);
    EXPECT_FALSE(root["info"]["statement"].exists());
    EXPECT_EQ(root["supportedChains"].size(), 3u);
    EXPECT_EQ(root["supportedChains"].at(1)["type"].string(), "ed25519");
    EXPECT_TRUE(root["schema"]["required"].is_array());
    EXPECT_EQ(sign_in_type("stellar:pubnet"), nullptr);
}

}  // namespace
}  // namespace x402
