// SPDX-License-Identifier: Apache-2.0
// x402_notify: reports what became of a payment, by a background subrequest
// that no request waits for. Its result is ignored.
#ifndef NGX_HTTP_X402_NOTIFY_HPP
#define NGX_HTTP_X402_NOTIFY_HPP

#include <vector>

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

enum class NotifyEvent {
    verify,   // the facilitator says that the payment is valid
    settle,   // the money has moved
    failure,  // the payment was rejected
};

// One x402_notify.
struct Notice {
    NotifyEvent event;
    ngx_str_t uri;
    ngx_str_t args;
};

// Starts the subrequests for this event. They run when the caller has returned
// to nginx, so that variables say what is true then. Never fails: what cannot
// be started is logged. Precondition: the main request is alive.
void notify(const RequestCtx &ctx, NotifyEvent event);

}  // namespace x402

#endif
