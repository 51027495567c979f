// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_document.hpp"

#include "nginx/reply/ngx_http_x402_answer_body.hpp"

namespace x402 {

ngx_int_t send_document(ngx_http_request_t *r, std::string_view text,
                        std::string_view type, std::size_t type_length)
{
    AnswerBody body = {to_ngx_str(text), type, type_length};
    ngx_chain_t *out = body_chain(r, body);
    if (out == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.status = NGX_HTTP_OK;
    set_body_headers(r, body);
    ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    return ngx_http_output_filter(r, out);
}

}  // namespace x402
