// A payment that another request is working on: its second presenter waits a
// little, since most of the time the first is almost done.
#include "nginx/payment/ngx_http_x402_claim_wait.hpp"

#include <algorithm>

#include "nginx/payment/ngx_http_x402_phase_resume.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kLongestWait = 2000;
// The first may be in another worker, which cannot wake this one.
constexpr ngx_msec_t kLookInterval = 50;

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

bool wait_for_claim(RequestCtx &ctx)
{
    if (ctx.payment) {
        Worker *worker = worker_of(main_conf(ctx.r));
        ctx.wait_place = SharedPlace(worker->addresses, ctx.r->connection,
                                      ctx.quote.conf->max_calls);
        if (!ctx.wait_place) {
            return false;
        }
    }
    if (!ctx.claim_wait_until) {
        ctx.claim_wait_until = ngx_current_msec + kLongestWait;
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
                  std::min(static_cast<ngx_msec_t>(left), kLookInterval));
    return true;
}

}  // namespace x402
