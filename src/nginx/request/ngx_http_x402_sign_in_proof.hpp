// SPDX-License-Identifier: Apache-2.0
// The header SIGN-IN-WITH-X of a request: whether it is a signature of a payer,
// made for this place and this moment.
#ifndef NGX_HTTP_X402_SIGN_IN_PROOF_HPP
#define NGX_HTTP_X402_SIGN_IN_PROOF_HPP

#include "nginx/request/ngx_http_x402_sign_in.hpp"
#include "protocol/sign_in_message.hpp"

namespace x402 {

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
