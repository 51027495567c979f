// SPDX-License-Identifier: Apache-2.0
#include "protocol/did_document.hpp"

#include <gtest/gtest.h>

#include "base/json_document.hpp"

namespace x402 {
namespace {

TEST(DidDocument, NamesOfKeys)
{
    for (const char *good :
         {"did:web:shop.example#key-1", "did:web:localhost%3A8443#k",
          "did:key:z6Mk#z6Mk", "did:web:a.example:users:me#1"}) {
        EXPECT_TRUE(is_did_url(good)) << good;
    }
    for (const char *bad :
         {"", "key-1", "did:web:shop.example", "did:web:#a", "did::a#b",
          "web:shop.example#a", "did:web:a#", "did:web:a b#c", "did:web:a#b\"",
          "https://shop.example#key-1"}) {
        EXPECT_FALSE(is_did_url(bad)) << bad;
    }
    EXPECT_FALSE(is_did_url("did:web:" + std::string(600, 'a') + "#b"));
    EXPECT_EQ(did_part("did:web:a.example#key-1"), "did:web:a.example");
}

TEST(DidDocument, OfAHost)
{
    EXPECT_EQ(did_of_host("shop.example"), "did:web:shop.example");
    EXPECT_EQ(did_of_host("localhost"), "did:web:localhost");
    for (const char *other : {"", "_", "*.example", ".example", "a", "~^x$"}) {
        EXPECT_EQ(did_of_host(other), "") << other;
    }
}

TEST(DidDocument, HasEachKeyAsMethodAndForAssertion)
{
    PublicKey key;
    key.x = std::string(32, '\x01');
    std::string text =
        did_document("did:web:a.example", {{"did:web:a.example#new", key},
                                           {"did:web:a.example#old", key}});
    auto document = JsonDocument::parse(text);
    ASSERT_TRUE(document);
    JsonValue root = document->root();
    EXPECT_EQ(root["id"].string(), "did:web:a.example");
    JsonValue method = root["verificationMethod"].at(1);
    EXPECT_EQ(method["id"].string(), "did:web:a.example#old");
    EXPECT_EQ(method["controller"].string(), "did:web:a.example");
    EXPECT_EQ(method["publicKeyJwk"]["crv"].string(), "Ed25519");
    EXPECT_FALSE(method["publicKeyJwk"]["d"].exists());
    EXPECT_EQ(root["assertionMethod"].at(0).string(), "did:web:a.example#new");
}

}  // namespace
}  // namespace x402
