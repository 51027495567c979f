// SPDX-License-Identifier: Apache-2.0
// Directive setters that read a file: x402_extension and x402_paywall.
#include "base/near_name.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/reply/ngx_http_x402_paywall.hpp"
#include "protocol/extension_list.hpp"
#include "protocol/html_page.hpp"

namespace x402 {

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
        return conf_error(cf,
                          "\"off\" and extensions of the same level do not go "
                          "together");
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
        return conf_error(cf,
                          "\"off\" and extensions of the same level do not go "
                          "together");
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
                           "x402 knows no extension \"%V\"%s", &name,
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
    if (read_config_file(cf, path, kMaxPageFile, text, nullptr,
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

char *ngx_http_x402_set_extension(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_extension, conf);
}

char *ngx_http_x402_set_paywall(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_paywall, conf);
}
