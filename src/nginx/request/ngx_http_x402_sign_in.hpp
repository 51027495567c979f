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
    asks_store,  // ReturningState.question; the access phase comes again
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

// The header SIGN-IN-WITH-X of a request: whether it is a signature of a payer,
// made for this place and this moment.

// Those whose accounts may sign in here, each once.
std::vector<std::string> chains_of(const LocationConf &conf,
                                   const PaymentOffer &offer);
// `x402_sign_in only`: whether this account, as $x402_payer has it, is of one
// of its networks. An EVM account is the same on all of them.
bool is_account_of(const LocationConf &conf, std::string_view account);
// All that does not depend on the nonce. False: this is not a place to sign in.
bool fill_place(ngx_http_request_t *r, const LocationConf &conf,
                SignInTerms &terms);
// What a nonce is sealed with.
std::string place_text(const SignInTerms &terms);
// `issued`: unix seconds.
void fill_times(SignInTerms &terms, std::int64_t issued);

SignInAnswer refuse_sign_in(RequestCtx &ctx, const RefusalWord &word,
                            std::string_view why);

// A good signature, of which it is not known yet whether it is a copy.
struct Signer {
    std::string payer;  // its address in one spelling; empty: see the answer
    std::string nonce;
    std::int64_t issued = 0;
};

// `answer`: what became of it if there is none.
Signer signer_of(RequestCtx &ctx, const LocationConf &conf,
                 std::string_view header, const PaymentOffer &offer,
                 SignInAnswer &answer);

}  // namespace x402

#endif
