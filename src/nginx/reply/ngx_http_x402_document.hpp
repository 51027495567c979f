// SPDX-License-Identifier: Apache-2.0
// Content handlers that answer with a whole document, and how they send it:
// x402_did_document (the public keys by which signed offers and receipts are
// checked) and x402_manifest (what a server sells, for agents). Their texts
// are made once, when the configuration was read.
#ifndef NGX_HTTP_X402_DOCUMENT_HPP
#define NGX_HTTP_X402_DOCUMENT_HPP

#include <cstddef>
#include <vector>

#include "base/json_document.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// This body, with 200 or another status; what it returns is the handler's.
// `type_length` is the length of the type without its parameters. Lifetime of
// `text` and `type`: the request's pool, or longer.
ngx_int_t send_document(ngx_http_request_t *r, std::string_view text,
                        std::string_view type, std::size_t type_length,
                        ngx_uint_t status = NGX_HTTP_OK);

// The handler of x402_did_document.
ngx_int_t on_did_document(ngx_http_request_t *r);

enum class ManifestFormat { openapi, x402 };

struct Manifest {
    ManifestFormat format = ManifestFormat::openapi;
    JsonDocument base;  // of base=; empty: none
    // Made by build_manifests(). The request's origin belongs between each two
    // of them.
    std::vector<std::string> pieces;
};

// The handler of x402_manifest.
ngx_int_t on_manifest(ngx_http_request_t *r);

}  // namespace x402

#endif
