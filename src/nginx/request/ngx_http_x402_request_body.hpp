// SPDX-License-Identifier: Apache-2.0
// x402_read_body: the request body before the price is known, and its fields as
// variables. The body stays where it is, whole, for the content handler.
#ifndef NGX_HTTP_X402_REQUEST_BODY_HPP
#define NGX_HTTP_X402_REQUEST_BODY_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Access phase, once: reads the body and runs the phases again, or returns the
// status with which the request ends. The request may be gone afterwards.
ngx_int_t read_body(RequestCtx &ctx, const LocationConf *conf);

// Later, without reading: what the content handler has read of it, for a
// location that is only tried. NGX_OK, or the status with which read_body()
// would have ended the request.
ngx_int_t take_read_body(RequestCtx &ctx, const LocationConf *conf);

// Why a value that was made with $x402_body_... too early decides nothing.
constexpr std::string_view kBodyMissed =
    "$x402_body_... was read where the body is not known; write "
    "x402_read_body, and do not use it in \"set\", \"if\" or limits";

// ASCII letters only.
std::string lower_case(std::string_view text);

}  // namespace x402

#endif
