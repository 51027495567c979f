// Mechanics of holding a response: what nginx has to see so that producers
// wait without spinning, and how it is let go or replaced in place.
#ifndef NGX_HTTP_X402_RESPONSE_HOLD_HPP
#define NGX_HTTP_X402_RESPONSE_HOLD_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The filters below ours; set once by postconfiguration.
extern ngx_http_output_header_filter_pt next_header_filter;
extern ngx_http_output_body_filter_pt next_body_filter;

// Tells nginx that output is pending and that the client side is not ready:
// buffered keeps the request alive, delayed stops every producer's write loop.
void hold_back(RequestCtx &ctx);

// Adds buffers to what is held, without consuming them: that is what makes
// producers wait. False: no memory.
bool keep_buffers(RequestCtx &ctx, ngx_chain_t *in);

// Marks buffers as sent so that their owners may reuse them.
void discard_buffers(ngx_chain_t *in);
void discard_held(RequestCtx &ctx);

// Sends the held header and body down the chain. The caller runs the request
// on. NGX_ERROR: the connection is beyond use.
ngx_int_t release_response(RequestCtx &ctx);

// An answer stands where content was to be: makes the upstream stop. Before its
// body has begun this has to be done again when it has (ctx.source_to_stop).
void stop_upstream(RequestCtx &ctx);

// Puts `answer` in the place of the content: nothing of it, none of its
// headers. Content that still comes is discarded. NGX_ERROR as above.
ngx_int_t replace_response(RequestCtx &ctx, const OwnReply &answer);

}  // namespace x402

#endif
