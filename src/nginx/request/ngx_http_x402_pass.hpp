// SPDX-License-Identifier: Apache-2.0
// Passes (x402_pass): requests that show one are free, and content that was
// paid for brings one.
#ifndef NGX_HTTP_X402_PASS_HPP
#define NGX_HTTP_X402_PASS_HPP

#include <string>

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"

namespace x402 {

enum class PassAnswer {
    none,        // nothing that opens the location
    admitted,    // the request was counted; ctx.returning has the pass
    asks_store,  // ReturningState.question; the access phase runs again
    store_away,  // what is left of the pass is not known
    failed,      // no memory
};

// Whether the request shows a pass that opens this location at the price of
// this moment. If it shows another one, ctx.returning_fault says what is wrong
// with it. Precondition: conf.pass.
PassAnswer take_pass(RequestCtx &ctx, const LocationConf &conf);

// What goes with the content of this request into its header; empty texts are
// left out.
struct IssuedPass {
    std::string header;  // value of kPassHeader
    std::string cookie;  // value of Set-Cookie
};

// Money: only for content that leaves after money moved, with a transaction
// that proves it. One pass for one payment, however often it is delivered.
// False: no memory. Precondition: quote.conf->pass.
bool issue_pass(RequestCtx &ctx, IssuedPass &issued);

}  // namespace x402

#endif
