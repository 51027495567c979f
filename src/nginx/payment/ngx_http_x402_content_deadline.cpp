// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_content_deadline.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

// After that time, s: content that is complete by then gets the facilitator's
// own word, and its client a 402 with an offer.
constexpr std::int64_t kGrace = 2;

// The request body is being read and is not complete: what is waited for is the
// client.
bool waits_for_body(const ngx_http_request_t *r)
{
    return r->request_body && r->request_body->rest > 0;
}

// nginx: the upstream's cleanup gives back the count of the content handler,
// which is the request's last. The request is held by one more for that time.
void stop_upstream(ngx_http_request_t *r)
{
    r->main->count++;
    (*r->upstream->cleanup)(r);
}

bool has_silent_upstream(const ngx_http_request_t *r)
{
    const ngx_http_upstream_t *u = r->upstream;
    return u && u->cleanup && *u->cleanup && !u->header_sent
           && r->postponed == nullptr && r->connection->data == r;
}

void end_request(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    ngx_connection_t *c = r->connection;
    if (waits_for_body(r)) {
        log_line(NGX_LOG_INFO, c->log,
                 "the client did not send its request body within "
                 "x402_timeout; not charged");
        c->timedout = 1;
        r->main->count++;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }
    log_refusal(kContentTimeout, c->log,
                "content was not ready before x402_timeout or the payment's "
                "expiry; not charged: raise x402_timeout, or settle first with "
                "\"x402_settle before\"");
    advance(ctx, PaymentEvent::content_broken);
    if (!has_silent_upstream(r)) {
        r->main->count++;
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }
    stop_upstream(r);
    ngx_int_t rc = send_answer(ctx, fault_answer(kContentTimeout));
    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}

void on_deadline(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *r = static_cast<ngx_http_request_t *>(c->data);
    guarded(c->log, 0, [&] {
        ngx_http_set_log_request(c->log, r);
        RequestCtx *ctx = find_ctx(r);
        if (ctx && ctx->state() == PaymentState::verified) {
            end_request(*ctx);
            ngx_http_run_posted_requests(c);
        }
        return 0;
    });
}

}  // namespace

void arm_content_deadline(RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    std::int64_t left =
        std::min<std::int64_t>(payment.option->requirements.max_timeout_seconds,
                               payment.valid_before - ngx_time());
    left = std::max<std::int64_t>(left, 0) + kGrace;
    ctx.content_timer.handler = on_deadline;
    ctx.content_timer.data = ctx.r->connection;
    ctx.content_timer.log = ctx.r->connection->log;
    ngx_add_timer(&ctx.content_timer, static_cast<ngx_msec_t>(left) * 1000);
}

}  // namespace x402
