// A presented payment nobody has seen before, on its way to a claim and to the
// facilitator.
#include <algorithm>

#include "base/decimal_amount.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/payment/ngx_http_x402_access.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/payment/ngx_http_x402_verified.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "policy/claim_key.hpp"
#include "policy/supported_extra.hpp"
#include "protocol/extension_echo.hpp"
#include "protocol/facilitator_messages.hpp"

namespace x402 {

namespace {

// A group of Algorand transactions can be valid for this long (1000 rounds, of
// up to 3.6 s), s.
constexpr std::int64_t kAlgorandLifetime = 3600;

// Forms that do not say until when they can be used are good for as long as
// the offer says, or as their network allows, if that is longer; on Fast they
// are good for ever.
std::int64_t last_use(const RequestCtx &ctx, const SchemePayload &scheme)
{
    if (scheme.valid_before) {
        return std::min(*scheme.valid_before,
                        INT64_MAX - ClaimTable::kAfterlife);
    }
    if (scheme.form == PaymentForm::fast) {
        return INT64_MAX - ClaimTable::kAfterlife;
    }
    std::int64_t longest =
        scheme.form == PaymentForm::algorand ? kAlgorandLifetime : 0;
    for (const auto &option : ctx.offer->options()) {
        longest = std::max(
            longest, std::int64_t{option.requirements.max_timeout_seconds});
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
    facts.expires = payment.valid_before + ClaimTable::kAfterlife;
    payment.payer = scheme.payer;
    return true;
}

// Header to payment; false: ctx.answer says why not.
bool read_payment(RequestCtx &ctx, std::string_view header_value)
{
    auto payload = ctx.dialect->decode(header_value, ctx.offer.get());
    if (!payload) {
        refuse_payment(ctx, payload.problem().text);
        if (payload.problem().text == kPaymentRequired) {
            ctx.answer = unpaid_answer();
        }
        return false;
    }
    // Version 1 names no asset: that of the way it means.
    std::string_view asset = payload->asset();
    if (payload->version == 1) {
        const auto *option = find_option(ctx, payload.value());
        asset = option ? std::string_view(option->requirements.asset) : asset;
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
    ctx.payment->offered = ctx.offer;
    ctx.payment->scheme = std::move(scheme.value());
    ctx.payment->payload = std::move(payload.value());
    if (!fill_facts(ctx)) {
        ctx.payment.reset();
        ctx.state = PaymentState::closed;
        return false;  // 500
    }
    return true;
}

OwnReply verify_answer_for(const RequestCtx &ctx, const VerifyAnswer &verdict)
{
    switch (verdict.verdict) {
    case VerifyVerdict::invalid: {
        OwnReply answer = invalid_answer(ctx, verdict.reason);
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

void on_verified(void *data, FacilitatorReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->verify = nullptr;
    ctx->verify_time = ngx_current_msec - ctx->verify_started;
    VerifyAnswer verdict = take_verdict(*ctx, reply);
    if (verify_elsewhere(*ctx, reply, verdict)) {
        return;
    }
    resume_request(ctx->r, [&] {
        if (verdict.verdict == VerifyVerdict::valid) {
            ctx->verify_body = std::move(reply.body);
            ctx->payment->payer_known = true;
            if (!verdict.payer.empty()) {
                ctx->payment->payer = verdict.payer;
            }
            accept_valid_payment(*ctx);
        } else {
            log_verify_trouble(*ctx, verdict);
            if (verdict.verdict == VerifyVerdict::invalid) {
                remember_refusal(*ctx, verdict.reason);
            }
            advance(*ctx, verdict.verdict == VerifyVerdict::invalid
                              ? PaymentEvent::verify_invalid
                              : PaymentEvent::verify_failed);
            ctx->answer = ctx->payment->disputed_claim
                              ? unknown_answer()
                              : verify_answer_for(*ctx, verdict);
            cap_retry(*ctx);
        }
    });
}

void log_full(const RequestCtx &ctx, Worker &worker)
{
    bool by_journal = LockedClaims(worker.zone)->journal_failed();
    log_line(NGX_LOG_ERR, ctx.r->connection->log,
             by_journal ? "the journal of x402_zone cannot be written; nothing "
                          "is sold until it can"
                        : "no room for another payment in the zone; raise the "
                          "size of x402_zone");
}

// The claim is taken. Money: who has an older claim here is verified whatever
// the rest says.
void ask_facilitator(RequestCtx &ctx, Worker &worker, const PeerChoice &peer)
{
    SettleTime &when = ctx.payment->settles;
    Endpoint &endpoint = *peer.endpoint;
    if (peer.settle_first || is_distrusted(ctx, worker)) {
        when = SettleTime::before;
    }
    ctx.settled_before =
        when == SettleTime::before || when == SettleTime::verified_first;
    if (when != SettleTime::before || has_older_claim(ctx, worker)) {
        advance(ctx, PaymentEvent::claim_taken);
        begin_verify(ctx, endpoint);
        return;
    }
    if (!record_identifier(ctx)) {
        advance(ctx, PaymentEvent::claim_taken);
        advance(ctx, PaymentEvent::verify_failed);
        return;
    }
    advance(ctx, PaymentEvent::claim_taken_to_settle);
    settle_first(ctx, worker, endpoint, settlement_terms(ctx));
}

// A payment nobody has seen: match, time, slot, claim, call.
void begin(RequestCtx &ctx, Worker &worker, bool distrusted)
{
    Payment &payment = *ctx.payment;
    if (!meets_offer(ctx, distrusted) || !check_identifier(ctx, worker)) {
        return;
    }
    PeerChoice peer = choose_peer(ctx, worker);
    if (peer.endpoint == nullptr) {
        return;
    }
    if (!Slot::available(worker, ctx.conf->max_calls, false)) {
        log_line(
            NGX_LOG_WARN, ctx.r->connection->log,
            "too many payments in flight; raise x402_facilitator_max_calls "
            "or look why the facilitator is slow");
        decide(ctx, busy_answer(1));
        cap_retry(ctx);
        return;
    }
    AddressPlace place(worker.addresses, ctx.r->connection,
                       ctx.conf->max_calls);
    if (!place) {
        log_line(NGX_LOG_INFO, ctx.r->connection->log,
                 "a quarter of x402_facilitator_max_calls is in the hands of "
                 "this client with payments that nobody has verified");
        decide(ctx, busy_answer(1));
        cap_retry(ctx);
        return;
    }
    TakeOutcome taken =
        LockedClaims(worker.zone)
            ->take(payment.facts, worker.owner, ngx_time(), payment.claim);
    if (taken == TakeOutcome::in_use) {
        if (!wait_for_claim(ctx)) {
            decide(ctx, in_use_answer());
            cap_retry(ctx);
        }
        return;
    }
    if (taken == TakeOutcome::full) {
        log_full(ctx, worker);
        decide(ctx, busy_answer(5));
        cap_retry(ctx);
        return;
    }
    ctx.slot = Slot(worker, std::move(place));
    peer.use();
    ask_facilitator(ctx, worker, peer);
}

}  // namespace

bool meets_offer(RequestCtx &ctx, bool distrusted)
{
    const Payment &payment = *ctx.payment;
    const auto *option = find_option(ctx, payment.payload);
    if (option == nullptr) {
        refuse_payment(ctx, std::string(ctx.dialect->mismatch()));
        return false;
    }
    if (!echoes_extensions(*ctx.conf, ctx.r, payment.payload.extensions())) {
        refuse_payment(ctx, std::string(kExtensionEchoMismatch));
        return false;
    }
    const char *error =
        validate_payload(payment.scheme, option->requirements, ngx_time());
    if (error) {
        refuse_payment(ctx, error);
        return false;
    }
    set_option(ctx, *option);
    set_settle_time(ctx, distrusted);
    complete_facts(ctx, *option);
    return true;
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

// Decided without a call: nothing is taken yet.
void decide(RequestCtx &ctx, OwnReply answer)
{
    ctx.state = PaymentState::closed;
    ctx.slot = Slot();
    ctx.answer = std::move(answer);
}

void challenge(RequestCtx &ctx, std::string error)
{
    log_line(NGX_LOG_INFO, ctx.r->connection->log,
             "payment refused: " + log_excerpt(error));
    decide(ctx, challenge_answer(std::move(error)));
}

void refuse_payment(RequestCtx &ctx, std::string error)
{
    challenge(ctx, error);
    ctx.answer = invalid_answer(ctx, std::move(error));
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

void set_option(RequestCtx &ctx, const PaymentOffer::Option &option)
{
    Payment &payment = *ctx.payment;
    payment.option = &option;
    payment.network = option.requirements.network;
    payment.receipt_network = ctx.dialect->network_name(option.requirements);
    payment.amount = option.requirements.amount;
    payment.asset = option.requirements.asset;
    payment.pay_to = option.requirements.pay_to;
    build_request(ctx, *facilitator_of(ctx, option));
}

std::string request_of(const RequestCtx &ctx,
                       const PaymentOffer::Option &option)
{
    const Payment &payment = *ctx.payment;
    if (payment.asked_version == ctx.dialect->version()) {
        return ctx.dialect->facilitator_request(payment.payload, option,
                                                resource_info(ctx));
    }
    return facilitator_request_json(payment.asked_version, payment.payload,
                                    option, resource_info(ctx));
}

bool set_amount(RequestCtx &ctx, const std::string &amount)
{
    Payment &payment = *ctx.payment;
    if (amount == payment.amount) {
        return true;
    }
    // The whole requirement but its amount, as it was offered.
    auto copied =
        with_supported_extra(payment.option->requirements, JsonValue());
    if (!copied) {
        return false;
    }
    PaymentOffer settled;
    copied->amount = amount;
    settled.add(std::move(copied.value()), payment.option->term);
    payment.amount = amount;
    payment.request_body = request_of(ctx, settled.options()[0]);
    return true;
}

void receive_payment(RequestCtx &ctx, std::string_view header_value)
{
    Worker *worker = worker_of(main_conf(ctx.r));
    if (worker == nullptr) {
        ctx.state = PaymentState::closed;
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
