// SPDX-License-Identifier: Apache-2.0
#include "protocol/requirements_match.hpp"

#include <cstddef>
#include <utility>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "protocol/payment_payload.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

PaymentRequirements requirements_of(JsonValue json)
{
    PaymentRequirements requirements;
    requirements.scheme = json["scheme"].string();
    requirements.network = json["network"].string();
    requirements.amount = json["amount"].string();
    requirements.asset = json["asset"].string();
    requirements.pay_to = json["payTo"].string();
    requirements.max_timeout_seconds =
        static_cast<std::uint32_t>(*json["maxTimeoutSeconds"].integer());
    requirements.extra = parse_json(
        json["extra"].exists() ? written(json["extra"]) : std::string("{}"));
    return requirements;
}

// Which of the offered requirements is meant; -1 for none.
int matching_index(JsonValue accepted, JsonValue offered)
{
    for (std::size_t index = 0; index < offered.size(); ++index) {
        if (matches_requirements(accepted,
                                 requirements_of(offered.at(index)))) {
            return static_cast<int>(index);
        }
    }
    return -1;
}

// Rows of another version never reach the match: decoding refuses them.
void expect_version_refused(JsonValue row)
{
    std::string text =
        "{\"x402Version\":" + written(row["x402Version"])
        + ",\"payload\":{},\"accepted\":" + written(row["accepted"]) + "}";
    Result<PaymentPayload> payload =
        decode_payment_header(base64_encode(text), 2);
    ASSERT_FALSE(payload);
    EXPECT_EQ(payload.problem().text.find("Unsupported x402 version: "), 0u);
    if (row["error"].exists()) {
        EXPECT_EQ(payload.problem().text, row["error"].string());
    }
}

TEST(RequirementsMatch, MatchesAsTheReferenceDoes)
{
    JsonDocument document = read_vectors("match-vectors.json");
    JsonValue vectors = document.root()["vectors"];
    ASSERT_EQ(vectors.size(), 32u);

    std::size_t compared = 0;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        SCOPED_TRACE(std::string(row["name"].string()));
        if (row["x402Version"].integer() != 2) {
            expect_version_refused(row);
            continue;
        }
        JsonValue accepted =
            row["acceptedAbsent"].is_true() ? JsonValue() : row["accepted"];
        int match = matching_index(accepted, row["requirements"]);
        if (row["name"].string() == "extra absent in accepted, required {}") {
            // More lenient than the reference: clients in Go drop empty maps.
            EXPECT_FALSE(row["match"].is_true());
            EXPECT_EQ(match, 0);
            continue;
        }
        EXPECT_EQ(match, row["index"].is_null()
                             ? -1
                             : static_cast<int>(*row["index"].integer()));
        ++compared;
    }
    EXPECT_EQ(compared, 28u);
}

constexpr const char *kOffered =
    R"({"scheme":"exact","network":"eip155:84532","amount":"10000",)"
    R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
    R"("payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C",)"
    R"("maxTimeoutSeconds":300,"extra":{"name":"USDC","version":"2"}})";

bool matches_echo(std::string_view accepted)
{
    JsonDocument echo = parse_json(accepted);
    JsonDocument offered = parse_json(kOffered);
    return matches_requirements(echo.root(), requirements_of(offered.root()));
}

TEST(RequirementsMatch, ComparesNumbersByValue)
{
    auto with_timeout = [](const std::string &timeout) {
        std::string text = kOffered;
        return matches_echo(text.replace(text.find("300"), 3, timeout));
    };
    EXPECT_TRUE(with_timeout("300"));
    EXPECT_TRUE(with_timeout("300.0"));
    EXPECT_TRUE(with_timeout("3e2"));
    EXPECT_FALSE(with_timeout("301"));
    EXPECT_FALSE(with_timeout("300.5"));
    EXPECT_FALSE(with_timeout("-300"));
    EXPECT_FALSE(with_timeout("4294967596"));  // 2^32 + 300
    EXPECT_FALSE(with_timeout("\"300\""));
    EXPECT_FALSE(with_timeout("null"));
}

TEST(RequirementsMatch, NeedsEveryMember)
{
    JsonDocument offered = parse_json(kOffered);
    for (const auto &[left_out, unused] : offered.root().members()) {
        std::string text = "{";
        for (const auto &[key, value] : offered.root().members()) {
            if (key != left_out) {
                text += (text.size() > 1 ? ",\"" : "\"") + std::string(key)
                        + "\":" + written(value);
            }
        }
        EXPECT_FALSE(matches_echo(text + "}")) << left_out;
        // Nor does a stranger make up for it.
        EXPECT_FALSE(matches_echo(text + ",\"Extra\":{}}")) << left_out;
    }
}

TEST(RequirementsMatch, RefusesWhatIsNoObject)
{
    for (const char *text : {"null", "\"exact\"", "[]", "{}", "5", "true"}) {
        EXPECT_FALSE(matches_echo(text)) << text;
    }
}

TEST(RequirementsMatch, IgnoresBlockhashesOfSchemeExactOnSolanaOnly)
{
    PaymentRequirements offered;
    offered.scheme = "exact";
    offered.network = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";
    offered.extra = parse_json(R"({"recentBlockhash":"A","feePayer":"F"})");

    auto matches = [&offered](const char *extra) {
        std::string text = "{\"scheme\":\"" + offered.scheme
                           + "\",\"network\":\"" + offered.network
                           + "\",\"amount\":\"\",\"asset\":\"\",\"payTo\":\"\","
                             "\"maxTimeoutSeconds\":300,\"extra\":"
                           + extra + "}";
        JsonDocument accepted = parse_json(text);
        return matches_requirements(accepted.root(), offered);
    };
    EXPECT_TRUE(matches(R"({"recentBlockhash":"B","feePayer":"F"})"));
    EXPECT_TRUE(matches(R"({"feePayer":"F"})"));
    EXPECT_FALSE(matches(R"({"recentBlockhash":"A"})"));

    offered.scheme = "upto";
    EXPECT_FALSE(matches(R"({"recentBlockhash":"B","feePayer":"F"})"));
    EXPECT_TRUE(matches(R"({"recentBlockhash":"A","feePayer":"F"})"));

    offered.scheme = "exact";
    offered.network = "eip155:1";
    EXPECT_FALSE(matches(R"({"recentBlockhash":"B","feePayer":"F"})"));
}

TEST(RequirementsMatch, NestedObjectsStayObjects)
{
    PaymentRequirements offered;
    offered.extra = parse_json(R"({"a":{}})");
    auto matches = [&offered](const std::string &extra) {
        JsonDocument accepted = parse_json(
            R"({"scheme":"","network":"","amount":"","asset":"","payTo":"",)"
            R"("maxTimeoutSeconds":300,"extra":)"
            + extra + "}");
        return matches_requirements(accepted.root(), offered);
    };
    EXPECT_TRUE(matches(R"({"a":{}})"));
    EXPECT_TRUE(matches(R"({"a":{"b":1}})"));
    for (const char *extra : {"{}", R"({"a":null})", R"({"a":5})",
                              R"({"a":[]})", R"({"a":"{}"})"}) {
        EXPECT_FALSE(matches(extra)) << extra;
    }
}

// Any one byte changed in the echo either leaves its meaning or ends the match.
TEST(RequirementsMatch, NoChangedDigitOrLetterMatches)
{
    const std::string text = kOffered;
    for (std::size_t place = 0; place < text.size(); ++place) {
        char character = text[place];
        bool digit = character >= '0' && character <= '9';
        bool letter = (character | 0x20) >= 'a' && (character | 0x20) <= 'z';
        if (!digit && !letter) {
            continue;
        }
        std::string changed = text;
        changed[place] = static_cast<char>(
            digit ? '0' + (character - '0' + 1) % 10 : character ^ 0x20);
        if (changed[place] == '0' && text.compare(place, 3, "300") == 0) {
            continue;
        }
        EXPECT_FALSE(matches_echo(changed)) << changed;
    }
}

}  // namespace
}  // namespace x402
