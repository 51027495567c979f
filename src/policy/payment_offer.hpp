// What one configuration offers: its ways to pay, in the operator's order.
#ifndef X402_POLICY_PAYMENT_OFFER_HPP
#define X402_POLICY_PAYMENT_OFFER_HPP

#include <string>
#include <utility>
#include <vector>

#include "policy/requirements_match.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// Immutable after it was built. Requests compare offers by address.
class PaymentOffer {
public:
    struct Way {
        PaymentRequirements requirements;
        std::string json;
    };

    void add(PaymentRequirements requirements)
    {
        std::string json = requirements.json();
        accepts_json_.insert(accepts_json_.size() - 1,
                             (ways_.empty() ? "" : ",") + json);
        ways_.push_back({std::move(requirements), std::move(json)});
    }

    // The first way the client's `accepted` means; nullptr for none.
    const Way *match(JsonValue accepted) const
    {
        for (const Way &way : ways_) {
            if (matches_requirements(accepted, way.requirements)) {
                return &way;
            }
        }
        return nullptr;
    }

    const std::vector<Way> &ways() const { return ways_; }
    // JSON array of all requirements.
    const std::string &accepts_json() const { return accepts_json_; }

private:
    std::vector<Way> ways_;
    std::string accepts_json_ = "[]";
};

}  // namespace x402

#endif
