// A response that is held: how long, what it waits for, and its settlement.
#ifndef NGX_HTTP_X402_HOLD_TIMER_HPP
#define NGX_HTTP_X402_HOLD_TIMER_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Closes the gate. No held response without a running timer or call: the
// caller arms the timer or settles.
void begin_hold(RequestCtx &ctx);
void arm_hold_timer(RequestCtx &ctx);

// Whether settlement starts although the content is not complete.
bool enough_was_read(const RequestCtx &ctx);
// The upstream went away in the middle: it was finalized without a last buffer.
bool upstream_died(const RequestCtx &ctx);

// Starts the settlement of what is held.
void settle(RequestCtx &ctx);

// The upstream died before settlement began: nobody pays for half an answer.
ngx_int_t replace_broken(RequestCtx &ctx);

}  // namespace x402

#endif
