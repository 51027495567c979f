// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_free_access.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/payment/ngx_http_x402_free_requests.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_pass.hpp"
#include "nginx/request/ngx_http_x402_request_books.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "nginx/request/ngx_http_x402_sign_in_proof.hpp"

namespace x402 {

namespace {

void on_store_reply(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->returning_state->question->keep(reply);
    resume_phases(ctx->r);
}

// The access phase runs again when the store has answered, or does not.
// Precondition: there is a question.
void begin_store_question(RequestCtx &ctx)
{
    StoreQuestion &question = *ctx.returning_state->question;
    if (question.asked) {
        return;
    }
    question.call.begin(*store_of(ctx), StoreOrder(question.order),
                        on_store_reply, &ctx);
    question.asked = true;
}

ngx_int_t send_decided(RequestCtx &ctx)
{
    OwnReply answer = std::move(ctx.answer);
    ctx.answer = OwnReply();
    return send_answer(ctx, answer);
}

// An invalid signature gets its own answer, unless a payment comes with it
// that could be taken.
ngx_int_t refuse_sign_in(RequestCtx &ctx, const LocationConf &conf,
                         SignInAnswer answer)
{
    if (!ctx.presented.empty() && !asks_signature_alone(conf)) {
        return NGX_OK;
    }
    if (answer == SignInAnswer::busy) {
        log_seldom(NGX_LOG_ERR, ctx.r->connection->log,
                   "the table of sign-in nonces is full, answered 503: "
                   "limit how often clients may sign in, for example with "
                   "limit_req");
        decide(ctx, busy_answer(kRetryStore));
    } else {
        OwnReply reply = fault_answer(*ctx.returning_fault);
        reply.refusal = true;
        decide(ctx, std::move(reply));
    }
    return send_decided(ctx);
}

ngx_int_t ask_store(RequestCtx &ctx)
{
    begin_store_question(ctx);
    return NGX_AGAIN;
}

// What only the store knows, while it is away.
ngx_int_t put_off(RequestCtx &ctx, const LocationConf &conf)
{
    if (!ctx.presented.empty() && !asks_signature_alone(conf)) {
        return NGX_OK;
    }
    decide(ctx, busy_answer(kRetryStore));
    return send_decided(ctx);
}

// NGX_OK: the request shows nothing that opens the location. NGX_DECLINED: it
// is let in, unless a rule about payers says no. `in_doubt`: whether a pass
// opens it only the store knows.
ngx_int_t check_pass(RequestCtx &ctx, const LocationConf &conf, bool &in_doubt)
{
    switch (take_pass(ctx, conf)) {
    case PassAnswer::none:
        break;
    case PassAnswer::asks_store:
        return ask_store(ctx);
    case PassAnswer::store_away:
        in_doubt = true;
        break;
    case PassAnswer::failed:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    case PassAnswer::admitted:
        return NGX_DECLINED;
    }
    return NGX_OK;
}

// As above.
ngx_int_t check_signature(RequestCtx &ctx, const LocationConf &conf,
                          bool &in_doubt)
{
    SignInAnswer answer = take_sign_in(ctx, conf);
    switch (answer) {
    case SignInAnswer::none:
        break;
    case SignInAnswer::asks_store:
        return ask_store(ctx);
    case SignInAnswer::store_away:
        in_doubt = true;
        break;
    case SignInAnswer::admitted:
        return NGX_DECLINED;
    case SignInAnswer::refused:
    case SignInAnswer::busy:
        // Money: a pass beside it may be good, and 401 would have it paid
        // again.
        return in_doubt ? NGX_OK : refuse_sign_in(ctx, conf, answer);
    case SignInAnswer::failed:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_OK;
}

// As above.
ngx_int_t check_pass_and_signature(RequestCtx &ctx, const LocationConf &conf)
{
    bool alone = asks_signature_alone(conf);
    bool in_doubt = false;
    ngx_int_t rc = NGX_OK;
    if (alone && ctx.returning
        && ctx.returning->kind == ReturningKind::signed_in
        && is_account_of(conf, ctx.returning->payer)) {
        return NGX_DECLINED;  // an internal redirect: the signature was good
    }
    if (!alone && (conf.pass || ctx.returning)) {
        rc = check_pass(ctx, conf, in_doubt);
    }
    if (rc == NGX_OK && conf.sign_in && !ctx.returning) {
        rc = check_signature(ctx, conf, in_doubt);
    }
    return rc == NGX_OK && in_doubt ? put_off(ctx, conf) : rc;
}

ngx_int_t admit_returning(RequestCtx &ctx, const LocationConf *conf)
{
    bool again = ctx.returning != nullptr;  // after an internal redirect
    ngx_int_t rc = check_pass_and_signature(ctx, *conf);
    if (rc != NGX_DECLINED) {
        return rc;
    }
    if (!returning_payer_allowed(ctx, *conf)) {
        return send_decided(ctx);
    }
    if (!again && !asks_signature_alone(*conf)
        && !book_return_at_end(ctx, *conf)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx.free_at = conf;
    return NGX_DECLINED;
}

}  // namespace

ngx_int_t admit_free(RequestCtx &ctx, const LocationConf *conf)
{
    // After a redirect: the location before has let it in.
    if (conf->pass || conf->sign_in || ctx.returning) {
        ngx_int_t rc = admit_returning(ctx, conf);
        if (rc != NGX_OK) {
            return rc;
        }
    }
    return take_free_request(ctx, conf) ? NGX_DECLINED : NGX_OK;
}

}  // namespace x402
