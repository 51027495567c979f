// Which facilitator of a location's is asked about a payment, what its health
// says about that, and who is asked instead when it fails.
#ifndef NGX_HTTP_X402_FACILITATOR_PEERS_HPP
#define NGX_HTTP_X402_FACILITATOR_PEERS_HPP

#include "facilitator/verify_answer.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

struct PeerChoice {
    Endpoint *endpoint = nullptr;  // nullptr: ctx.answer says why nobody
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

// Who is to be asked about ctx.payment, whose way is known: the first who is
// well, else the first who at least answers. Nobody, when all are silent or
// when this payment was refused a moment ago for what cannot change. Those who
// may verify instead are left in ctx.payment->others.
PeerChoice choose_peer(RequestCtx &ctx, Worker &worker);

// What verify and settle of the payment's way are asked with, by the version of
// x402 that this facilitator lists.
void build_request(RequestCtx &ctx, const FacilitatorConf &asked);

// Who may stand in for the one that verified, provided that nothing was sent.
std::vector<Endpoint *> others_to_settle(const RequestCtx &ctx, Worker &worker);

// Verify failed at ctx.asked: true when another member is being asked.
bool verify_elsewhere(RequestCtx &ctx, const FacilitatorReply &reply,
                      const VerifyAnswer &answer);

// What an answer to verify means, for the payment and for the health of who
// gave it. Without memory it is a verdict that opens nothing.
VerifyAnswer take_verdict(RequestCtx &ctx, const FacilitatorReply &reply);

// The facilitator ctx.asked refused it. Of another reason nothing is kept.
void remember_refusal(const RequestCtx &ctx, const std::string &reason);

}  // namespace x402

#endif
