// SPDX-License-Identifier: Apache-2.0
// A line in the error log that each request may cause.
#ifndef NGX_HTTP_X402_LOG_SELDOM_HPP
#define NGX_HTTP_X402_LOG_SELDOM_HPP

#include <string>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// As log_line(): a text is said once a minute by each process. It is kept, so
// nothing of a request may be in it.
void log_seldom(ngx_uint_t level, ngx_log_t *log, const std::string &text);

}  // namespace x402

#endif
