// SPDX-License-Identifier: Apache-2.0
// Whether a payment may begin: it needs a facilitator that answers, a slot
// among the payments in flight, and a place in the share of its client. The
// order of checks is the same for all. Nothing is taken before begin().
#ifndef NGX_HTTP_X402_ADMISSION_HPP
#define NGX_HTTP_X402_ADMISSION_HPP

#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"

namespace x402 {

enum class AdmissionKind {
    payment,   // not verified yet: counts in its client's share
    token,     // a bearer token; the location has one facilitator
    resettle,  // an unknown outcome: may use the slots that are reserved
};

class Admission {
public:
    // Lifetime: borrows the worker, within one call of the access phase.
    Admission(RequestCtx &ctx, Worker &worker, AdmissionKind kind);

    explicit operator bool() const { return denied_ == Denied::no; }
    // Logs which limit was reached and answers the request. Precondition:
    // !*this.
    void refuse(RequestCtx &ctx) const;
    // For kind `payment`: the peer, unless no facilitator is available.
    const PeerChoice &peer() const { return peer_; }
    // The payment begins: takes the slot and the place into ctx, and uses up
    // the breaker's probe. Precondition: *this.
    void begin(RequestCtx &ctx);

private:
    enum class Denied { no, facilitator, slots, share };

    Worker &worker_;
    PeerChoice peer_;
    QuotaSlot place_;
    Denied denied_ = Denied::no;
};

}  // namespace x402

#endif
