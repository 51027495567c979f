// SPDX-License-Identifier: Apache-2.0
// x402_manifest: a content handler that lists for agents what its server
// sells. The text is made once, when the configuration was read.
#ifndef NGX_HTTP_X402_MANIFEST_HPP
#define NGX_HTTP_X402_MANIFEST_HPP

#include <vector>

#include "base/json_document.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

enum class ManifestFormat { openapi, x402 };

struct Manifest {
    ManifestFormat format = ManifestFormat::openapi;
    JsonDocument base;  // of base=; empty: none
    // Made by build_manifests(). The request's origin belongs between each two
    // of them.
    std::vector<std::string> pieces;
};

// The handler of such a location.
ngx_int_t on_manifest(ngx_http_request_t *r);

}  // namespace x402

#endif
