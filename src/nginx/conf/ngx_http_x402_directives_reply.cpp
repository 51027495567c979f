// SPDX-License-Identifier: Apache-2.0
// Directive setters: the response to unpaid requests.
//
// Directive setters that read a file: x402_extension and x402_paywall.
#include <algorithm>
#include <vector>

#include "base/header_syntax.hpp"
#include "base/near_name.hpp"
#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/reply/ngx_http_x402_paywall.hpp"
#include "protocol/extension_list.hpp"
#include "protocol/html_page.hpp"
#include "protocol/preflight_headers.hpp"

namespace x402 {

namespace {

// Variables that have a text at every request.
bool is_never_empty(std::string_view name)
{
    constexpr std::string_view kNames[] = {
        "uri",
        "request_uri",
        "document_uri",
        "request",
        "request_method",
        "request_id",
        "host",
        "hostname",
        "remote_addr",
        "remote_port",
        "server_addr",
        "server_port",
        "server_name",
        "server_protocol",
        "binary_remote_addr",
        "scheme",
        "msec",
        "pid",
        "time_iso8601",
        "time_local",
        "connection",
        "request_time",
        "request_length",
        "nginx_version",
        "status",
        "document_root",
        "connection_requests",
        "connection_time",
        "request_filename",
        "realpath_root",
        "pipe",
        "bytes_sent",
        "body_bytes_sent",
        "date_gmt",
        "date_local",
        "x402_offer",
        "x402_module_version",
        "proxy_host",
        "proxy_port",
        "realip_remote_addr",
        "realip_remote_port",
        "ssl_protocol",
        "ssl_cipher",
        // "NONE" without a certificate.
        "ssl_client_verify",
    };
    return name.substr(0, 8) == "tcpinfo_"
           || std::find(std::begin(kNames), std::end(kNames), name)
                  != std::end(kNames);
}

void warn_of_bypass(ngx_conf_t *cf, const ngx_str_t &value)
{
    std::string_view text = view(value);
    for (const std::string &name : variables_in(text)) {
        const char *warning = nullptr;
        if (is_of_client(name)) {
            warning = "any client can write \"%V\" and be served free; "
                      "look it up in a map of secrets instead";
        } else if (is_never_empty(name)) {
            warning = "\"%V\" is never empty, so that every request is free; "
                      "look it up in a map instead";
        }
        if (warning) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0, warning, &value);
            return;
        }
    }
}

char *set_bypass(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    bool is_off = cf->args->nelts == 2 && view(arguments(cf)[1]) == "off";
    if (is_off && lcf->bypass == NGX_CONF_UNSET_PTR) {
        lcf->bypass = nullptr;
        return NGX_CONF_OK;
    }
    if (is_off || lcf->bypass == nullptr) {
        return conf_error(cf, "\"x402_bypass off\" stands alone at a level");
    }
    if (lcf->bypass == NGX_CONF_UNSET_PTR) {
        lcf->bypass =
            ngx_array_create(cf->pool, 1, sizeof(ngx_http_complex_value_t));
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view text = view(arguments(cf)[i]);
        if (!has_variable(text) && !text.empty() && text != "0") {
            return conf_error(cf, "\"" + std::string(text)
                                      + "\" would make every request free; "
                                        "write a value with a variable, or "
                                        "\"off\" alone for no bypass");
        }
        warn_of_bypass(cf, arguments(cf)[i]);
        auto *value = lcf->bypass ? static_cast<ngx_http_complex_value_t *>(
                          ngx_array_push(lcf->bypass))
                                  : nullptr;
        if (value == nullptr || !compile_value(cf, arguments(cf)[i], *value)) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    return NGX_CONF_OK;
}

// scheme://host or scheme://host:port as browsers write it in Origin.
bool is_origin(std::string_view text)
{
    std::size_t colon = text.find("://");
    if (colon == std::string_view::npos || colon == 0) {
        return false;
    }
    constexpr std::string_view kScheme =
        "abcdefghijklmnopqrstuvwxyz0123456789+-.";
    constexpr std::string_view kHost =
        "abcdefghijklmnopqrstuvwxyz0123456789-._:[]";
    std::string_view host = text.substr(colon + 3);
    return text.substr(0, colon).find_first_not_of(kScheme)
               == std::string_view::npos
           && !host.empty()
           && host.find_first_not_of(kHost) == std::string_view::npos;
}

char *set_cors(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    std::string_view word = view(arguments(cf)[1]);
    if (lcf->cors.data != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    if (word == "on") {
        ngx_str_set(&lcf->cors, "*");
    } else if (word == "off") {
        ngx_str_set(&lcf->cors, "");
    } else if (is_origin(word)) {
        lcf->cors = arguments(cf)[1];
    } else {
        return conf_error(
            cf, "\"" + std::string(word)
                    + "\" is not an origin; write on, off or one origin "
                      "in lower case and without a path, such as "
                      "https://app.example.com");
    }
    return NGX_CONF_OK;
}

// type/subtype, and parameters in printable letters; a constant.
bool is_media_type(std::string_view text)
{
    for (char letter : text) {
        if (letter < ' ' || letter > '~' || letter == '$') {
            return false;
        }
    }
    std::string_view name = text.substr(0, text.find_first_of("; "));
    std::size_t slash = name.find('/');
    return slash != std::string_view::npos && is_token(name.substr(0, slash))
           && is_token(name.substr(slash + 1));
}

char *set_unpaid_body(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    ngx_str_t type = arguments(cf)[1];
    ngx_str_t value = arguments(cf)[2];
    if (lcf->unpaid_body != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    if (!is_media_type(view(type))) {
        return conf_error(cf, "\"" + copy(type)
                                  + "\" is not a media type; write one such as "
                                    "application/json or \"text/plain; "
                                    "charset=utf-8\"");
    }
    ngx_http_complex_value_t *compiled = compile_value(cf, value);
    if (compiled == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->unpaid_type = type;
    lcf->unpaid_body = compiled;
    return NGX_CONF_OK;
}

}  // namespace

namespace {

// Others are passed on as they are written.
constexpr std::string_view kKnownExtensions[] = {
    "bazaar",
    "payment-identifier",
};
constexpr std::size_t kMaxExtensionFile = 64 * 1024;
constexpr std::size_t kMaxPageFile = 256 * 1024;

// `x402_extension off` is an empty list of this level.
char *set_no_extension(ngx_conf_t *cf, LocationConf &conf)
{
    if (conf.extensions != nullptr) {
        return conf_error(cf, "\"x402_extension off\" stands alone at a level");
    }
    conf.extensions = pool_new<Extensions>(cf->pool);
    return conf.extensions ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

// The value of `route=`; false: an error was printed.
bool read_route(ngx_conf_t *cf, std::string &route)
{
    if (cf->args->nelts < 4) {
        return true;
    }
    constexpr std::string_view kRoute = "route=";
    std::string_view word = view(arguments(cf)[3]);
    if (word.substr(0, kRoute.size()) != kRoute
        || word.size() == kRoute.size()) {
        conf_error(cf, "\"" + std::string(word)
                           + "\" is not route=path; write one such as "
                             "route=/users/:id");
        return false;
    }
    route = word.substr(kRoute.size());
    return true;
}

char *set_extension(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    const ngx_str_t &name = arguments(cf)[1];
    if (cf->args->nelts == 2) {
        return view(name) == "off"
                   ? set_no_extension(cf, *lcf)
                   : conf_error(cf, "extension \"" + copy(name)
                                        + "\" needs a file with its JSON");
    }
    Extensions *extensions = lcf->extensions;
    if (extensions == nullptr) {
        extensions = pool_new<Extensions>(cf->pool);
    } else if (extensions->empty()) {
        return conf_error(cf, "\"x402_extension off\" stands alone at a level");
    }
    if (extensions == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    std::string route;
    std::string text;
    ngx_str_t path = arguments(cf)[2];
    if (!read_route(cf, route)
        || read_config_file(cf, path, kMaxExtensionFile, text) != NGX_CONF_OK) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    NearName near(view(name));
    for (std::string_view known : kKnownExtensions) {
        near.try_name(known);
    }
    if (!near.name().empty()) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "x402 has no extension \"%V\"%s", &name,
                           near.question().c_str());
    }
    std::string error = extensions->add(view(name), text, route);
    if (!error.empty()) {
        return config_file_error(cf, path, 0,
                                 "cannot be extension \"" + copy(name)
                                     + "\": " + error);
    }
    lcf->extensions = extensions;
    return NGX_CONF_OK;
}

// NGX_CONF_OK, or an error was printed.
char *read_page(ngx_conf_t *cf, ngx_str_t path, Paywall &paywall)
{
    std::string text;
    if (read_config_file(cf, path, kMaxPageFile, text,
                         "write on, wallet or off, or the path of a page")
        != NGX_CONF_OK) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (text.empty()) {
        return config_file_error(cf, path, 0, "is empty; write a page into it");
    }
    for (PagePart &part : parse_page(text)) {
        Paywall::Part made;
        made.html = std::move(part.text);
        made.variable = std::move(part.variable);
        if (!made.variable.empty()) {
            ngx_str_t name = pool_copy(cf->pool, made.variable);
            made.index = name.data ? ngx_http_get_variable_index(cf, &name)
                                   : static_cast<ngx_int_t>(NGX_ERROR);
            if (made.index == NGX_ERROR) {
                return static_cast<char *>(NGX_CONF_ERROR);
            }
        }
        paywall.page.push_back(std::move(made));
    }
    return NGX_CONF_OK;
}

char *set_paywall(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->paywall != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *paywall = pool_new<Paywall>(cf->pool);
    if (paywall == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    std::string_view word = view(arguments(cf)[1]);
    paywall->on = word != "off";
    paywall->wallet = word == "wallet";
    lcf->paywall = paywall;
    return word == "on" || word == "off" || paywall->wallet
               ? NGX_CONF_OK
               : read_page(cf, arguments(cf)[1], *paywall);
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_bypass(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_bypass, conf);
}

char *ngx_http_x402_set_cors(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_cors, conf);
}

char *ngx_http_x402_set_unpaid_body(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_unpaid_body, conf);
}

char *ngx_http_x402_set_extension(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_extension, conf);
}

char *ngx_http_x402_set_paywall(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_paywall, conf);
}
