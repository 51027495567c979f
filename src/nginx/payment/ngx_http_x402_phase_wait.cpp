// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"

#include <algorithm>

namespace x402 {

namespace {

constexpr ngx_msec_t kLongestClaimWait = 2000;

void on_look_timer(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *r = static_cast<ngx_http_request_t *>(c->data);
    guarded(c->log, 0, [&] {
        ngx_http_set_log_request(c->log, r);
        // The access phase looks the claim up again.
        resume_phases(r->main);
        return 0;
    });
}

}  // namespace

void resume_phases(ngx_http_request_t *r)
{
    ngx_connection_t *c = r->connection;
    r->read_event_handler = ngx_http_block_reading;
    if (ngx_http_post_request(r, nullptr) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
    ngx_http_run_posted_requests(c);
}

void give_up_request(ngx_http_request_t *r)
{
    ngx_connection_t *c = r->connection;
    ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    ngx_http_run_posted_requests(c);
}

bool wait_for_claim(RequestCtx &ctx, ngx_msec_t interval)
{
    if (ctx.payment) {
        Worker *worker = worker_of(main_conf(ctx.r));
        ctx.wait_slot = QuotaSlot(worker->addresses, ctx.r->connection,
                                  ctx.quote.conf->max_calls);
        if (!ctx.wait_slot) {
            return false;
        }
    }
    if (!ctx.claim_wait_until) {
        ctx.claim_wait_until = ngx_current_msec + kLongestClaimWait;
    }
    auto left =
        static_cast<ngx_msec_int_t>(*ctx.claim_wait_until - ngx_current_msec);
    if (left <= 0) {
        return false;
    }
    ctx.claim_wait_timer.handler = on_look_timer;
    ctx.claim_wait_timer.data = ctx.r->connection;
    ctx.claim_wait_timer.log = ctx.r->connection->log;
    ngx_add_timer(&ctx.claim_wait_timer,
                  std::min(static_cast<ngx_msec_t>(left), interval));
    return true;
}

}  // namespace x402
