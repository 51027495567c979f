// SPDX-License-Identifier: Apache-2.0
// A payment that was not presented before: from its header to the claim and the
// first call. It is longer than other files because that is one way, on which
// each step needs what the one before has read.
#include "nginx/payment/ngx_http_x402_payment.hpp"

#include <algorithm>

#include "base/decimal_amount.hpp"
#include "base/text_excerpt.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/payment/ngx_http_x402_admission.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_identifier.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/payment/ngx_http_x402_resume.hpp"
#include "nginx/payment/ngx_http_x402_store_wait.hpp"
#include "nginx/payment/ngx_http_x402_verify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_mpp_request.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "policy/claim_key.hpp"
#include "policy/supported_extra.hpp"
#include "protocol/extension_echo.hpp"
#include "protocol/facilitator_messages.hpp"
#include "session/claim_room.hpp"
#include "session/payment_order.hpp"

namespace x402 {

namespace {

// A group of Algorand transactions can be valid for this long (1000 rounds, of
// up to 3.6 s), s.
constexpr std::int64_t kAlgorandLifetime = 3600;

// Forms that do not say until when they can be used are usable for as long as
// the offer says, or as their network allows, if that is longer; on Fast they
// never expire.
std::int64_t last_use(const RequestCtx &ctx, const SchemePayload &scheme)
{
    if (scheme.valid_before) {
        return std::min(*scheme.valid_before, INT64_MAX - kAfterlife);
    }
    if (scheme.form == PaymentForm::fast) {
        return INT64_MAX - kAfterlife;
    }
    std::int64_t longest =
        scheme.form == PaymentForm::algorand ? kAlgorandLifetime : 0;
    for (const auto &option : ctx.quote.offer->options()) {
        longest = std::max(
            longest, std::int64_t{option.requirements.max_timeout_seconds});
    }
    return ngx_time() + longest;
}

bool has_body(ngx_http_request_t *r)
{
    return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}

bool fill_facts(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    const SchemePayload &scheme = payment.scheme;
    ClaimFacts &facts = payment.facts;
    if (!redeliver_key(ctx.r, ctx.quote.conf, facts.redeliver_key)) {
        return false;
    }
    facts.key = scheme.claim_key;
    ResourceParts resource = resource_of(ctx);
    // Money: what such content costs depends on a body that was not read, so
    // that its claim answers no other payment.
    if (resource.body.empty() && scheme.upto && has_body(ctx.r)) {
        resource.body = {reinterpret_cast<const char *>(facts.key.data()),
                         facts.key.size()};
    }
    facts.binding.resource = resource_digest(resource);
    facts.payer = scheme.payer_digest;
    facts.client = client_hash(ctx.r->connection);
    payment.valid_before = last_use(ctx, scheme);
    facts.expires = payment.valid_before + kAfterlife;
    payment.payer = scheme.payer;
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
        return fault_answer(kFacilitatorTimeout);
    case VerifyVerdict::rate_limited:
        return busy_answer(kRetryFacilitator);
    case VerifyVerdict::operator_fault:
    case VerifyVerdict::broken:
    case VerifyVerdict::valid:
        break;
    }
    return fault_answer(kFacilitatorFailed);
}

void refuse_verified(RequestCtx &ctx, const VerifyAnswer &verdict)
{
    bool invalid = verdict.verdict == VerifyVerdict::invalid;
    if (invalid) {
        remember_refusal(ctx, verdict.reason);
    }
    end_payment(ctx,
                invalid ? PaymentEvent::verify_invalid
                        : PaymentEvent::verify_failed,
                ctx.payment->disputed_claim ? unknown_answer()
                                            : verify_answer_for(ctx, verdict));
}

void log_full(const RequestCtx &ctx, Worker &worker)
{
    ngx_log_t *log = ctx.r->connection->log;
    if (LockedClaims(worker.zone)->journal().failed()) {
        log_seldom(
            NGX_LOG_ERR, log,
            "the journal of x402_zone cannot be written; nothing is sold "
            "until it can");
        return;
    }
    static LogThrottle throttle(60);
    if (!throttle.is_due()) {
        return;
    }
    const ClaimMemory &claims = *claims_to_count(worker.zone);
    std::size_t each = worker.zone->shm.size / claims.capacity() + 1;
    std::size_t megabytes = claims_needed(claims, ngx_time()) * each >> 20;
    log_line(NGX_LOG_ERR, log,
             "no room for another payment in the zone: its "
                 + std::to_string(claims.capacity())
                 + " claims are of payments that could still be used; write "
                   "x402_zone "
                 + copy(worker.zone->shm.name) + ":"
                 + std::to_string(megabytes + 1)
                 + "m, or more, and restart nginx");
}

bool may_skip_verify(RequestCtx &ctx, Worker &worker)
{
    const Payment &payment = *ctx.payment;
    if (payment.settles != SettleTime::before
        || has_payer_rules(*ctx.quote.conf)) {
        return false;
    }
    VerifyNeed need = verify_need(*LockedClaims(worker.zone), payment.facts,
                                  payment.name.has_value(), ngx_time());
    if (need == VerifyNeed::verify_for_room) {
        log_line(NGX_LOG_INFO, ctx.r->connection->log,
                 "x402_zone has no room for another unverified payment with an "
                 "open settlement, of this client or of all: the payment is "
                 "verified before it is settled");
    }
    return need == VerifyNeed::none;
}

ValidityLimits validity_limits(const RequestCtx &ctx)
{
    const LocationConf &conf = *ctx.quote.conf;
    ValidityLimits limits;
    if (conf.validity_min != NGX_CONF_UNSET_UINT) {
        limits.least = static_cast<std::int64_t>(conf.validity_min);
    }
    if (conf.validity_max != NGX_CONF_UNSET_UINT) {
        limits.most = static_cast<std::int64_t>(conf.validity_max);
    }
    limits.usual = ctx.quote.dialect->usual_validity();
    limits.must_end = conf.settle == NGX_HTTP_X402_SETTLE_OFF;
    return limits;
}

// Why the payment does not meet the offer; empty: it does.
std::string refusal_by_offer(RequestCtx &ctx, bool distrusted)
{
    const Payment &payment = *ctx.payment;
    const auto *option = find_option(ctx, payment.payload);
    if (option == nullptr) {
        return std::string(ctx.quote.dialect->mismatch());
    }
    if (!echoes_extensions(*ctx.quote.conf, ctx.r,
                           payment.payload.extensions())) {
        return std::string(kExtensionEchoMismatch);
    }
    const char *error = validate_payload(payment.scheme, option->requirements,
                                         ngx_time(), validity_limits(ctx));
    if (error) {
        return error;
    }
    set_option(ctx, *option);
    set_settle_time(ctx, distrusted);
    complete_facts(ctx, *option);
    return {};
}

// A new payment: match, time, admission, claim, call. What this machine alone
// would not take may be one that another machine has taken before.
void begin(RequestCtx &ctx, Worker &worker, bool distrusted)
{
    Payment &payment = *ctx.payment;
    std::string refusal = refusal_by_offer(ctx, distrusted);
    if (worker.store && !payment.looked
        && (!refusal.empty() || !has_peer(ctx, worker))) {
        look_in_store(ctx, !refusal.empty());
        return;
    }
    if (!refusal.empty()) {
        refuse_payment(ctx, std::move(refusal));
        return;
    }
    if (!check_identifier(ctx, worker)) {
        return;
    }
    Admission admission(ctx, worker, AdmissionKind::payment);
    if (!admission) {
        admission.refuse(ctx);
        return;
    }
    TakeOutcome taken =
        LockedClaims(worker.zone)
            ->take(payment.facts, worker.owner, ngx_time(), payment.claim);
    if (taken == TakeOutcome::in_use) {
        if (!wait_for_claim(ctx)) {
            decide(ctx, in_use_answer());
        }
        return;
    }
    if (taken == TakeOutcome::full) {
        log_full(ctx, worker);
        decide(ctx, busy_answer(kRetryStore));
        return;
    }
    admission.begin(ctx);
    if (worker.store) {
        take_from_store(ctx, admission.peer());
        return;
    }
    ask_facilitator(ctx, worker, admission.peer());
}

constexpr VerifyRules kPaymentRules = {
    take_verdict,
    verify_elsewhere,
    accept_valid_payment,
    refuse_verified,
    "payment",
    "; check x402_facilitator and the account at that facilitator",
};

}  // namespace

void ask_facilitator(RequestCtx &ctx, Worker &worker, const PeerChoice &peer)
{
    SettleTime &when = ctx.payment->settles;
    Endpoint &endpoint = *peer.endpoint;
    if (peer.settle_first || is_distrusted(ctx, worker)) {
        when = SettleTime::before;
    }
    ctx.settled_before =
        when == SettleTime::before || when == SettleTime::verified_first;
    if (serve_unverified(ctx, worker, endpoint)) {
        return;
    }
    if (!may_skip_verify(ctx, worker)) {
        advance(ctx, PaymentEvent::claim_taken);
        verify_payment(ctx, endpoint);
        return;
    }
    advance(ctx, PaymentEvent::claim_taken_to_settle);
    settle_first(ctx, worker, endpoint, settlement_terms(ctx));
}

bool read_payment(RequestCtx &ctx, std::string_view header_value)
{
    MppRoom room;
    auto server = ctx.quote.dialect->has_challenges() ? mpp_server(ctx, room)
                                                      : std::nullopt;
    auto payload = ctx.quote.dialect->decode(
        header_value, ctx.quote.offer.get(), server ? &*server : nullptr);
    if (!payload) {
        refuse_payment(ctx, payload.problem().text);
        if (is_unreadable(payload.problem())) {
            ctx.answer = unreadable_answer(ctx, payload.problem().text);
        }
        return false;
    }
    // Version 1 names no asset: it is that of the option which is paid.
    std::string_view asset = payload->asset();
    if (payload->version == 1) {
        const auto *option = find_option(ctx, payload.value());
        asset = option ? std::string_view(option->requirements.asset) : asset;
    }
    auto scheme = read_scheme_payload(payload->scheme(), payload->network(),
                                      asset, payload->payload());
    if (!scheme) {
        bool no_match = scheme.problem().text == kNoMatchingRequirements;
        refuse_payment(ctx, no_match
                                ? std::string(ctx.quote.dialect->mismatch())
                                : scheme.problem().text);
        return false;
    }
    ctx.payment = std::make_unique<Payment>();
    ctx.payment->offered = ctx.quote.offer;
    ctx.payment->scheme = std::move(scheme.value());
    ctx.payment->payload = std::move(payload.value());
    if (!fill_facts(ctx)) {
        ctx.payment.reset();
        advance(ctx, PaymentEvent::answered_without_call);
        return false;  // 500
    }
    return true;
}

void verify_payment(RequestCtx &ctx, Endpoint &endpoint)
{
    begin_verify(ctx, endpoint, kPaymentRules);
}

bool meets_offer(RequestCtx &ctx, bool distrusted)
{
    std::string refusal = refusal_by_offer(ctx, distrusted);
    if (!refusal.empty()) {
        refuse_payment(ctx, std::move(refusal));
        return false;
    }
    return true;
}

void set_option(RequestCtx &ctx, const PaymentOffer::Option &option)
{
    Payment &payment = *ctx.payment;
    payment.option = &option;
    payment.network = option.requirements.network;
    payment.receipt_network =
        ctx.quote.dialect->network_name(option.requirements);
    payment.amount = option.requirements.amount;
    payment.asset = option.requirements.asset;
    payment.pay_to = option.requirements.pay_to;
    build_request(ctx, *facilitator_of(ctx, option));
}

std::string request_of(const RequestCtx &ctx,
                       const PaymentOffer::Option &option)
{
    const Payment &payment = *ctx.payment;
    if (payment.asked_version == ctx.quote.dialect->version()) {
        return ctx.quote.dialect->facilitator_request(payment.payload, option,
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
        advance(ctx, PaymentEvent::answered_without_call);
        return;  // 500
    }
    if (!read_payment(ctx, header_value)) {
        return;
    }
    continue_payment(ctx);
}

void continue_payment(RequestCtx &ctx)
{
    Worker &worker = *worker_of(main_conf(ctx.r));
    ClaimView claim =
        LockedClaims(worker.zone)->look_up(ctx.payment->facts, ngx_time());
    if (answer_from_claim(ctx, worker, claim)) {
        return;
    }
    begin(ctx, worker, claim.state == ClaimState::refused);
}

}  // namespace x402
