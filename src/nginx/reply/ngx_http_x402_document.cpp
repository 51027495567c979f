// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_document.hpp"

#include "base/json_text.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "nginx/reply/ngx_http_x402_answer_body.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"

namespace x402 {

namespace {

// `text` gets the whole document. False: no memory.
bool join_pieces(ngx_http_request_t *r, const std::vector<std::string> &pieces,
                 std::string_view &text)
{
    if (pieces.size() == 1) {
        text = pieces.front();
        return true;
    }
    std::string room;
    std::string origin = request_origin(r);
    std::string whole;
    for (const std::string &piece : pieces) {
        if (&piece != &pieces.front()) {
            whole += inside_json_string(origin, room);
        }
        whole += piece;
    }
    ngx_str_t copied = pool_copy(r->pool, whole);
    text = view(copied);
    return copied.data != nullptr;
}

// JSON that everyone may know: scripts of any origin may read it.
// Other methods than GET and HEAD get 405. `text` is static, or the
// configuration's, or the request pool's.
ngx_int_t send_public_json(ngx_http_request_t *r, std::string_view text)
{
    constexpr std::string_view kType = "application/json";
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    if (!add_constant_header(r, "Access-Control-Allow-Origin", "*")
        || !add_constant_header(r, "X-Content-Type-Options", "nosniff")) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return send_document(r, text, kType, kType.size());
}

ngx_int_t send_manifest(ngx_http_request_t *r)
{
    std::string_view text;
    if (!join_pieces(r, loc_conf(r)->manifest->pieces, text)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return send_public_json(r, text);
}

}  // namespace

ngx_int_t send_document(ngx_http_request_t *r, std::string_view text,
                        std::string_view type, std::size_t type_length,
                        ngx_uint_t status)
{
    AnswerBody body = {to_ngx_str(text), type, type_length};
    ngx_chain_t *out = body_chain(r, body);
    if (out == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.status = status;
    set_body_headers(r, body);
    ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    return ngx_http_output_filter(r, out);
}

ngx_int_t on_did_document(ngx_http_request_t *r)
{
    return guarded(
        r->connection->log,
        static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
        [&] { return send_public_json(r, loc_conf(r)->did_document->text); });
}

ngx_int_t on_manifest(ngx_http_request_t *r)
{
    return guarded(r->connection->log,
                   static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                   [&] { return send_manifest(r); });
}

}  // namespace x402
