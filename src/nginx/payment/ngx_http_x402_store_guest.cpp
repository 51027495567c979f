// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_store_guest.hpp"

#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/request/ngx_http_x402_guest_door.hpp"

namespace x402 {

namespace {

void on_told(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->guest_door->question->keep(reply);
    resume_phases(ctx->r);
}

}  // namespace

void ask_store_for_guest(RequestCtx &ctx)
{
    GuestQuestion &question = *ctx.guest_door->question;
    if (question.asked) {
        return;
    }
    question.call.begin(*store_of(ctx), question.order, on_told, &ctx);
    question.asked = true;
}

}  // namespace x402
