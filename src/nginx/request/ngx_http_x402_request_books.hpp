// SPDX-License-Identifier: Apache-2.0
// What a request adds to the books: its outcome, the steps of its payment, and
// the lines of the ledger that belong to it.
#ifndef NGX_HTTP_X402_REQUEST_BOOKS_HPP
#define NGX_HTTP_X402_REQUEST_BOOKS_HPP

#include "nginx/books/ngx_http_x402_money_books.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// What is booked for the settlement of this request's payment.
MoneyBooks money_books(const RequestCtx &ctx);

// Of a location that is only tried; it may have no payment, nor an offer.
MoneyBooks shadow_books(const RequestCtx &ctx);
// What is known of the payment; without one the first option of the offer.
// Lifetime: the context's, and the request's.
LedgerFacts facts_of(const RequestCtx &ctx);

// Money moved: what the books say when the request ends, and its memory is
// gone, is made now.
void prepare_books(const RequestCtx &ctx);

// Once for a request that a pass or a signature lets in (RequestCtx.returning):
// if content leaves, the ledger of the location has an event `returned`. False:
// no memory.
bool book_return_at_end(RequestCtx &ctx, const LocationConf &conf);

// The content of a payment was delivered, or is owed.
void book_delivery(const RequestCtx &ctx);
void book_owed(const RequestCtx &ctx);

// The request ends: before its state is closed.
void book_request_end(const RequestCtx &ctx);

// The outcome, for $x402_state and the books.
OutcomeFacts outcome_facts(const RequestCtx &ctx);

}  // namespace x402

#endif
