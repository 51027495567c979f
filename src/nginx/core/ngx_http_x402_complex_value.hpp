// SPDX-License-Identifier: Apache-2.0
// Values with variables: compiled with the configuration, evaluated with a
// request.
#ifndef NGX_HTTP_X402_COMPLEX_VALUE_HPP
#define NGX_HTTP_X402_COMPLEX_VALUE_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Into `out`. False: nginx printed an error, or there is no memory. Lifetime:
// the configuration cycle.
inline bool compile_value(ngx_conf_t *cf, ngx_str_t text,
                          ngx_http_complex_value_t &out)
{
    ngx_memzero(&out, sizeof(out));
    ngx_http_compile_complex_value_t compiler{};
    compiler.cf = cf;
    compiler.value = &text;
    compiler.complex_value = &out;
    return ngx_http_compile_complex_value(&compiler) == NGX_OK;
}

// The same; nullptr instead of false.
inline ngx_http_complex_value_t *compile_value(ngx_conf_t *cf, ngx_str_t text)
{
    auto *compiled = static_cast<ngx_http_complex_value_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t)));
    return compiled && compile_value(cf, text, *compiled) ? compiled : nullptr;
}

// Leaves `out` as it is where there is no value. False: no memory. Lifetime of
// the view: the request.
inline bool evaluate(ngx_http_request_t *r, ngx_http_complex_value_t *value,
                     std::string_view &out)
{
    ngx_str_t text;
    if (value == nullptr) {
        return true;
    }
    if (ngx_http_complex_value(r, value, &text) != NGX_OK) {
        return false;
    }
    out = view(text);
    return true;
}

// The same, with a copy.
inline bool evaluate(ngx_http_request_t *r, ngx_http_complex_value_t *value,
                     std::string &out)
{
    std::string_view text;
    if (!evaluate(r, value, text)) {
        return false;
    }
    if (value != nullptr) {
        out = text;
    }
    return true;
}

}  // namespace x402

#endif
