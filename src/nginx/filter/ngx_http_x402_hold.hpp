// SPDX-License-Identifier: Apache-2.0
// How a response is held until its payment is settled, and then released or
// replaced. Private to the room: header_filter, hold_timer, reply_usage,
// response_hold, trusted_stream, final_headers and the filter_chain that joins
// them.
#ifndef NGX_HTTP_X402_HOLD_HPP
#define NGX_HTTP_X402_HOLD_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// --- filter_chain: the way down

// The header of content whose fate is known: the header filters that it left
// out so far (add_header, expires), then the wire. Returns what a header filter
// returns.
ngx_int_t write_content_header(RequestCtx &ctx);
// The header of an answer of the module in the place of content, from the first
// filter on.
ngx_int_t write_own_header(RequestCtx &ctx);
// The last step of both, for any main request; ctx may be nullptr.
ngx_int_t write_header(ngx_http_request_t *r, RequestCtx *ctx);
// Body bytes that no filter changes any more.
ngx_int_t write_body(ngx_http_request_t *r, ngx_chain_t *in);

// --- final_headers

// Cache-Control, CORS and the payment headers of a main request, after every
// other header filter. False: no memory.
bool finish_headers(ngx_http_request_t *r, RequestCtx *ctx);

// --- header_filter and response_hold: what leaves

// The header of a main request, below the filters that change or check
// content: charged or not, held, passed, or replaced.
ngx_int_t filter_header(ngx_http_request_t *r);

// The body of a main request at the same place.
ngx_int_t filter_body(RequestCtx &ctx, ngx_chain_t *in);

// Why the bytes that leave are not those that were made, for the log; nullptr:
// they are. Call it when the last byte was seen.
const char *content_defect(const RequestCtx &ctx);

// --- hold_timer: how long

// No held response without a running timer or call: the caller arms the timer
// or settles.
void begin_hold(RequestCtx &ctx);
void arm_hold_timer(RequestCtx &ctx);

// Whether settlement starts although the content is not complete.
bool enough_was_read(const RequestCtx &ctx);
// The upstream failed before the end: it was finalized without a last buffer.
bool upstream_died(const RequestCtx &ctx);
// The content consists of subrequests that are not over.
bool has_subrequests(const RequestCtx &ctx);

// Starts the settlement of what is held.
void settle(RequestCtx &ctx);

// The content failed before settlement began; it is not charged.
ngx_int_t replace_broken(RequestCtx &ctx, const char *why);

// --- reply_usage: what the answer says it has cost (x402_charge)

// The header of content under scheme upto, of which the upstream's header does
// not say what it has cost: from now on its body is read.
void begin_usage(RequestCtx &ctx);
// Its last byte is there. nginx: an upstream that is not buffered does not say
// so while its bytes are held.
bool has_ended(const RequestCtx &ctx);
// It is held to its end, within the time that its payment is valid.
void extend_hold(RequestCtx &ctx);
// Half of the time that it is still valid, ms.
ngx_msec_t half_validity(const RequestCtx &ctx);
// Trusted payers (x402_stream): begins to let the content pass before it is
// settled. False: it has to be held.
bool begin_stream(RequestCtx &ctx);
// The settlement begins: what it asks for. Never more than the maximum, which
// it is if the answer has not ended.
void set_used_amount(RequestCtx &ctx);
// What has been read so far, of an answer that goes no further.
void set_amount_so_far(RequestCtx &ctx, bool unreadable_is_maximum);
// By the source filter's postconfiguration: stands above it.
void add_usage_filter(ngx_conf_t *cf);

// --- response_hold: mechanics

// Tells nginx that output is pending and that the client side is not ready:
// buffered keeps the request alive, delayed stops every producer's write loop.
void hold_back(RequestCtx &ctx);

// Adds buffers to what is held, without consuming them: that is what makes
// producers wait. False: no memory.
bool keep_buffers(RequestCtx &ctx, ngx_chain_t *in);

// Marks buffers as sent so that their owners may reuse them.
void discard_buffers(ngx_chain_t *in);
void discard_held(RequestCtx &ctx);

// Sends the held header and body down the chain. The caller continues the
// request. NGX_ERROR: the connection cannot be used any more.
ngx_int_t release_response(RequestCtx &ctx);

// An answer replaces the content: makes the upstream stop. If its body has not
// begun, this has to be done again when it has (upstream_to_stop).
void stop_upstream(RequestCtx &ctx);

// Replaces the content and all its headers by `answer`. Content that still
// comes is discarded. NGX_ERROR as above.
ngx_int_t replace_response(RequestCtx &ctx, const OwnReply &answer);

}  // namespace x402

#endif
