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

// Immutable after it was built.
class PaymentOffer {
public:
    struct Option {
        PaymentRequirements requirements;
        std::string json;  // version 2
        std::size_t term;  // index of the seller's terms that it comes from
        // Id of the facilitator that contributed to it, and that alone can
        // settle it; 0: none.
        std::uint64_t bound_facilitator;
        // Only in prepared offers.
        JsonDocument echo{};            // of `json`
        std::optional<Digest> terms{};  // scheme, network, asset, receiver
    };

    void add(PaymentRequirements requirements, std::size_t term,
             std::uint64_t bound_facilitator = 0)
    {
        std::string json = requirements.json();
        accepts_json_.insert(accepts_json_.size() - 1,
                             (options_.empty() ? "" : ",") + json);
        options_.push_back({std::move(requirements), std::move(json), term,
                            bound_facilitator});
    }

    // For an offer that outlives a request: computes once what each of its
    // payments needs. `terms_of`: see policy/claim_key.hpp.
    void prepare(Digest (*terms_of)(const PaymentRequirements &))
    {
        for (Option &option : options_) {
            option.terms = terms_of(option.requirements);
            auto echo = JsonDocument::parse(option.json);
            option.echo = echo ? std::move(echo.value()) : JsonDocument();
        }
    }

    const std::vector<Option> &options() const { return options_; }
    // JSON array of all requirements, version 2.
    const std::string &accepts_json() const { return accepts_json_; }

private:
    std::vector<Option> options_;
    std::string accepts_json_ = "[]";
};

}  // namespace x402

#endif
