// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_content_facts.hpp"

#include "nginx/core/ngx_http_x402_header_list.hpp"

namespace x402 {

namespace {

bool grpc_failed(ngx_http_request_t *r)
{
    bool failed = false;
    each_header(
        r->headers_out.headers, [&failed](const ngx_table_elt_t &header) {
            if (header.hash != 0 && header_is(header.key, "grpc-status")) {
                failed = view(header.value) != "0";
            }
        });
    return failed;
}

}  // namespace

ContentFacts content_facts(ngx_http_request_t *r)
{
    ContentFacts facts;
    facts.status = static_cast<unsigned>(r->headers_out.status);
    facts.status_from_upstream =
        r->upstream && r->upstream->headers_in.status_n == facts.status;
    facts.grpc_failed = grpc_failed(r);
    facts.made_where_free = loc_conf(r)->off_in_location;
    // nginx: the two ways in which filters turn an answer into an error.
    const RequestCtx *ctx = find_ctx(r);
    facts.filter_failed = r->filter_finalize || (ctx && ctx->hold.refused);
    return facts;
}

}  // namespace x402
