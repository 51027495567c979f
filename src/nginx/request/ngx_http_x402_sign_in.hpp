// SPDX-License-Identifier: Apache-2.0
// sign-in-with-x (x402_sign_in): a payer that proves its address by a signature
// comes back to what it has bought.
#ifndef NGX_HTTP_X402_SIGN_IN_HPP
#define NGX_HTTP_X402_SIGN_IN_HPP

#include <string>

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "protocol/sign_in_message.hpp"

namespace x402 {

enum class SignInAnswer {
    none,        // no signature, or its signer has bought nothing here
    admitted,    // ctx.returning says who it is; of "only", nothing was bought
    refused,     // the signature is not good; ctx.returning_fault says why
    busy,        // no room for another nonce
    asks_store,  // ReturningState.question; the access phase runs again
    store_away,  // it is not known whether the nonce was used
    failed,      // no memory
};

// What the request's header SIGN-IN-WITH-X comes to. A nonce is used up by the
// first good signature over it. Precondition: conf.sign_in.
SignInAnswer take_sign_in(RequestCtx &ctx, const LocationConf &conf);

// The extension of an offer to this request, as a member of a JSON object
// ("sign-in-with-x":{...}); empty if this is not a place to sign in: another
// host, or no randomness. Precondition: quote.conf->sign_in.
std::string sign_in_member(RequestCtx &ctx);

// Money: after a settlement, when its content leaves. Precondition:
// quote.conf->sign_in.
void remember_purchase(RequestCtx &ctx);

}  // namespace x402

#endif
