// Runs a request on after something that it waited for has happened.
#ifndef NGX_HTTP_X402_PHASE_RESUME_HPP
#define NGX_HTTP_X402_PHASE_RESUME_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Lets the phases of the request go on. The request may be gone afterwards.
void resume_phases(ngx_http_request_t *r);

// Gives the answer of a call to the request and lets it run on. If that throws,
// the request ends with 500 and its cleanup gives the claim back. The request
// may be gone afterwards.
template <class Body> void resume_request(ngx_http_request_t *r, Body &&body)
{
    bool taken = guarded(r->connection->log, false, [&] {
        body();
        return true;
    });
    if (taken) {
        resume_phases(r);
        return;
    }
    ngx_connection_t *c = r->connection;
    ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    ngx_http_run_posted_requests(c);
}

}  // namespace x402

#endif
