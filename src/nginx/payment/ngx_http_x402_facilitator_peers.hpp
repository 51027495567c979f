// SPDX-License-Identifier: Apache-2.0
// Which facilitator of a location is called about a payment, what its health
// says about that, and which one is called instead if it fails.
#ifndef NGX_HTTP_X402_FACILITATOR_PEERS_HPP
#define NGX_HTTP_X402_FACILITATOR_PEERS_HPP

#include "facilitator/verify_answer.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

struct PeerChoice {
    Endpoint *endpoint = nullptr;  // nullptr: ctx.answer says why
    bool settle_first = false;     // and do not verify
    bool probe = false;

    // The call is made now.
    void use() const
    {
        if (probe) {
            endpoint->health.begin_probe(ngx_current_msec);
        }
    }
};

// The peer to call about ctx.payment, whose payment option is known: the first
// that is available, else the first that at least answers. None if all are
// silent, or if this payment was refused a moment ago for a reason that cannot
// change. Peers that may verify instead are left in ctx.payment->others.
PeerChoice choose_peer(RequestCtx &ctx, Worker &worker);

// Whether choose_peer() would find one that is available, or at least answers.
bool has_peer(const RequestCtx &ctx, Worker &worker);

// Builds the body of verify and settle for the payment option, in the version
// of x402 that this facilitator lists.
void build_request(RequestCtx &ctx, const FacilitatorConf &asked);

// The peers that may settle instead of the one that verified, provided that
// nothing was sent.
std::vector<Endpoint *> others_to_settle(const RequestCtx &ctx, Worker &worker);

// Verify failed at ctx.asked: true if another peer is being called.
bool verify_elsewhere(RequestCtx &ctx, const FacilitatorReply &reply,
                      const VerifyAnswer &answer);

// What an answer to verify means, for the payment and for the health of the
// facilitator. Without memory it is a verdict that admits nothing.
VerifyAnswer take_verdict(RequestCtx &ctx, const FacilitatorReply &reply);

// Remembers that the facilitator ctx.asked refused it, if the reason cannot
// change.
void remember_refusal(const RequestCtx &ctx, const std::string &reason);

}  // namespace x402

#endif
