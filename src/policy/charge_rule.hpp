// SPDX-License-Identifier: Apache-2.0
// Whether a response is charged (status codes: RFC 9110).
#ifndef X402_POLICY_CHARGE_RULE_HPP
#define X402_POLICY_CHARGE_RULE_HPP

namespace x402 {

struct ContentFacts {
    unsigned status = 0;
    bool status_from_upstream = false;  // not produced by nginx itself
    bool grpc_failed = false;           // grpc-status in the header, not 0
    bool success_only = false;          // only a 2xx is charged
    bool made_where_free = false;       // in a location with `x402 off`
    bool filter_failed = false;         // a filter could not pass it on
};

enum class Charge { free, charged, unservable };

// Settled after content: errors, nginx's own redirects, any 304 and what a
// location with `x402 off` produced (an error page, say) are free.
// Interim and protocol-switching responses cannot be held: unservable.
constexpr Charge charge_of(const ContentFacts &facts)
{
    if (facts.status < 200) {
        return Charge::unservable;
    }
    if (facts.status >= 400 || facts.status == 304 || facts.grpc_failed
        || facts.made_where_free) {
        return Charge::free;
    }
    if (facts.status >= 300
        && (facts.success_only || !facts.status_from_upstream)) {
        return Charge::free;
    }
    return Charge::charged;
}

// Whether a response counts as delivery after the money has moved. With settle
// `before` the client bears the seller's 4xx, but not its outages or filters; a
// payment whose settlement was finished late (`after`) does not pay for any
// error.
constexpr bool is_delivery(const ContentFacts &facts, bool settled_before)
{
    if (facts.grpc_failed || facts.made_where_free || facts.filter_failed) {
        return false;
    }
    if (!settled_before) {
        return facts.status < 400;
    }
    return facts.status < 500 && facts.status != 408 && facts.status != 429;
}

}  // namespace x402

#endif
