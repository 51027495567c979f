// A presented payment on its way to a claim, and what comes of the calls that
// are made for it in the access phase.
#include <algorithm>

#include "base/decimal_amount.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/ngx_http_x402_access.hpp"
#include "nginx/ngx_http_x402_log.hpp"
#include "nginx/ngx_http_x402_quote.hpp"
#include "nginx/ngx_http_x402_reply.hpp"
#include "policy/claim_key.hpp"
#include "policy/network_table.hpp"
#include "protocol/facilitator_messages.hpp"

namespace x402 {

namespace {

// A claim outlives its payment by this much: whatever the facilitator's clock.
constexpr std::int64_t kAfterlife = 600;

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
        wake(r);
        return;
    }
    ngx_connection_t *c = r->connection;
    ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    ngx_http_run_posted_requests(c);
}

// Decided without a call: nothing is taken yet.
void decide(RequestCtx &ctx, Answer answer)
{
    ctx.state = State::closed;
    ctx.slot = Slot();
    ctx.answer = std::move(answer);
}

void challenge(RequestCtx &ctx, std::string error)
{
    log_line(NGX_LOG_INFO, ctx.r->connection->log,
             "payment refused: " + log_excerpt(error));
    decide(ctx, challenge_answer(std::move(error)));
}

// Retry-After is never longer than the payment stays usable.
void cap_retry(RequestCtx &ctx)
{
    std::int64_t left = ctx.payment->authorization.valid_before - ngx_time();
    if (ctx.answer.retry_after > 0
        && static_cast<std::int64_t>(ctx.answer.retry_after) > left) {
        ctx.answer.retry_after = left > 0 ? static_cast<ngx_uint_t>(left) : 0;
    }
}

bool fill_facts(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    const Eip3009Authorization &authorization = payment.authorization;
    auto key = eip3009_claim_key(payment.payload.accepted(), authorization);
    std::string client;
    if (!key || !redeliver_key(ctx.r, ctx.conf, client)) {
        return false;
    }
    ClaimFacts &facts = payment.facts;
    facts.key = *key;
    facts.resource = resource_digest(view(ctx.r->method_name), host_of(ctx.r),
                                     view(ctx.r->unparsed_uri));
    facts.redeliver_key = sha256(client);
    facts.payer =
        sha256({reinterpret_cast<const char *>(authorization.from.data()),
                authorization.from.size()});
    if (auto amount = atomic_amount_bytes(authorization.value)) {
        facts.amount = *amount;
    }
    std::int64_t last = INT64_MAX - kAfterlife;
    facts.expires = std::min(authorization.valid_before, last) + kAfterlife;
    payment.payer = std::string(authorization.from_text);
    return true;
}

// Header to payment; false: ctx.answer says why not.
bool read_payment(RequestCtx &ctx)
{
    auto payload = decode_payment_signature(view(ctx.presented));
    if (!payload) {
        challenge(ctx, payload.problem().text);
        return false;
    }
    JsonValue accepted = payload->accepted();
    bool known_form =
        accepted["scheme"].string() == "exact"
        && eip155_chain_id(canonical_network(accepted["network"].string()));
    if (!known_form) {
        challenge(ctx, "No matching payment requirements");
        return false;
    }
    auto authorization = parse_eip3009_payload(payload->payload());
    if (!authorization) {
        challenge(ctx, "invalid_payload");
        return false;
    }
    ctx.payment = std::make_unique<Payment>();
    ctx.payment->authorization = *authorization;
    ctx.payment->payload = std::move(payload.value());
    if (!fill_facts(ctx)) {
        challenge(ctx, "No matching payment requirements");
        return false;
    }
    return true;
}

bool has_no_body(ngx_http_request_t *r)
{
    return (r->method == NGX_HTTP_GET || r->method == NGX_HTTP_HEAD)
           && r->headers_in.content_length_n <= 0 && !r->headers_in.chunked;
}

void set_way(Payment &payment, const PaymentOffer::Way &way)
{
    payment.way = &way;
    payment.network = way.requirements.network;
    payment.amount = way.requirements.amount;
    payment.asset = way.requirements.asset;
    payment.request_body =
        facilitator_request_json(payment.payload.text, way.json);
}

// What the first settle of a claim asked for, byte for byte; from the zone, or
// from the client's own bytes when only their digest was kept.
bool recall_settle(RequestCtx &ctx, const ClaimView &claim)
{
    Payment &payment = *ctx.payment;
    LockedClaims claims(main_conf(ctx.r)->zone);
    std::string stored = claims->stored_settle(claim.ref);
    if (stored.empty()) {
        const auto *way = ctx.offer->match(payment.payload.accepted());
        if (way == nullptr) {
            return false;
        }
        set_way(payment, *way);
        return claims->settle_digest_is(claim.ref,
                                        sha256(payment.request_body));
    }
    // The client's payload was within the limits; the request wraps it and our
    // requirement once more.
    JsonLimits limits;
    limits.bytes = stored.size();
    limits.depth += 2;
    limits.keys *= 2;
    limits.values *= 2;
    auto document = JsonDocument::parse(stored, limits);
    if (!document) {
        return false;
    }
    JsonValue asked = document->root()["paymentRequirements"];
    payment.network = std::string(asked["network"].string());
    payment.amount = std::string(asked["amount"].string());
    payment.asset = std::string(asked["asset"].string());
    payment.request_body = std::move(stored);
    return true;
}

void on_settled(void *data, const Step &next, const SettlementResult &result)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->settlement = nullptr;
    resume_request(ctx->r, [&] { on_settled_first(*ctx, next, result); });
}

void settle_first(RequestCtx &ctx, Worker &worker, Endpoint &endpoint,
                  SettlementTerms terms)
{
    ctx.settlement =
        Settlement::start(worker, endpoint, std::move(terms), ctx.state,
                          std::move(ctx.slot), on_settled, &ctx);
}

// The same payment again, whose settlement was never answered.
void resume_unknown(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    Endpoint *endpoint = worker.endpoint_by_id(claim.facilitator);
    bool possible =
        endpoint && recall_settle(ctx, claim)
        && Slot::available(worker, ctx.conf->max_calls, true)
        && LockedClaims(worker.zone)->resume(claim.ref, worker.owner);
    if (!possible) {
        decide(ctx, unknown_answer());
        cap_retry(ctx);
        return;
    }
    ctx.slot = Slot(worker);
    ctx.payment->claim = claim.ref;
    advance(ctx, Event::claim_unknown_resumed);
    SettlementTerms terms = settlement_terms(ctx);
    terms.ever_unknown = true;
    terms.was_verified = claim.was_verified;
    terms.first_settle_sent = claim.first_settle_sent;
    settle_first(ctx, worker, *endpoint, std::move(terms));
}

// The same payment again, whose content was never delivered.
void resume_paid(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    if (!LockedClaims(worker.zone)->resume(claim.ref, worker.owner)) {
        challenge(ctx, "payment_already_used");
        return;
    }
    ctx.payment->claim = claim.ref;
    ctx.receipt = claim.receipt;
    ctx.settled_first = true;
    advance(ctx, Event::claim_paid_resumed);
    log_line(NGX_LOG_NOTICE, ctx.r->connection->log,
             "content that was paid for is delivered again to payer \""
                 + ctx.payment->payer + "\"");
}

// True: the payment is known and has been answered or taken up.
bool answer_from_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    bool same = claim.same_resource && claim.same_client;
    switch (claim.state) {
    case ClaimState::free:
    case ClaimState::refused:
        return false;
    case ClaimState::verifying:
    case ClaimState::verified:
        decide(ctx, in_use_answer());
        break;
    case ClaimState::settling:
        decide(ctx, same ? in_use_answer() : unknown_answer());
        break;
    case ClaimState::unknown:
        if (same && !claim.in_use) {
            resume_unknown(ctx, worker, claim);
            return true;
        }
        decide(ctx, unknown_answer());
        break;
    case ClaimState::paid:
        if (same && claim.in_use) {
            decide(ctx, in_use_answer());
        } else if (same && has_no_body(ctx.r)) {
            resume_paid(ctx, worker, claim);
            return true;
        } else {
            challenge(ctx, "payment_already_used");
        }
        break;
    case ClaimState::delivered:
    case ClaimState::closed:
        challenge(ctx, "payment_already_used");
        break;
    }
    cap_retry(ctx);
    return true;
}

Answer verify_answer_for(const VerifyAnswer &verdict)
{
    switch (verdict.verdict) {
    case VerifyVerdict::invalid:
        return challenge_answer(verdict.reason);
    case VerifyVerdict::timed_out:
        return fault_answer(NGX_HTTP_GATEWAY_TIME_OUT, "facilitator_timeout");
    case VerifyVerdict::rate_limited:
        return busy_answer(2);
    case VerifyVerdict::operator_fault:
    case VerifyVerdict::broken:
    case VerifyVerdict::valid:
        break;
    }
    return fault_answer(NGX_HTTP_BAD_GATEWAY, "facilitator_failed");
}

void log_verify_trouble(const RequestCtx &ctx, const VerifyAnswer &verdict)
{
    if (verdict.verdict == VerifyVerdict::invalid) {
        log_line(NGX_LOG_INFO, ctx.r->connection->log,
                 "facilitator refuses the payment: "
                     + log_excerpt(verdict.reason));
        return;
    }
    auto *conf = static_cast<FacilitatorConf *>(ctx.conf->facilitator);
    bool operator_fault = verdict.verdict == VerifyVerdict::operator_fault;
    log_line(operator_fault ? NGX_LOG_CRIT : NGX_LOG_ERR,
             ctx.r->connection->log,
             "verify at facilitator \"" + conf->url.base()
                 + "\" failed: " + verdict.detail
                 + (operator_fault ? "; check x402_facilitator and the account "
                                     "at that facilitator"
                                   : ""));
}

void on_verified(void *data, FacilitatorReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->verify = nullptr;
    resume_request(ctx->r, [&] {
        VerifyAnswer verdict = judge_verify(reply);
        if (verdict.verdict == VerifyVerdict::valid) {
            if (!verdict.payer.empty()) {
                ctx->payment->payer = verdict.payer;
            }
            advance(*ctx, Event::verify_valid);
        } else {
            log_verify_trouble(*ctx, verdict);
            advance(*ctx, verdict.verdict == VerifyVerdict::invalid
                              ? Event::verify_invalid
                              : Event::verify_failed);
            ctx->answer = verify_answer_for(verdict);
            cap_retry(*ctx);
        }
    });
}

void begin_verify(RequestCtx &ctx, Endpoint &endpoint)
{
    CallTerms call;
    call.operation = Operation::verify;
    call.body = ctx.payment->request_body;
    call.connect_timeout = ctx.conf->connect_timeout;
    call.timeout = ctx.conf->verify_timeout;
    ctx.verify =
        FacilitatorCall::start(endpoint, std::move(call), on_verified, &ctx);
}

// A payment nobody has seen: match, time, slot, claim, call.
void begin(RequestCtx &ctx, Worker &worker, bool settle_before)
{
    Payment &payment = *ctx.payment;
    const auto *way = ctx.offer->match(payment.payload.accepted());
    if (way == nullptr) {
        challenge(ctx, "No matching payment requirements");
        return;
    }
    const char *objection =
        eip3009_objection(payment.authorization, way->requirements, ngx_time());
    if (objection) {
        challenge(ctx, objection);
        return;
    }
    set_way(payment, *way);
    if (!Slot::available(worker, ctx.conf->max_calls, false)) {
        log_line(
            NGX_LOG_WARN, ctx.r->connection->log,
            "too many payments in flight; raise x402_facilitator_max_calls "
            "or look why the facilitator is slow");
        decide(ctx, busy_answer(1));
        return;
    }
    TakeOutcome taken =
        LockedClaims(worker.zone)
            ->take(payment.facts, worker.owner, ngx_time(), payment.claim);
    if (taken == TakeOutcome::in_use) {
        decide(ctx, in_use_answer());
        return;
    }
    if (taken == TakeOutcome::full) {
        log_line(NGX_LOG_ERR, ctx.r->connection->log,
                 "no room for another payment in the zone; raise the size of "
                 "x402_zone");
        decide(ctx, busy_answer(5));
        return;
    }
    ctx.slot = Slot(worker);
    Endpoint &endpoint = worker.endpoint_of(
        *static_cast<FacilitatorConf *>(ctx.conf->facilitator));
    if (!settle_before) {
        advance(ctx, Event::claim_taken);
        begin_verify(ctx, endpoint);
        return;
    }
    ctx.settled_before = true;
    advance(ctx, Event::claim_taken_to_settle);
    settle_first(ctx, worker, endpoint, settlement_terms(ctx));
}

}  // namespace

SettlementTerms settlement_terms(const RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    SettlementTerms terms;
    terms.claim = payment.claim;
    terms.body = payment.request_body;
    terms.network = payment.network;
    terms.payer = payment.payer;
    terms.amount = payment.amount;
    terms.asset = payment.asset;
    terms.resource = ctx.resource_url;
    terms.payer_digest = payment.facts.payer;
    terms.valid_before = payment.authorization.valid_before;
    terms.unproven_delivers =
        ctx.conf->unproven == NGX_HTTP_X402_UNPROVEN_DELIVER;
    terms.connect_timeout = ctx.conf->connect_timeout;
    terms.timeout = ctx.conf->settle_timeout;
    return terms;
}

Answer settlement_answer(const RequestCtx &ctx, const SettlementResult &result)
{
    switch (result.event) {
    case Event::settle_refused: {
        Answer answer = challenge_answer(result.reason);
        answer.status = 402;
        answer.receipt = result.receipt;
        return answer;
    }
    case Event::settle_not_processed:
        return result.verdict == SettleVerdict::rate_limited
                   ? busy_answer(2)
                   : fault_answer(NGX_HTTP_BAD_GATEWAY, "facilitator_failed");
    default:
        break;
    }
    Answer answer = unknown_answer();
    if (result.unproven_refused) {
        answer.status = NGX_HTTP_CONFLICT;
        answer.word = "settlement_unproven";
    }
    std::int64_t left = ctx.payment->authorization.valid_before - ngx_time();
    if (static_cast<std::int64_t>(answer.retry_after) > left) {
        answer.retry_after = left > 0 ? static_cast<ngx_uint_t>(left) : 0;
    }
    return answer;
}

void on_settled_first(RequestCtx &ctx, const Step &next,
                      const SettlementResult &result)
{
    ctx.state = next.next;
    if (next.next == State::paid) {
        ctx.receipt = result.receipt;
        ctx.settled_first = true;
    } else {
        ctx.answer = settlement_answer(ctx, result);
    }
}

void receive_payment(RequestCtx &ctx)
{
    Worker *worker = worker_of(main_conf(ctx.r));
    if (worker == nullptr) {
        ctx.state = State::closed;
        return;  // 500
    }
    if (!read_payment(ctx)) {
        return;
    }
    ClaimView claim =
        LockedClaims(worker->zone)->look_up(ctx.payment->facts, ngx_time());
    if (answer_from_claim(ctx, *worker, claim)) {
        return;
    }
    // A payment that was refused before is not given the backend's work on
    // trust again.
    bool settle_before = ctx.conf->settle == NGX_HTTP_X402_SETTLE_BEFORE
                         || claim.state == ClaimState::refused;
    begin(ctx, *worker, settle_before);
}

}  // namespace x402
