// A presented payment nobody has seen before, on its way to a claim and to the
// facilitator.
#include <algorithm>

#include "base/decimal_amount.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/ngx_http_x402_access.hpp"
#include "nginx/ngx_http_x402_extensions.hpp"
#include "nginx/ngx_http_x402_header_list.hpp"
#include "nginx/ngx_http_x402_log.hpp"
#include "nginx/ngx_http_x402_notify.hpp"
#include "nginx/ngx_http_x402_payment.hpp"
#include "nginx/ngx_http_x402_price_grace.hpp"
#include "nginx/ngx_http_x402_quote.hpp"
#include "nginx/ngx_http_x402_reply.hpp"
#include "nginx/ngx_http_x402_supplement.hpp"
#include "policy/claim_key.hpp"
#include "policy/network_table.hpp"
#include "policy/supported_extra.hpp"
#include "protocol/extension_echo.hpp"
#include "protocol/facilitator_messages.hpp"

namespace x402 {

namespace {

// A claim outlives its payment by this much: whatever the facilitator's clock.
constexpr std::int64_t kAfterlife = 600;

// Forms that do not say until when they can be used are good for as long as
// the offer says.
std::int64_t last_use(const RequestCtx &ctx, const SchemePayload &scheme)
{
    if (scheme.valid_before) {
        return std::min(*scheme.valid_before, INT64_MAX - kAfterlife);
    }
    std::int64_t longest = 0;
    for (const auto &way : ctx.offer->ways()) {
        longest = std::max(longest,
                           std::int64_t{way.requirements.max_timeout_seconds});
    }
    return ngx_time() + longest;
}

bool fill_facts(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    const SchemePayload &scheme = payment.scheme;
    std::string client;
    if (!redeliver_key(ctx.r, ctx.conf, client)) {
        return false;
    }
    ClaimFacts &facts = payment.facts;
    facts.key = scheme.claim_key;
    facts.resource = resource_digest(view(ctx.r->method_name), host_of(ctx.r),
                                     view(ctx.r->unparsed_uri));
    facts.redeliver_key = sha256(client);
    facts.payer = scheme.payer_digest;
    if (auto amount = atomic_amount_bytes(scheme.value)) {
        facts.amount = *amount;
    }
    payment.valid_before = last_use(ctx, scheme);
    facts.expires = payment.valid_before + kAfterlife;
    if (scheme.form == PaymentForm::fast) {
        // Money: it moved before we heard of it and can be shown for ever.
        facts.expires = ClaimTable::kNeverExpires;
    }
    payment.payer = scheme.payer;
    return true;
}

// Like challenge(), for a payment that is no good and not just spent.
void refuse_payment(RequestCtx &ctx, std::string error)
{
    challenge(ctx, error);
    ctx.answer = invalid_answer(ctx, std::move(error));
}

// Header to payment; false: ctx.answer says why not.
bool read_payment(RequestCtx &ctx, std::string_view header_value)
{
    auto payload = ctx.dialect->decode(header_value);
    if (!payload) {
        refuse_payment(ctx, payload.problem().text);
        if (payload.problem().text == kPaymentRequired) {
            ctx.answer = unpaid_answer(ctx);
        }
        return false;
    }
    // Version 1 names no asset: that of the way it means.
    std::string_view asset = payload->asset();
    if (payload->version == 1) {
        const auto *way = find_way(ctx, payload.value());
        asset = way ? std::string_view(way->requirements.asset) : asset;
    }
    auto scheme = read_scheme_payload(payload->scheme(), payload->network(),
                                      asset, payload->payload());
    if (!scheme) {
        bool no_match = scheme.problem().text == kNoMatchingRequirements;
        refuse_payment(ctx, no_match ? std::string(ctx.dialect->mismatch())
                                     : scheme.problem().text);
        return false;
    }
    ctx.payment = std::make_unique<Payment>();
    ctx.payment->scheme = std::move(scheme.value());
    ctx.payment->payload = std::move(payload.value());
    if (!fill_facts(ctx)) {
        ctx.payment.reset();
        ctx.state = State::closed;
        return false;  // 500
    }
    return true;
}

Answer verify_answer_for(const RequestCtx &ctx, const VerifyAnswer &verdict)
{
    switch (verdict.verdict) {
    case VerifyVerdict::invalid: {
        Answer answer = invalid_answer(ctx, verdict.reason);
        answer.payer = verdict.payer;
        return answer;
    }
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
    bool operator_fault = verdict.verdict == VerifyVerdict::operator_fault;
    log_line(operator_fault ? NGX_LOG_CRIT : NGX_LOG_ERR,
             ctx.r->connection->log,
             "verify at facilitator \"" + ctx.asked->url.base()
                 + "\" failed: " + verdict.detail
                 + (operator_fault ? "; check x402_facilitator and the account "
                                     "at that facilitator"
                                   : ""));
}

// Nobody settles here: the facilitator's word is all there will be.
void accept_verified(RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    ctx.receipt = ctx.dialect->receipt_of_verified(payment.payer,
                                                   payment.receipt_network);
    ctx.settled_first = true;
    ctx.never_settled = true;
    LockedClaims(main_conf(ctx.r)->zone)
        ->set_paid(payment.claim, ctx.receipt, ngx_time());
    log_ledger(ctx.r->connection->log, {"verified, not settled",
                                        payment.network,
                                        payment.payer,
                                        payment.amount,
                                        payment.asset,
                                        {},
                                        {},
                                        ctx.resource_url});
    advance(ctx, Event::verify_final);
}

// The facilitator says yes; what comes next is a matter of when money moves.
void take_verified(RequestCtx &ctx)
{
    notify(ctx, NotifyEvent::verify);
    switch (ctx.payment->settles) {
    case SettleTime::off:
        accept_verified(ctx);
        return;
    case SettleTime::verified_first: {
        Worker &worker = *worker_of(main_conf(ctx.r));
        SettlementTerms terms = settlement_terms(ctx);
        terms.was_verified = true;
        advance(ctx, Event::verify_valid);
        advance(ctx, Event::settle_due);
        settle_first(
            ctx, worker,
            worker.endpoint_of(*facilitator_of(ctx, *ctx.payment->way)),
            std::move(terms));
        return;
    }
    case SettleTime::before:
    case SettleTime::after:
        break;
    }
    advance(ctx, Event::verify_valid);
}

void on_verified(void *data, FacilitatorReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->verify = nullptr;
    ctx->verify_time = ngx_current_msec - ctx->verify_started;
    resume_request(ctx->r, [&] {
        VerifyAnswer verdict = judge_verify(reply);
        if (verdict.verdict == VerifyVerdict::valid && !note_identifier(*ctx)) {
            advance(*ctx, Event::verify_failed);
        } else if (verdict.verdict == VerifyVerdict::valid) {
            ctx->payment->payer_known = true;
            if (!verdict.payer.empty()) {
                ctx->payment->payer = verdict.payer;
            }
            take_verified(*ctx);
        } else {
            log_verify_trouble(*ctx, verdict);
            advance(*ctx, verdict.verdict == VerifyVerdict::invalid
                              ? Event::verify_invalid
                              : Event::verify_failed);
            ctx->answer = verify_answer_for(*ctx, verdict);
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
    ctx.asked = &endpoint.conf();
    ctx.verify_started = ngx_current_msec;
    ctx.verify =
        FacilitatorCall::start(endpoint, std::move(call), on_verified, &ctx);
}

// A connection that changes its protocol cannot be held back.
bool asks_for_tunnel(ngx_http_request_t *r)
{
    bool websocket = false;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        if (header_is(header.key, "upgrade")) {
            websocket = websocket || header_is(header.value, "websocket");
        }
    });
    return websocket || view(r->method_name) == "CONNECT";
}

std::optional<SettleTime> written_settle_time(ngx_uint_t written)
{
    switch (written) {
    case NGX_HTTP_X402_SETTLE_AFTER:
        return SettleTime::after;
    case NGX_HTTP_X402_SETTLE_BEFORE:
        return SettleTime::before;
    case NGX_HTTP_X402_SETTLE_OFF:
        return SettleTime::off;
    default:
        return std::nullopt;
    }
}

// `distrusted`: this very payment was refused before, and is not given the
// backend's work on trust again.
void set_settle_time(RequestCtx &ctx, const PaymentOffer::Way &way,
                     bool distrusted)
{
    SettleTime &when = ctx.payment->settles;
    when = ctx.dialect->settle_time(way.requirements,
                                    written_settle_time(ctx.conf->settle));
    if (when == SettleTime::off) {
        return;
    }
    ctx.tunnel = asks_for_tunnel(ctx.r);
    if (when == SettleTime::after && (ctx.tunnel || distrusted)) {
        when = SettleTime::before;
    }
    ctx.settled_before = when != SettleTime::after;
}

// What can be said of a payment without asking anybody. False: ctx.answer says
// what is wrong with it.
bool meets_offer(RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    const auto *way = find_way(ctx, payment.payload);
    if (way == nullptr) {
        refuse_payment(ctx, std::string(ctx.dialect->mismatch()));
        return false;
    }
    if (!echoes_extensions(*ctx.conf, ctx.r, payment.payload.extensions())) {
        refuse_payment(ctx, std::string(kExtensionEchoMismatch));
        return false;
    }
    const char *objection =
        payload_objection(payment.scheme, way->requirements, ngx_time());
    if (objection) {
        refuse_payment(ctx, objection);
        return false;
    }
    set_way(ctx, *way);
    return true;
}

// A payment nobody has seen: match, time, slot, claim, call.
void begin(RequestCtx &ctx, Worker &worker, bool distrusted)
{
    Payment &payment = *ctx.payment;
    if (!meets_offer(ctx) || !check_identifier(ctx, worker)) {
        return;
    }
    set_settle_time(ctx, *payment.way, distrusted);
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
        if (!wait_turn(ctx)) {
            decide(ctx, in_use_answer());
        }
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
    Endpoint &endpoint = worker.endpoint_of(*facilitator_of(ctx, *payment.way));
    if (payment.settles != SettleTime::before) {
        advance(ctx, Event::claim_taken);
        begin_verify(ctx, endpoint);
        return;
    }
    if (!note_identifier(ctx)) {
        advance(ctx, Event::claim_taken);
        advance(ctx, Event::verify_failed);
        return;
    }
    advance(ctx, Event::claim_taken_to_settle);
    settle_first(ctx, worker, endpoint, settlement_terms(ctx));
}

// What verify and settle ask about this way.
std::string request_of(const RequestCtx &ctx, const PaymentOffer::Way &way)
{
    const Payment &payment = *ctx.payment;
    if (payment.asked_version == ctx.dialect->version()) {
        return ctx.dialect->facilitator_request(payment.payload, way,
                                                resource_info(ctx));
    }
    return facilitator_request_json(payment.asked_version, payment.payload, way,
                                    resource_info(ctx));
}

}  // namespace

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
    std::int64_t left = ctx.payment->valid_before - ngx_time();
    if (ctx.answer.retry_after > 0
        && static_cast<std::int64_t>(ctx.answer.retry_after) > left) {
        ctx.answer.retry_after = left > 0 ? static_cast<ngx_uint_t>(left) : 0;
    }
}

void set_way(RequestCtx &ctx, const PaymentOffer::Way &way)
{
    Payment &payment = *ctx.payment;
    payment.way = &way;
    payment.network = way.requirements.network;
    payment.receipt_network = ctx.dialect->network_name(way.requirements);
    payment.asked_version = ctx.dialect->version();
    if (Worker *worker = worker_of(main_conf(ctx.r))) {
        payment.asked_version =
            version_to_ask(*worker, *facilitator_of(ctx, way), way.requirements,
                           payment.asked_version);
    }
    payment.amount = way.requirements.amount;
    payment.asset = way.requirements.asset;
    payment.pay_to = way.requirements.pay_to;
    payment.request_body = request_of(ctx, way);
}

bool set_amount(RequestCtx &ctx, const std::string &amount)
{
    Payment &payment = *ctx.payment;
    if (amount == payment.amount) {
        return true;
    }
    // The whole requirement but its amount, as it was offered.
    auto copied = with_supported_extra(payment.way->requirements, JsonValue());
    if (!copied) {
        return false;
    }
    PaymentOffer settled;
    copied->amount = amount;
    settled.add(std::move(copied.value()), payment.way->term);
    payment.amount = amount;
    payment.request_body = request_of(ctx, settled.ways()[0]);
    return true;
}

void receive_payment(RequestCtx &ctx, std::string_view header_value)
{
    Worker *worker = worker_of(main_conf(ctx.r));
    if (worker == nullptr) {
        ctx.state = State::closed;
        return;  // 500
    }
    if (!read_payment(ctx, header_value)) {
        return;
    }
    ClaimView claim =
        LockedClaims(worker->zone)->look_up(ctx.payment->facts, ngx_time());
    if (answer_from_claim(ctx, *worker, claim)) {
        return;
    }
    begin(ctx, *worker, claim.state == ClaimState::refused);
}

}  // namespace x402
