// What build_requirements makes of the reference's vectors.
#include "policy/accept_terms.hpp"

#include <cstddef>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "protocol/payment_required.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kPayTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

// price-vectors.json: what the reference makes of a price, and why we do not
// always make the same of it.

bool has_letter(std::string_view text)
{
    for (char character : text) {
        if ((character | 0x20) >= 'a' && (character | 0x20) <= 'z') {
            return true;
        }
    }
    return false;
}

AcceptTerms terms_of_price(JsonValue row)
{
    AcceptTerms terms;
    terms.pay_to = kPayTo;
    terms.scheme = row["scheme"].string();
    terms.network = row["network"].string();
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
    if (terms.scheme != "exact") {
        return "scheme";
    }
    if (terms.network.find("solana") == 0
        || terms.network.find("algorand") == 0) {
        return "which is not served yet";
    }
    // A number of a script is text here, and text has no exponent.
    if (row["price"].is_number() && price.find('e') != std::string::npos) {
        return "has an exponent";
    }
    if (row["extra"]["assetTransferMethod"].string() == "permit2") {
        return "permit2";
    }
    if (row["price"].is_object()) {
        return "asset \"0xabc\" is no EVM address";
    }
    if (price.find('$') != std::string::npos && has_letter(price)) {
        return "names dollars and a token";
    }
    // The reference truncates.
    std::size_t point = price.find('.');
    if (point != std::string::npos
        && price.find_last_of("0123456789") - point > 6) {
        return "is finer than the asset's 6 decimals";
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
            EXPECT_EQ(written(built->extra.root()), written(row["extra"]));
            ++equal;
        }
    }
    EXPECT_EQ(equal + both_refuse + stricter, 101u);
    EXPECT_EQ(equal, 38u);
    EXPECT_EQ(both_refuse, 32u);
    EXPECT_EQ(stricter, 31u);
}

// payment-required.json: whole offers, byte for byte.

struct SkippedOffer {
    const char *name;
    const char *sentence;  // of our refusal; nullptr: no terms can say it
};

constexpr SkippedOffer kSkippedOffers[] = {
    // Not in this release: members of the resource, extensions.
    {"serviceName, tags, iconUrl", nullptr},
    {"builder-code", nullptr},
    {"unregistered extension passed through", nullptr},
    // Not in this release: other families, schemes and transfer methods.
    {"two accepts (base + solana)", "family solana"},
    {"algorand", "family algorand"},
    {"permit2 without eip2612", "permit2"},
    {"eip2612 + erc20 gas sponsoring", "permit2"},
    {"upto evm (facilitatorAddress checksummed)", "scheme \"upto\""},
    {"upto svm (escrow flow)", "scheme \"upto\""},
    {"paymentFlow upfront", "paymentFlow"},
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
    if (option["maxTimeoutSeconds"].exists()) {
        terms.timeout_seconds =
            static_cast<std::uint32_t>(*option["maxTimeoutSeconds"].integer());
    }
    return terms;
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
        accepts += (index > 0 ? "," : "") + requirements->json();
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
    std::string json = payment_required_json(reference.root()["error"].string(),
                                             resource, accepts.value());
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
    EXPECT_EQ(compared, 11u);
    EXPECT_EQ(skipped_names.size(), std::size(kSkippedOffers));
    EXPECT_EQ(vectors.size(), 22u);
}

}  // namespace
}  // namespace x402
