#include "nginx/payment/ngx_http_x402_phase_resume.hpp"

namespace x402 {

void resume_phases(ngx_http_request_t *r)
{
    ngx_connection_t *c = r->connection;
    r->read_event_handler = ngx_http_block_reading;
    if (ngx_http_post_request(r, nullptr) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
    ngx_http_run_posted_requests(c);
}

}  // namespace x402
