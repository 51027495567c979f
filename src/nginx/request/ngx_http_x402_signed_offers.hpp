// SPDX-License-Identifier: Apache-2.0
// Signed offers and receipts of this moment (extension offer-receipt): an offer
// is signed at most once a second for each URL, and not for each request.
#ifndef NGX_HTTP_X402_SIGNED_OFFERS_HPP
#define NGX_HTTP_X402_SIGNED_OFFERS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The extensions of the offer to this request, the signed offers among them.
// Precondition: the quote was made.
std::string extensions_of_offer(RequestCtx &ctx);

// A receipt as the client gets it: itself, or signed and in `room` if its
// location signs.
const std::string &receipt_of_answer(RequestCtx &ctx,
                                     const std::string &receipt,
                                     std::string &room);

}  // namespace x402

#endif
