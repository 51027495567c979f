// SPDX-License-Identifier: Apache-2.0
#include "policy/challenge_body.hpp"

#include "base/json_text.hpp"
#include "policy/network_title.hpp"
#include "policy/paywall_page.hpp"
#include "policy/refusal_words.hpp"
#include "policy/scheme_payload.hpp"
#include "protocol/payment_payload.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMostWays = 3;

struct Hint {
    std::string_view part;  // of the reason
    std::string_view text;
};

// The first that fits.
constexpr Hint kHints[] = {
    {kSignInRequired.word,
     "sign the text of the extension sign-in-with-x of the offer, and send it "
     "in the header SIGN-IN-WITH-X; nothing is charged"},
    {"insufficient_funds",
     "the wallet has less of the token than the price, on this network"},
    {"insufficient_balance",
     "the wallet has less of the token than the price, on this network"},
    {"simulation_failed",
     "the transfer would fail: is the wallet empty, or the token on another "
     "network?"},
    {"allowance_required", "approve Permit2 for this token once, then pay"},
    {"allowance", "approve Permit2 for this token once, then pay"},
    {"nonce_already_used", "sign a new payment: this one was used before"},
    {"nonce_used", "sign a new payment: this one was used before"},
    {"valid_before", "sign a new payment: this one has expired, or expires "
                     "before it can be settled"},
    {"valid_after", "the payment is not valid yet: is the clock right?"},
    {"deadline", "sign a new payment: this one has expired, or expires before "
                 "it can be settled"},
    {"recipient_mismatch", "pay to the address in the offer"},
    {"signature", "the signature is not that of the payer for exactly these "
                  "terms: check chain id, token name and version"},
    {"amount_mismatch", "sign exactly the amount of the offer"},
    {kNoMatchingRequirements,
     "take one of `accepts` in the offer, unchanged; the price may have "
     "moved"},
};

}  // namespace

std::string_view refusal_hint(std::string_view reason)
{
    for (const Hint &hint : kHints) {
        if (reason.find(hint.part) != std::string_view::npos) {
            return hint.text;
        }
    }
    return {};
}

std::string challenge_body_json(std::string_view error,
                                const PaymentOffer *offer,
                                std::string_view offer_header,
                                std::string_view help)
{
    std::string text = "{";
    text.reserve(512);
    if (!error.empty()) {
        append_json_key(text, "error");
        append_json_string(text, error);
    }
    append_json_key(text, "accepts");
    text += "[]";
    bool has_price = offer && !offer->options().empty()
                     && offer->options()[0].requirements.plan.empty();
    if (has_price && !offer_header.empty()) {
        std::string message = "This costs ";
        message.reserve(256);
        const auto &options = offer->options();
        for (std::size_t i = 0; i < options.size() && i < kMostWays; i++) {
            const PaymentRequirements &way = options[i].requirements;
            message += i == 0 ? "" : ", or ";
            message += way.scheme == "upto" ? "at most " : "";
            message +=
                readable_price(way) + " on " + network_title(way.network);
        }
        message += options.size() > kMostWays ? ", or in other ways" : "";
        message +=
            "; the header " + std::string(offer_header) + " has the offer.";
        append_json_key(text, "message");
        append_json_string(text, message);
    }
    std::string_view hint =
        error == kPaymentRequired ? std::string_view() : refusal_hint(error);
    if (!hint.empty()) {
        append_json_key(text, "hint");
        append_json_string(text, hint);
    }
    append_json_key(text, "help");
    append_json_string(text, help.empty() ? kHelpUrl : help);
    text.push_back('}');
    return text;
}

}  // namespace x402
