// Is this answer of the content charged? (status codes: RFC 9110)
#ifndef X402_POLICY_CHARGE_RULE_HPP
#define X402_POLICY_CHARGE_RULE_HPP

namespace x402 {

struct ContentFacts {
    unsigned status = 0;
    bool status_from_upstream = false;  // not made by nginx itself
    bool grpc_failed = false;           // grpc-status in the header, not 0
    bool success_only = false;          // nothing but a 2xx is charged
};

enum class Charge { free, charged, unservable };

// Settled after content: errors, nginx's own redirects and any 304 are free.
// Interim and protocol-switching answers cannot be held: unservable.
constexpr Charge charge_of(const ContentFacts &facts)
{
    if (facts.status < 200) {
        return Charge::unservable;
    }
    if (facts.status >= 400 || facts.status == 304 || facts.grpc_failed) {
        return Charge::free;
    }
    if (facts.status >= 300
        && (facts.success_only || !facts.status_from_upstream)) {
        return Charge::free;
    }
    return Charge::charged;
}

// The money has moved already: does this answer count as delivery? With settle
// `before` the client risks the seller's 4xx, not his outages; a payment whose
// settlement was finished late (`after`) buys no error at all.
constexpr bool is_delivery(const ContentFacts &facts, bool settled_before)
{
    if (facts.grpc_failed) {
        return false;
    }
    if (!settled_before) {
        return facts.status < 400;
    }
    return facts.status < 500 && facts.status != 408 && facts.status != 429;
}

}  // namespace x402

#endif
