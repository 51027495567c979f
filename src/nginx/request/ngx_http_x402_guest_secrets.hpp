// SPDX-License-Identifier: Apache-2.0
// What a client shows that has paid before: a pass (X402-Pass, or a cookie) and
// a signature of its wallet (SIGN-IN-WITH-X). Each opens a door for the one
// that has it, so it is taken out of the request before any backend sees it,
// also where it opens nothing.
#ifndef NGX_HTTP_X402_GUEST_SECRETS_HPP
#define NGX_HTTP_X402_GUEST_SECRETS_HPP

#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

constexpr std::string_view kPassCookie = "x402_pass_";

// Values as they came; of a cookie the whole line.
struct GuestSecrets {
    std::vector<ngx_str_t> passes;
    std::vector<ngx_str_t> cookies;
    std::vector<ngx_str_t> sign_ins;
};

// In preaccess of a main request, in every location of a configuration that
// issues passes or lets payers sign in. They stay in the request where
// `forwarded`. False: no memory.
bool take_guest_secrets(ngx_http_request_t *r, bool forwarded);

// What this request showed, whatever location it has come to; nullptr: nothing.
const GuestSecrets *guest_secrets(ngx_http_request_t *r);

}  // namespace x402

#endif
