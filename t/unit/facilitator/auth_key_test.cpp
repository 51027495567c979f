// SPDX-License-Identifier: Apache-2.0
#include "facilitator/auth_key.hpp"

#include <gtest/gtest.h>

#include "facilitator/auth_keys.hpp"

namespace x402 {
namespace {

std::string problem(AuthKind kind, const std::string &file)
{
    auto key = read_auth_key(kind, file);
    return key ? "accepted" : key.problem().text;
}

void expect_problem(AuthKind kind, const std::string &file,
                    const std::string &words)
{
    EXPECT_NE(problem(kind, file).find(words), std::string::npos)
        << file << ": " << problem(kind, file);
}

SignatureKind kind_of(const std::string &file)
{
    auto key = read_auth_key(AuthKind::cdp, file);
    EXPECT_TRUE(key) << file << ": " << problem(AuthKind::cdp, file);
    EXPECT_EQ(key ? key->id : "", "organizations/x/apiKeys/y") << file;
    return key ? key->key->kind() : SignatureKind();
}

TEST(AuthKey, KnowsThreeKinds)
{
    EXPECT_EQ(auth_kind("bearer"), AuthKind::bearer);
    EXPECT_EQ(auth_kind("cdp"), AuthKind::cdp);
    EXPECT_EQ(auth_kind("payai"), AuthKind::payai);
    EXPECT_EQ(auth_kind("CDP"), std::nullopt);
    EXPECT_EQ(auth_kind(""), std::nullopt);
}

TEST(AuthKey, ReadsABearerToken)
{
    for (const char *file : {"abc.D-e_f~+/=", "abc.D-e_f~+/=\n",
                             "abc.D-e_f~+/=\r\n", "  abc.D-e_f~+/= \n\n"}) {
        auto key = read_auth_key(AuthKind::bearer, file);
        ASSERT_TRUE(key) << file;
        EXPECT_EQ(key->token->view(), "abc.D-e_f~+/=");
    }
    for (const std::string &file :
         {std::string(), std::string("\n"), std::string("Bearer abc"),
          std::string("abc\ndef"), std::string("a\0b", 3), std::string("a\x7f"),
          std::string("\xef\xbb\xbf") + "abc", std::string(9000, 'a')}) {
        expect_problem(AuthKind::bearer, file, "one line of visible");
    }
}

TEST(AuthKey, ReadsTwoParts)
{
    std::string secret = cdp_secret();
    std::string id = "organizations/x/apiKeys/y";
    for (const std::string &file :
         {id_and_secret(secret), "secret=" + secret + "\nid=" + id,
          "# of the portal\n\n  id  =  " + id + "\r\n secret = " + secret
              + "\r\n",
          "id = " + id + "\nsecret = \"" + secret + "\"\n",
          "id = " + id + "\nsecret =\n" + secret + "\n"}) {
        EXPECT_EQ(kind_of(file), SignatureKind::eddsa);
    }
    expect_problem(AuthKind::cdp, "", "the id is missing");
    expect_problem(AuthKind::cdp, "id = a\n", "the secret is missing");
    expect_problem(AuthKind::cdp, "secret = a\n", "the id is missing");
    expect_problem(AuthKind::cdp, "id = a\nid = b\nsecret = c\n",
                   "line 2 appears twice");
    expect_problem(AuthKind::cdp, "id = a\nkey = c\n", "line 2 is neither");
    expect_problem(AuthKind::cdp, secret, "line 1 is neither");
    expect_problem(AuthKind::cdp, "abc", "line 1 is not \"name = value\"");
    expect_problem(AuthKind::cdp, id_and_secret(secret, ""), "the id is one");
    expect_problem(AuthKind::cdp, id_and_secret(secret, "a b"),
                   "the id is one");
    expect_problem(AuthKind::payai, "{}", "write two lines");
}

TEST(AuthKey, ReadsTheJsonOfThePortal)
{
    std::string id = "organizations/x/apiKeys/y";
    EXPECT_EQ(kind_of("{\"id\":\"" + id + "\",\"privateKey\":\"" + cdp_secret()
                      + "\"}"),
              SignatureKind::eddsa);
    EXPECT_EQ(kind_of(" {\n\"name\": \"" + id + "\",\n\"privateKey\": \""
                      + written_breaks(kSec1Pem) + "\\n\"}\n"),
              SignatureKind::es256);
    expect_problem(AuthKind::cdp, "{\"id\":\"a\"}", "needs the members");
    expect_problem(AuthKind::cdp, "{\"privateKey\":\"a\"}",
                   "needs the members");
    expect_problem(AuthKind::cdp, "{\"id\":1,\"privateKey\":\"a\"}",
                   "needs the members");
    expect_problem(AuthKind::cdp, "{\"id\":\"topsecret", "begins like JSON");
    // Its secret is taken out before the text is parsed.
    std::string escaped;
    for (char byte : cdp_secret()) {
        escaped += byte == '/' ? "\\/" : std::string(1, byte);
    }
    EXPECT_EQ(kind_of("{\"note\":\"privateKey\",\"id\":\"" + id
                      + "\",\"privateKey\" : \"" + escaped
                      + "\",\"more\":{\"privateKeys\":[\"a\"]}}"),
              SignatureKind::eddsa);
    for (const char *broken :
         {"{\"id\":\"a\",\"privateKey\":\"abc", "{\"privateKey\":\"abc\\",
          "{\"id\":\"a\",\"privateKey\":\"a\\u0062\"}",
          "{\"id\":\"a\",\"privateKey\":\"a\",\"privateKey\":\"b\"}", "{\"",
          "{\"privateKey\":\"\\"}) {
        expect_problem(AuthKind::cdp, broken, "begins like JSON");
    }
    expect_problem(AuthKind::cdp,
                   "{\"id\":\"a\",\"x\":{\"privateKey\":\"abc\"}}",
                   "needs the members");
}

TEST(AuthKey, ReadsEd25519OfCdp)
{
    EXPECT_EQ(kind_of(id_and_secret(url_alphabet(cdp_secret()))),
              SignatureKind::eddsa);
    auto key = read_auth_key(AuthKind::cdp, id_and_secret(cdp_secret()));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->key->public_bytes(), public_bytes());

    std::string seed_only = base64_encode(seed_bytes());
    expect_problem(AuthKind::cdp, id_and_secret(seed_only), "has 32 bytes");
    expect_problem(AuthKind::cdp, id_and_secret(payai_secret()),
                   "has 48 bytes");
    expect_problem(AuthKind::cdp, id_and_secret("!" + cdp_secret()),
                   "neither base64 nor PEM");
    expect_problem(AuthKind::cdp,
                   id_and_secret(base64_encode(seed_bytes() + seed_bytes())),
                   "do not belong together");
    expect_problem(AuthKind::cdp, id_and_secret(""), "has 0 bytes");
}

// The official package refuses SEC1 and written line breaks, which CDP's own
// older downloads hold; here they are accepted on purpose.
TEST(AuthKey, ReadsP256OfCdp)
{
    for (const std::string &pem :
         {std::string(kPkcs8Pem), std::string(kSec1Pem),
          written_breaks(kPkcs8Pem), written_breaks(kSec1Pem),
          "\"" + written_breaks(kSec1Pem) + "\\n\"",
          "\n" + std::string(kPkcs8Pem)}) {
        EXPECT_EQ(kind_of(id_and_secret(pem)), SignatureKind::es256);
    }
    EXPECT_EQ(kind_of("secret = " + std::string(kSec1Pem)
                      + "\nid = organizations/x/apiKeys/y"),
              SignatureKind::es256);
    expect_problem(AuthKind::cdp, id_and_secret(kP384Pem),
                   "another kind of key than EC P-256");
    expect_problem(AuthKind::cdp, id_and_secret(kEd25519Pem),
                   "another kind of key than EC P-256");
    std::string cut = std::string(kPkcs8Pem).substr(0, 100);
    expect_problem(AuthKind::cdp, id_and_secret(cut), "no readable");
    expect_problem(AuthKind::cdp,
                   id_and_secret("-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEA\n"
                                 "-----END PUBLIC KEY-----"),
                   "no readable");
}

TEST(AuthKey, ReadsPayai)
{
    for (const std::string &secret :
         {payai_secret(), "payai_sk_" + payai_secret(),
          "payai_sk_" + url_alphabet(payai_secret())}) {
        auto key = read_auth_key(AuthKind::payai, id_and_secret(secret, "kid"));
        ASSERT_TRUE(key) << secret;
        EXPECT_EQ(key->id, "kid");
        EXPECT_EQ(key->key->public_bytes(), public_bytes());
    }
    for (const std::string &secret :
         {base64_encode(seed_bytes()), cdp_secret(), std::string("!"),
          std::string("payai_sk_"), std::string(kPkcs8Pem),
          base64_encode(std::string(48, 'a'))}) {
        expect_problem(AuthKind::payai, id_and_secret(secret),
                       "PKCS#8 DER in base64");
    }
}

// Whatever is wrong with a file, its bytes are not repeated.
TEST(AuthKey, NeverRepeatsASecret)
{
    for (const char *file :
         {"id = a\nsecret = topsecret\n", "topsecret", "topsecret = a",
          "id = a\nsecret = -----BEGIN topsecret", "{\"topsecret\":",
          "{topsecret", "id = top secret\nsecret = topsecret",
          "Bearer topsecret", "id = a\nsecret = a\ntopsecret"}) {
        for (AuthKind kind :
             {AuthKind::bearer, AuthKind::cdp, AuthKind::payai}) {
            std::string text = problem(kind, file);
            EXPECT_EQ(text.find("topsecret"), std::string::npos) << text;
        }
    }
}

}  // namespace
}  // namespace x402
