// SPDX-License-Identifier: Apache-2.0
// Values with variables: compiled with the configuration, evaluated with a
// request.
#ifndef NGX_HTTP_X402_COMPLEX_VALUE_HPP
#define NGX_HTTP_X402_COMPLEX_VALUE_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Into `out`. False: nginx printed an error, or memory ran out. Lifetime:
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

// Whether scheme and host of the URL are written, so that no client chooses
// them. nullptr: no.
inline bool has_written_origin(const ngx_http_complex_value_t *url)
{
    std::string_view text = url ? view(url->value) : std::string_view();
    std::size_t at = text.find("://");
    if (at == std::string_view::npos) {
        return false;
    }
    std::string_view host = text.substr(at + 3);
    host = host.substr(0, host.find_first_of("/?#$"));
    std::size_t end = at + 3 + host.size();
    // A variable may begin with more of the name.
    bool ends = end == text.size() || text[end] != '$'
                || text.substr(end) == "$request_uri"
                || text.substr(end) == "$uri";
    return !host.empty() && ends
           && text.substr(0, at).find('$') == std::string_view::npos;
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
