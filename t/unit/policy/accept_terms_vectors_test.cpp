// SPDX-License-Identifier: Apache-2.0
// What build_requirements makes of the reference's vectors.
#include "policy/accept_terms.hpp"

#include <cstddef>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "policy/asset_table.hpp"
#include "policy/network_table.hpp"
#include "policy/supported_extra.hpp"
#include "protocol/payment_required.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kPayTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

const char *pay_to_on(std::string_view network)
{
    if (network.find("solana") == 0) {
        return "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4";
    }
    return network.find("algorand") == 0
               ? "RESOURCESERVERADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALTSRPAE"
               : kPayTo;
}

// price-vectors.json: what the reference makes of a price, and why we do not
// always make the same of it.

AcceptTerms terms_of_price(JsonValue row)
{
    AcceptTerms terms;
    terms.scheme = row["scheme"].string();
    terms.network = row["network"].string();
    terms.pay_to = pay_to_on(terms.network);
    JsonValue price = row["price"];
    if (price["nonJson"].exists()) {
        terms.price = price["nonJson"].string();
    } else if (price.is_object()) {
        terms.amount = price["amount"].is_string()
                           ? std::string(price["amount"].string())
                           : written(price["amount"]);
        terms.asset = price["asset"].string();
        if (price["extra"].exists()) {
            terms.extra = written(price["extra"]);
        }
    } else if (price.is_string()) {
        terms.price = price.string();
    } else if (price.is_number()) {
        terms.price = written(price);
    }
    return terms;
}

// Part of the sentence with which we refuse what the reference takes; nullptr
// where both have to agree.
const char *stricter_sentence(JsonValue row, const AcceptTerms &terms)
{
    const std::string &price = terms.price;
    // A number of a script is text here, and text has no exponent.
    if (row["price"].is_number() && price.find('e') != std::string::npos) {
        return "has an exponent";
    }
    if (row["price"].is_object()) {
        return "asset \"0xabc\" is not an EVM address";
    }
    // The reference truncates.
    const Asset *asset = default_asset(canonical_network(
        caip2_network(terms.network).value_or(terms.network)));
    std::size_t point = price.find('.');
    if (asset != nullptr && point != std::string::npos
        && price.find_last_of("0123456789") - point > asset->decimals) {
        return "decimals";
    }
    return nullptr;
}

TEST(PriceVectors, EqualTheReferenceOrAreRefusedOnPurpose)
{
    JsonDocument document = read_vectors("price-vectors.json");
    JsonValue vectors = document.root()["vectors"];
    ASSERT_EQ(vectors.size(), 102u);
    std::size_t equal = 0;
    std::size_t both_refuse = 0;
    std::size_t stricter = 0;

    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        AcceptTerms terms = terms_of_price(row);
        SCOPED_TRACE("\"" + terms.price + "\" on " + terms.network);
        Result<PaymentRequirements> built = build_requirements(terms);

        if (terms.network == "eip155:43113") {
            // Known to us from the package of version 1.
            EXPECT_TRUE(row["error"].exists());
            EXPECT_TRUE(built);
        } else if (row["error"].exists()) {
            EXPECT_FALSE(built);
            ++both_refuse;
        } else if (const char *part = stricter_sentence(row, terms)) {
            ASSERT_FALSE(built);
            EXPECT_NE(built.problem().text.find(part), std::string::npos)
                << built.problem().text;
            ++stricter;
        } else {
            ASSERT_TRUE(built) << built.problem().text;
            EXPECT_EQ(built->amount, row["amount"].string());
            EXPECT_EQ(built->asset, row["asset"].string());
            EXPECT_EQ(written(built->extra.root()),
                      row["extra"].is_null() ? "{}" : written(row["extra"]));
            ++equal;
        }
    }
    EXPECT_EQ(equal + both_refuse + stricter, 101u);
    EXPECT_EQ(equal, 55u);
    EXPECT_EQ(both_refuse, 32u);
    EXPECT_EQ(stricter, 14u);
}

// payment-required.json: whole offers, byte for byte.

struct SkippedOffer {
    const char *name;
    const char *sentence;  // of our refusal; nullptr: no terms can say it
};

constexpr SkippedOffer kSkippedOffers[] = {
    // Not in this release: members of the resource.
    {"serviceName, tags, iconUrl", nullptr},
    // Not served: escrow.
    {"upto svm (escrow flow)", "supported on eip155 networks only"},
    // Stricter: nothing is meant by a timeout of 0.
    {"maxTimeoutSeconds 0 falls back to 300", "a timeout of 0"},
};

const SkippedOffer *find_skipped(std::string_view name)
{
    for (const SkippedOffer &skipped : kSkippedOffers) {
        if (skipped.name == name) {
            return &skipped;
        }
    }
    return nullptr;
}

AcceptTerms terms_of_option(JsonValue option)
{
    AcceptTerms terms;
    terms.scheme = option["scheme"].string();
    terms.network = option["network"].string();
    terms.pay_to = option["payTo"].string();
    JsonValue price = option["price"];
    JsonValue extra = option["extra"];
    if (price.is_object()) {
        terms.amount = price["amount"].string();
        terms.asset = price["asset"].string();
        extra = price["extra"];
    } else {
        terms.price = price.string();
    }
    if (extra.exists()) {
        terms.extra = written(extra);
    }
    // Our word for it is x402_settle before.
    terms.upfront = extra["paymentFlow"].string() == "upfront";
    if (option["maxTimeoutSeconds"].exists()) {
        terms.timeout_seconds =
            static_cast<std::uint32_t>(*option["maxTimeoutSeconds"].integer());
    }
    return terms;
}

// What the facilitator of the vectors has said in /supported.
JsonDocument supported_for(const PaymentRequirements &requirements)
{
    std::string_view network = requirements.network;
    if (network.find("solana") == 0) {
        return parse_json(
            R"({"feePayer":"EwWqGE4ZFKLofuestmU4LDdK7XM1N4ALgdZccwYugwGd"})");
    }
    if (network.find("algorand") == 0) {
        return parse_json(R"({"feePayer":"FACILITATORADDRESSAAAAAAAAAAAAAAAAAA)"
                          R"(AAAAAAAAAAAAAAALQCXBZE"})");
    }
    return parse_json(R"({"facilitatorAddress":)"
                      R"("0x1111111111111111111111111111111111111111"})");
}

// The JSON array of the accepts, or the first Problem.
Result<std::string> accepts_of(JsonValue config)
{
    JsonValue options = config["accepts"];
    std::size_t count = options.is_array() ? options.size() : 1;
    std::string accepts = "[";
    for (std::size_t index = 0; index < count; ++index) {
        Result<PaymentRequirements> requirements = build_requirements(
            terms_of_option(options.is_array() ? options.at(index) : options));
        if (!requirements) {
            return requirements.problem();
        }
        Result<PaymentRequirements> whole = with_supported_extra(
            requirements.value(), supported_for(requirements.value()).root());
        if (!whole) {
            return whole.problem();
        }
        accepts += (index > 0 ? "," : "") + whole->json();
    }
    return accepts + "]";
}

void expect_same_offer(JsonValue row)
{
    JsonValue config = row["config"];
    Result<std::string> accepts = accepts_of(config);
    ASSERT_TRUE(accepts) << accepts.problem().text;

    ResourceInfo resource;
    resource.url = config["resource"].exists() ? config["resource"].string()
                                               : row["request"]["url"].string();
    resource.description = config["description"].string();
    resource.mime_type = config["mimeType"].string();
    JsonDocument reference = parse_json(row["json"].string());
    JsonValue extensions = reference.root()["extensions"];
    std::string json = payment_required_json(
        reference.root()["error"].string(), resource, accepts.value(),
        extensions.exists() ? written(extensions) : std::string());
    EXPECT_EQ(json, row["json"].string());
    EXPECT_EQ(base64_encode(json), row["header"].string());
}

TEST(OfferVectors, EqualTheReferenceByteForByte)
{
    JsonDocument document = read_vectors("payment-required.json");
    JsonValue vectors = document.root()["vectors"];
    std::size_t compared = 0;
    std::set<std::string> skipped_names;

    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        std::string name(row["name"].string());
        SCOPED_TRACE(name);
        const SkippedOffer *skipped = find_skipped(name);
        if (skipped == nullptr) {
            expect_same_offer(row);
            ++compared;
            continue;
        }
        skipped_names.insert(name);
        if (skipped->sentence != nullptr) {
            Result<std::string> accepts = accepts_of(row["config"]);
            ASSERT_FALSE(accepts);
            EXPECT_NE(accepts.problem().text.find(skipped->sentence),
                      std::string::npos)
                << accepts.problem().text;
        }
    }
    EXPECT_EQ(compared, 19u);
    EXPECT_EQ(skipped_names.size(), std::size(kSkippedOffers));
    EXPECT_EQ(vectors.size(), 22u);
}

}  // namespace
}  // namespace x402
