// SPDX-License-Identifier: Apache-2.0
// What is known of a response that decides whether it is charged.
#ifndef NGX_HTTP_X402_CONTENT_FACTS_HPP
#define NGX_HTTP_X402_CONTENT_FACTS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "policy/charge_rule.hpp"

namespace x402 {

// Once the header of the response is there.
ContentFacts content_facts(ngx_http_request_t *r);

}  // namespace x402

#endif
