// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_extensions.hpp"

namespace x402 {

namespace {

// The path as the client spelled it, without the query. It stays the same
// through internal redirects. Lifetime: the request.
std::string_view requested_path(ngx_http_request_t *r)
{
    std::string_view uri = view(r->unparsed_uri);
    return uri.substr(0, uri.find_first_of("?#"));
}

}  // namespace

const Extensions &extensions_of(const LocationConf &conf)
{
    static const Extensions none;
    return conf.extensions ? *conf.extensions : none;
}

std::string extensions_json(const LocationConf &conf, ngx_http_request_t *r)
{
    return extensions_for(extensions_of(conf), view(r->method_name),
                          requested_path(r));
}

std::string extensions_json(const LocationConf &conf)
{
    return extensions_for(extensions_of(conf), "GET", "/");
}

bool echoes_extensions(const LocationConf &conf, ngx_http_request_t *r,
                       JsonValue echoed)
{
    return echo_ok(extensions_of(conf), view(r->method_name), requested_path(r),
                   echoed);
}

}  // namespace x402
