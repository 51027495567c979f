// SPDX-License-Identifier: Apache-2.0
// What a server or a location does before the payment of a request is looked
// at: "return", "rewrite", "set" and "if".
#ifndef NGX_HTTP_X402_REWRITE_PHASE_HPP
#define NGX_HTTP_X402_REWRITE_PHASE_HPP

#include <string>
#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// A "rewrite" that leads to another URI of this nginx.
struct WrittenRewrite {
    ngx_regex_t *regex;
    std::string target;  // up to its first variable
    bool last;           // not "break"
};

struct RewriteUse {
    std::string early_variable;     // a variable that is not known yet
    bool returns_content = false;   // a status of 2xx, under a condition too
    ngx_uint_t always_returns = 0;  // the status; 0: there is a way past
    std::vector<WrittenRewrite> rewrites;
};

// Of the level that cf->ctx names.
RewriteUse read_rewrite_phase(ngx_conf_t *cf);

// A variable of this module that is empty before the payment is looked at.
bool is_known_late(std::string_view name);

}  // namespace x402

#endif
