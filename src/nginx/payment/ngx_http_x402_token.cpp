// A location that is paid by opaque tokens (dialect nevermined). A token is a
// bearer's and good for many requests: it is looked into by nobody, has no
// claim, and is in no log line.
#include "facilitator/credit_answers.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/reply/ngx_http_x402_answer_body.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxTokenBytes = 32 * 1024;

// The first of the location's headers that holds something; nullptr: none.
const Presented *presented_token(const RequestCtx &ctx)
{
    for (std::string_view name : token_headers(*ctx.conf)) {
        for (const Presented &header : ctx.presented) {
            if (header.name == name && header.value.len != 0) {
                return &header;
            }
        }
    }
    return nullptr;
}

// The sentence why it can be no token; nullptr: it can.
const char *validate_token(const Presented &header)
{
    if (header.count != 1) {
        return "More than one x402 payment token was sent";
    }
    if (header.value.len > kMaxTokenBytes) {
        return "The x402 payment token is too long";
    }
    for (char byte : view(header.value)) {
        if (byte <= 0x20 || byte >= 0x7f) {
            return "The x402 payment token has characters that no token has";
        }
    }
    return nullptr;
}

std::string question(const RequestCtx &ctx, const std::string &agent_request)
{
    ResourceInfo resource = resource_info(ctx);
    Challenge challenge = challenge_of(ctx, {}, resource);
    std::string extensions = extensions_json(*ctx.conf, ctx.r);
    challenge.extensions_json = extensions;
    return ctx.dialect->token_request({challenge, ctx.payment->payload.text,
                                       ctx.payment->amount, agent_request});
}

void log_trouble(const RequestCtx &ctx, const VerifyAnswer &verdict)
{
    if (verdict.verdict == VerifyVerdict::invalid) {
        log_line(NGX_LOG_INFO, ctx.r->connection->log,
                 "token refused: " + log_excerpt(verdict.reason));
        return;
    }
    bool operator_fault = verdict.verdict == VerifyVerdict::operator_fault;
    log_line(
        operator_fault ? NGX_LOG_CRIT : NGX_LOG_ERR, ctx.r->connection->log,
        "verify at \"" + ctx.asked->url.base() + "\" failed: " + verdict.detail
            + (operator_fault ? "; check x402_nevermined and its key" : ""));
}

void on_verified(void *data, FacilitatorReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->verify = nullptr;
    ctx->verify_time = ngx_current_msec - ctx->verify_started;
    resume_request(ctx->r, [&] {
        VerifyAnswer verdict = read_token_verify_answer(reply);
        if (verdict.verdict != VerifyVerdict::valid) {
            log_trouble(*ctx, verdict);
            advance(*ctx, PaymentEvent::verify_invalid);
            ctx->answer = challenge_answer(verdict.reason);
            return;
        }
        ctx->verify_body = std::move(reply.body);
        ctx->payment->payer_known = true;
        ctx->payment->payer = verdict.payer;
        // Settle asks the same, under the name that verify gave it.
        ctx->payment->request_body =
            question(*ctx, agent_request_of(ctx->verify_body));
        advance(*ctx, PaymentEvent::verify_valid);
    });
}

void begin_verify(RequestCtx &ctx, Worker &worker)
{
    Endpoint &endpoint = worker.endpoint_of(*ctx.conf->facilitator);
    CallTerms call;
    ctx.payment->request_body = question(ctx, {});
    call.operation = Operation::verify;
    call.body = ctx.payment->request_body;
    call.connect_timeout = ctx.conf->connect_timeout;
    call.timeout = ctx.conf->verify_timeout;
    ctx.asked = &endpoint.conf();
    ctx.verify_started = ngx_current_msec;
    advance(ctx, PaymentEvent::claim_taken);
    ctx.verify =
        FacilitatorCall::start(endpoint, std::move(call), on_verified, &ctx);
}

void take_token(RequestCtx &ctx, std::string_view token)
{
    const PaymentOffer::Option &option = ctx.offer->options().front();
    ctx.payment = std::make_unique<Payment>();
    Payment &payment = *ctx.payment;
    payment.payload.text = std::string(token);
    payment.option = &option;
    payment.network = option.requirements.network;
    payment.receipt_network = option.requirements.network;
    payment.amount = option.requirements.amount;
    payment.asset = option.requirements.plan;
    payment.valid_before =
        ngx_time() + std::int64_t{option.requirements.max_timeout_seconds};
}

}  // namespace

void receive_token(RequestCtx &ctx)
{
    const Presented *header = presented_token(ctx);
    if (header == nullptr) {
        decide(ctx, unpaid_answer());
        return;
    }
    if (const char *error = validate_token(*header)) {
        challenge(ctx, error);
        return;
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    if (worker == nullptr) {
        ctx.state = PaymentState::closed;
        return;  // 500
    }
    if (!Slot::available(*worker, ctx.conf->max_calls, false)) {
        log_line(NGX_LOG_WARN, ctx.r->connection->log,
                 "too many payments in flight; raise "
                 "x402_facilitator_max_calls or look why the backend is slow");
        decide(ctx, busy_answer(1));
        return;
    }
    take_token(ctx, view(header->value));
    ctx.slot = Slot(*worker);
    begin_verify(ctx, *worker);
}

}  // namespace x402
