// SPDX-License-Identifier: Apache-2.0
#include "policy/paywall_page.hpp"

#include "base/base64_codec.hpp"
#include "base/decimal_amount.hpp"
#include "base/sha256_digest.hpp"
#include "policy/asset_table.hpp"
#include "policy/network_table.hpp"
#include "policy/network_title.hpp"
#include "policy/paywall_script.hpp"
#include "protocol/html_page.hpp"

namespace x402 {

namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1b1f27;--soft:#55606f;--line:#d5dae1;--blue:#0b57b8;--note:#fff3d6;--noteink:#664a00}
@media (prefers-color-scheme:dark){:root{--paper:#12151b;--card:#1b2028;--ink:#edf0f4;--soft:#a9b4c2;--line:#363e4a;--blue:#8ab8ff;--note:#3a2f12;--noteink:#ffdf95}}
*{box-sizing:border-box}
body{margin:0;padding:2rem 1rem 3rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main{max-width:42rem;margin:0 auto}
h1{margin:.1rem 0 .6rem;font-size:1.9rem;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{margin:2rem 0 .7rem;font-size:1.15rem}
p{margin:.5rem 0}
a{color:var(--blue)}
a:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
.status{margin:0;color:var(--soft);font-size:.85rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase}
.about{font-size:1.1rem}
.about,.reason,.price{overflow-wrap:anywhere}
.reason,.test{background:var(--note);color:var(--noteink);border-radius:.4rem}
.reason{padding:.6rem .8rem}
.test{padding:.1rem .5rem;font-size:.8rem;font-weight:600;white-space:nowrap}
ul{list-style:none;margin:0;padding:0}
ul li{margin:0 0 .8rem;padding:1rem 1.1rem;background:var(--card);border:1px solid var(--line);border-radius:.7rem}
.price{margin:0 0 .7rem;font-size:1.1rem}
.price strong{font-size:1.4rem;margin-right:.3rem}
dl{margin:0;display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}
dt{color:var(--soft)}
dd{margin:0;min-width:0}
code{font:.9em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
ol{padding-left:1.3rem}
ol li{margin:.4rem 0}
ol code{white-space:nowrap}
@media (max-width:36rem){body{padding-top:1.2rem}h1{font-size:1.6rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
@media print{body{background:#fff;color:#000}}
)";

// Offers name a network as the operator wrote it.
const Asset *asset_of(const PaymentRequirements &option)
{
    return find_asset_by_address(canonical_network(option.network),
                                 option.asset);
}

std::string symbol_of(const PaymentRequirements &option)
{
    const Asset *asset = asset_of(option);
    if (asset != nullptr) {
        return std::string(asset->symbol);
    }
    std::string_view name = option.extra.root()["name"].string();
    return std::string(name.empty() ? option.asset : name);
}

std::optional<std::string> decimal_price(const PaymentRequirements &option)
{
    if (option.decimals) {
        return to_decimal(option.amount, *option.decimals);
    }
    const Asset *asset = asset_of(option);
    if (asset == nullptr) {
        return std::nullopt;
    }
    return to_decimal(option.amount, asset->decimals);
}

void append_term(std::string &page, std::string_view name,
                 std::string_view value)
{
    page += "<dt>";
    page += name;
    page += "</dt><dd><code>";
    append_html(page, value);
    page += "</code></dd>\n";
}

void append_option(std::string &page, const PaymentRequirements &option)
{
    page += "<li>\n<p class=\"price\"><strong>";
    append_html(page, readable_price(option));
    page += "</strong> on ";
    append_html(page, network_title(option.network));
    if (is_testnet(option.network).value_or(false)) {
        page += " <span class=\"test\">test money</span>";
    }
    page += "</p>\n<dl>\n";
    append_term(page, "Pay to", option.pay_to);
    append_term(page, "Token", option.asset);
    append_term(page, "Network", option.network);
    page += "</dl>\n</li>\n";
}

// A source of a Content-Security-Policy.
std::string digest_of(std::string_view text)
{
    Digest digest = sha256(text);
    return "'sha256-"
           + base64_encode(
               {reinterpret_cast<const char *>(digest.data()), digest.size()})
           + "'";
}

// The style element is allowed by its digest; everything else is forbidden.
std::string page_policy()
{
    return "default-src 'none'; base-uri 'none'; form-action 'none'; "
           "style-src "
           + digest_of(kStyle);
}

// With a wallet also the script, what it asks of this server, and what the
// content shows of this server once it is paid.
std::string wallet_policy()
{
    return page_policy() + " " + digest_of(kWalletStyle)
           + " 'self'; script-src " + digest_of(kWalletScript)
           + "; connect-src 'self'; img-src 'self' blob:; font-src 'self'";
}

void append_head(std::string &page, const std::string &price, bool wallet)
{
    static const std::string policy = page_policy();
    static const std::string with_wallet = wallet_policy();
    page += "<!DOCTYPE html>\n"
            "<html lang=\"en\">\n"
            "<head>\n"
            "<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" "
            "content=\"width=device-width, initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"";
    page += wallet ? with_wallet : policy;
    page += "\">\n"
            "<meta name=\"robots\" content=\"noindex\">\n"
            "<title>Payment required: ";
    append_html(page, price);
    page += "</title>\n<style>";
    page += kStyle;
    page += "</style>\n";
    if (wallet) {
        page += "<style>";
        page += kWalletStyle;
        page += "</style>\n";
    }
    page += "</head>\n";
}

constexpr std::string_view kHowTo = R"(<h2>How to pay</h2>
<p>Use a wallet or an agent that supports <a href="https://x402.org" rel="noreferrer">x402</a>.
Please do not send money to the address by hand: a plain transfer does not pay for this page.</p>
<ol>
<li>Request the address of this page. The response has status 402, and its header <code>PAYMENT-REQUIRED</code> contains the offer (JSON in base64).</li>
<li>Sign one of the ways to pay. A signature alone does not charge you.</li>
<li>Send the same request with the signed payment in the header <code>PAYMENT-SIGNATURE</code>. The response is the content, with a receipt in the header <code>PAYMENT-RESPONSE</code>.</li>
</ol>
)";

}  // namespace

bool is_browser(std::string_view accept, std::string_view user_agent)
{
    return accept.find("text/html") != std::string_view::npos
           && user_agent.find("Mozilla") != std::string_view::npos;
}

std::string readable_price(const PaymentRequirements &option)
{
    auto price = decimal_price(option);
    return price ? *price + " " + symbol_of(option)
                 : option.amount + " units of " + symbol_of(option);
}

std::optional<std::string> offered_value(const PaymentOffer &offer,
                                         std::string_view variable)
{
    if (offer.options().empty()) {
        return std::nullopt;
    }
    const PaymentRequirements &option = offer.options().front().requirements;
    if (variable == "x402_price") {
        return decimal_price(option).value_or("");
    }
    if (variable == "x402_amount") {
        return option.amount;
    }
    if (variable == "x402_asset") {
        return option.asset;
    }
    if (variable == "x402_network") {
        return option.network;
    }
    if (variable == "x402_scheme") {
        return option.scheme;
    }
    if (variable == "x402_pay_to") {
        return option.pay_to;
    }
    return std::nullopt;
}

std::string paywall_page(const PaymentOffer &offer,
                         const ResourceInfo &resource, std::string_view reason,
                         bool wallet)
{
    std::string price;
    if (!offer.options().empty()) {
        price = readable_price(offer.options().front().requirements);
    }
    std::string page;
    page.reserve((wallet ? 24 : 8) * 1024);
    append_head(page, price, wallet);
    page += "<body>\n<main>\n"
            "<p class=\"status\">402 Payment Required</p>\n"
            "<h1>This costs ";
    append_html(page, price);
    page += "</h1>\n";
    if (!resource.description.empty()) {
        page += "<p class=\"about\" dir=\"auto\">";
        append_html(page, resource.description);
        page += "</p>\n";
    }
    page += "<p><code>";
    append_html(page, resource.url);
    page += "</code></p>\n";
    if (!reason.empty()) {
        page += "<p class=\"reason\" role=\"status\" dir=\"auto\">";
        append_html(page, reason);
        page += "</p>\n";
    }
    page += offer.options().size() > 1 ? "<h2>Ways to pay</h2>\n<ul>\n"
                                       : "<h2>What to pay</h2>\n<ul>\n";
    for (const auto &option : offer.options()) {
        append_option(page, option.requirements);
    }
    page += "</ul>\n";
    page += kHowTo;
    page += "</main>\n";
    if (wallet) {
        page += "<script>";
        page += kWalletScript;
        page += "</script>\n";
    }
    page += "</body>\n</html>\n";
    return page;
}

}  // namespace x402
