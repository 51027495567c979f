// The steps of a presented payment in the access phase, shared by the files
// that take them. All of them work on ctx and leave the answer, if there is
// one, in ctx.answer.
#ifndef NGX_HTTP_X402_PAYMENT_HPP
#define NGX_HTTP_X402_PAYMENT_HPP

#include "nginx/payment/ngx_http_x402_access.hpp"

namespace x402 {

// Decided without a call: nothing is taken.
void decide(RequestCtx &ctx, OwnReply answer);
// The same, as a 402 with a fresh offer.
void challenge(RequestCtx &ctx, std::string error);
// Like challenge(), for a payment that is no good and not just spent: with the
// status of x402_refuse_status.
void refuse_payment(RequestCtx &ctx, std::string error);
// Retry-After is never longer than the payment stays usable.
void cap_retry(RequestCtx &ctx);

// The requirement this payment meets, and the request that says so.
void set_option(RequestCtx &ctx, const PaymentOffer::Option &option);

// What verify and settle ask about this way, in payment->asked_version.
std::string request_of(const RequestCtx &ctx,
                       const PaymentOffer::Option &option);

// When this payment is settled (ngx_http_x402_settle_time.cpp). `distrusted`:
// this very payment was refused before, and is not given the backend's work on
// trust again.
void set_settle_time(RequestCtx &ctx, bool distrusted);
// A request to a location that is paid by tokens, with or without one
// (ngx_http_x402_token.cpp).
void receive_token(RequestCtx &ctx);

// Scheme upto: settles this much, in atomic units, of the way's maximum. False:
// it cannot be written.
bool set_amount(RequestCtx &ctx, const std::string &amount);

// Asks this facilitator; what it answers is taken up by the request.
void begin_verify(RequestCtx &ctx, Endpoint &endpoint);

// A payment whose claim is known (ngx_http_x402_resume.cpp). True: it has been
// answered or taken up; false: it may begin anew.
bool answer_from_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim);

// What can be said of a payment without asking anybody. False: ctx.answer says
// what is wrong with it.
bool meets_offer(RequestCtx &ctx, bool distrusted);

// A payment whose claim is UNKNOWN, settled before content and never verified,
// may have been forged with another's name and nonce. Who comes with terms that
// somebody else signed is verified, and then takes the claim over
// (ngx_http_x402_claim_takeover.cpp). True: taken up or answered; false: it is
// not that.
bool take_over_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim);
// It is verified.
void settle_disputed_claim(RequestCtx &ctx, Worker &worker);

// Extension payment-identifier (ngx_http_x402_identifier.cpp). False: the
// payment has been answered, because it is not named as it has to be, or
// another payment has its name.
bool check_identifier(RequestCtx &ctx, Worker &worker);
// The payment takes its name, before content is made. False: it cannot have it,
// and ctx.answer says so.
bool record_identifier(RequestCtx &ctx);

// The payment is in other hands: true when this request waits for it (its
// access phase runs again), false when it has waited long enough.
bool wait_for_claim(RequestCtx &ctx);

// Settles before content is made (ngx_http_x402_settle_first.cpp); the session
// is in state settling_first.
void settle_first(RequestCtx &ctx, Worker &worker, Endpoint &endpoint,
                  SettlementTerms terms);

// Takes the answer of a call to the request and lets it run on; when that
// throws, the request ends with 500 and its cleanup gives the claim back. The
// request may be gone afterwards.
template <class Body> void resume_request(ngx_http_request_t *r, Body &&body)
{
    bool taken = guarded(r->connection->log, false, [&] {
        body();
        return true;
    });
    if (taken) {
        resume_phases(r);
        return;
    }
    ngx_connection_t *c = r->connection;
    ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    ngx_http_run_posted_requests(c);
}

}  // namespace x402

#endif
