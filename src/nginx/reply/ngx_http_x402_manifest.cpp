// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_manifest.hpp"

#include "base/json_text.hpp"
#include "nginx/reply/ngx_http_x402_document.hpp"
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

ngx_int_t send_manifest(ngx_http_request_t *r)
{
    std::string_view text;
    if (!join_pieces(r, loc_conf(r)->manifest->pieces, text)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return send_public_json(r, text);
}

}  // namespace

ngx_int_t on_manifest(ngx_http_request_t *r)
{
    return guarded(r->connection->log,
                   static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                   [&] { return send_manifest(r); });
}

}  // namespace x402
