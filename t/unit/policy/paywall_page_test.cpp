// SPDX-License-Identifier: Apache-2.0
#include "policy/paywall_page.hpp"

#include <random>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "base/sha256_digest.hpp"
#include "policy/network_title.hpp"
#include "protocol/html_page.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kPayTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

PaymentRequirements usdc(const char *network, const char *asset)
{
    PaymentRequirements option;
    option.scheme = "exact";
    option.network = network;
    option.amount = "10000";
    option.asset = asset;
    option.pay_to = kPayTo;
    option.extra = parse_json("{}");
    return option;
}

PaymentRequirements base_sepolia()
{
    return usdc("eip155:84532", "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
}

PaymentOffer offer_of(PaymentRequirements option)
{
    PaymentOffer offer;
    offer.add(std::move(option), 0);
    return offer;
}

bool has(const std::string &page, std::string_view text)
{
    return page.find(text) != std::string::npos;
}

// Everything between < and >, in order.
std::string tags_of(const std::string &page)
{
    std::string tags;
    bool inside = false;
    for (char letter : page) {
        inside = inside || letter == '<';
        if (inside) {
            tags += letter;
        }
        inside = inside && letter != '>';
    }
    return tags;
}

TEST(PaywallPage, SaysWhatAPayerHasToKnow)
{
    PaymentOffer offer;
    offer.add(base_sepolia(), 0);
    offer.add(usdc("eip155:8453", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
              1);
    std::string page = paywall_page(
        offer,
        {"https://api.example.com/a?b=1&c=2", "Weather <now>", "text/plain"},
        "Please & thanks");
    for (const char *text :
         {"<html lang=\"en\">", "<title>Payment required: 0.01 USDC</title>",
          "<h1>This costs 0.01 USDC</h1>", "Base Sepolia", "test money",
          "</strong> on Base</p>", "eip155:84532", kPayTo,
          "https://api.example.com/a?b=1&amp;c=2", "Weather &lt;now&gt;",
          "Please &amp; thanks", "PAYMENT-REQUIRED", "PAYMENT-SIGNATURE",
          "PAYMENT-RESPONSE", "width=device-width", "Ways to pay"}) {
        EXPECT_TRUE(has(page, text)) << text;
    }
}

// Of all texts between <tag> and </tag>, as a policy has them.
std::string digests_of(const std::string &page, const std::string &tag)
{
    std::string digests;
    for (std::size_t at = 0;
         (at = page.find("<" + tag + ">", at)) != std::string::npos;) {
        at += tag.size() + 2;
        std::size_t end = page.find("</" + tag + ">", at);
        Digest digest = sha256(page.substr(at, end - at));
        digests +=
            " 'sha256-"
            + base64_encode(
                {reinterpret_cast<const char *>(digest.data()), digest.size()})
            + "'";
    }
    return digests;
}

TEST(PaywallPage, WithAWalletHasOneScriptThatItsPolicyAllows)
{
    PaymentOffer offer = offer_of(base_sepolia());
    std::string page = paywall_page(offer, {}, "", true);
    std::string plain = paywall_page(offer, {}, "");
    EXPECT_TRUE(has(page, "script-src" + digests_of(page, "script") + ";"));
    EXPECT_TRUE(
        has(page, "style-src" + digests_of(page, "style") + " 'self';"));
    EXPECT_TRUE(has(page, "connect-src 'self'"));
    EXPECT_FALSE(has(page, "unsafe"));
    EXPECT_EQ(page.find("<script>"), page.rfind("<script"));
    EXPECT_EQ(page.find("</script>"), page.rfind("</script"));
    EXPECT_LT(page.size(), plain.size() + 13 * 1024);
    EXPECT_FALSE(has(plain, "script"));
    EXPECT_FALSE(has(plain, "connect-src"));
}

TEST(PaywallPage, NamesATokenByAnySpellingOfItsNetwork)
{
    for (const char *network :
         {"algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe",
          "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI="}) {
        EXPECT_EQ(readable_price(usdc(network, "10458941")), "0.01 USDC")
            << network;
    }
}

TEST(PaywallPage, LoadsNothingAndRunsNothing)
{
    std::string page = paywall_page(offer_of(base_sepolia()), {}, "");
    for (const char *text : {"<script", " src=", "<link", "@import", "url(",
                             " on", "javascript:", "style=\""}) {
        EXPECT_FALSE(has(tags_of(page), text)) << text;
    }
    // The one style element is the one whose digest is allowed.
    std::size_t begin = page.find("<style>") + 7;
    std::string style = page.substr(begin, page.find("</style>") - begin);
    Digest digest = sha256(style);
    std::string allowed = base64_encode(
        {reinterpret_cast<const char *>(digest.data()), digest.size()});
    EXPECT_TRUE(has(page, "style-src 'sha256-" + allowed + "'"));
    EXPECT_EQ(style.find('<'), std::string::npos);
    EXPECT_EQ(style.find("url("), std::string::npos);
}

// No text adds a tag or an attribute.
TEST(PaywallPage, IsTheSamePageWhateverIsSaid)
{
    const std::string expected = tags_of(paywall_page(
        offer_of(base_sepolia()), {"url", "description", ""}, "reason"));
    std::minstd_rand random(402);
    auto hostile = [&random] {
        constexpr std::string_view kWords[] = {"<script>alert(1)</script>",
                                               "\"><img src=x onerror=x>",
                                               "' onload='x",
                                               "</code></main>",
                                               "<!--",
                                               "&lt;",
                                               "--><b>",
                                               "\x80"};
        std::string text;
        for (unsigned count = 1 + random() % 4; count > 0; --count) {
            text += kWords[random() % 8];
            text += static_cast<char>(random() % 256);
        }
        return text;
    };
    for (unsigned attempt = 0; attempt < 2000; ++attempt) {
        PaymentRequirements option = base_sepolia();
        std::string url = hostile();
        std::string description = hostile();
        option.pay_to = hostile();
        if (attempt % 2) {
            option.asset = hostile();
        }
        std::string page = paywall_page(offer_of(std::move(option)),
                                        {url, description, ""}, hostile());
        ASSERT_EQ(tags_of(page), expected) << page;
    }
}

TEST(PaywallPage, LeavesOutWhatThereIsNothingToSayOf)
{
    std::string page =
        paywall_page(offer_of(base_sepolia()), {"u", "", ""}, "");
    EXPECT_FALSE(has(page, "class=\"about\""));
    EXPECT_FALSE(has(page, "class=\"reason\""));
    EXPECT_TRUE(has(page, "What to pay"));
    PaymentRequirements real =
        usdc("eip155:8453", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
    EXPECT_FALSE(
        has(paywall_page(offer_of(std::move(real)), {}, ""), "class=\"test\""));
}

TEST(PaywallPage, NamesPricesThatItCanRead)
{
    EXPECT_EQ(readable_price(base_sepolia()), "0.01 USDC");
    PaymentRequirements own = base_sepolia();
    own.asset = "0x1111111111111111111111111111111111111111";
    EXPECT_EQ(readable_price(own), "10000 units of " + own.asset);
    own.decimals = 2;
    own.extra = parse_json(R"({"name":"Example Dollar"})");
    EXPECT_EQ(readable_price(own), "100 Example Dollar");
}

TEST(PaywallPage, OffersTheValuesOfTheFirstWay)
{
    PaymentOffer offer = offer_of(base_sepolia());
    EXPECT_EQ(offered_value(offer, "x402_price"), "0.01");
    EXPECT_EQ(offered_value(offer, "x402_amount"), "10000");
    EXPECT_EQ(offered_value(offer, "x402_network"), "eip155:84532");
    EXPECT_EQ(offered_value(offer, "x402_scheme"), "exact");
    EXPECT_EQ(offered_value(offer, "x402_pay_to"), kPayTo);
    EXPECT_EQ(offered_value(offer, "x402_asset"),
              "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
    EXPECT_EQ(offered_value(offer, "x402_state"), std::nullopt);
    EXPECT_EQ(offered_value(offer, "uri"), std::nullopt);
    EXPECT_EQ(offered_value(PaymentOffer(), "x402_price"), std::nullopt);
}

TEST(Browser, SaysSoInTwoHeaders)
{
    EXPECT_TRUE(is_browser("text/html,*/*;q=0.8", "Mozilla/5.0 (X11)"));
    EXPECT_FALSE(is_browser("*/*", "Mozilla/5.0"));
    EXPECT_FALSE(is_browser("text/html", "curl/7"));
    EXPECT_FALSE(is_browser("TEXT/HTML", "Mozilla/5.0"));
    EXPECT_FALSE(is_browser("text/html", "mozilla/5.0"));
    EXPECT_FALSE(is_browser("", ""));
}

TEST(NetworkTitle, IsTheNameThatPeopleKnow)
{
    EXPECT_EQ(network_title("eip155:8453"), "Base");
    EXPECT_EQ(network_title("eip155:0084532"), "Base Sepolia");
    EXPECT_EQ(network_title("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
              "Solana");
    EXPECT_EQ(network_title("algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k"),
              "Algorand");
    EXPECT_EQ(network_title("stellar:testnet"), "Stellar Testnet");
    EXPECT_EQ(network_title("eip155:424242"), "eip155:424242");
}

}  // namespace
}  // namespace x402
