// SPDX-License-Identifier: Apache-2.0
// The payment options that one challenge offers, in the operator's order.
#ifndef X402_PROTOCOL_PAYMENT_OFFER_HPP
#define X402_PROTOCOL_PAYMENT_OFFER_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sha256_digest.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// Immutable after it was built, for all that is seen of it.
class PaymentOffer {
public:
    using TermsOf = Digest (*)(const PaymentRequirements &);

    struct Option {
        PaymentRequirements requirements;
        std::string json;  // version 2
        std::size_t term;  // index of the seller's terms that it comes from
        // Id of the facilitator that contributed to it, and that alone can
        // settle it; 0: none.
        std::uint64_t bound_facilitator;
        TermsOf terms_of = nullptr;  // only in prepared offers

        // What each payment needs, made when the first one does: a large
        // configuration has more offers than are ever paid.

        // Of `json`; nullptr: the offer is not prepared. Lifetime: the offer's.
        const JsonDocument *echo() const
        {
            if (terms_of != nullptr && !parsed) {
                auto document = JsonDocument::parse(json);
                parsed =
                    document ? std::move(document.value()) : JsonDocument();
            }
            return parsed ? &*parsed : nullptr;
        }
        // Scheme, network, asset, receiver; nullptr as above.
        const Digest *terms() const
        {
            if (terms_of != nullptr && !digested) {
                digested = terms_of(requirements);
            }
            return digested ? &*digested : nullptr;
        }

        mutable std::optional<JsonDocument> parsed{};
        mutable std::optional<Digest> digested{};
    };

    void add(PaymentRequirements requirements, std::size_t term,
             std::uint64_t bound_facilitator = 0)
    {
        // Kept as a copy, which has no room for more.
        std::string json = requirements.json();
        options_.push_back({std::move(requirements), std::string(json), term,
                            bound_facilitator});
    }

    // For an offer that outlives a request: what its payments need is kept.
    // `terms_of`: see policy/claim_key.hpp.
    void prepare(TermsOf terms_of)
    {
        for (Option &option : options_) {
            option.terms_of = terms_of;
        }
    }

    const std::vector<Option> &options() const { return options_; }
    // JSON array of all requirements, version 2.
    std::string accepts_json() const
    {
        std::size_t length = 2;
        for (const Option &option : options_) {
            length += option.json.size() + 1;
        }
        std::string text;
        text.reserve(length);
        for (const Option &option : options_) {
            text += text.empty() ? '[' : ',';
            text += option.json;
        }
        return text.empty() ? "[]" : text + ']';
    }

private:
    std::vector<Option> options_;
};

}  // namespace x402

#endif
