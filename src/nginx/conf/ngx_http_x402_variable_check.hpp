// SPDX-License-Identifier: Apache-2.0
// Variables that some configured value has, and that are always empty.
#ifndef NGX_HTTP_X402_VARIABLE_CHECK_HPP
#define NGX_HTTP_X402_VARIABLE_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// When all locations were merged, as the next ones. False: an error was
// printed.
bool check_member_names(ngx_conf_t *cf);

void check_body_variables(ngx_conf_t *cf, const MainConf &mcf);

// The members of answers that some configured value asks for, without
// "x402_reply_"; nginx: names of variables are in lower case.
void collect_reply_fields(ngx_conf_t *cf, MainConf &mcf);

}  // namespace x402

#endif
