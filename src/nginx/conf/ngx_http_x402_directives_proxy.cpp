// x402_facilitator_proxy: calls leave a network through its proxy.
#include "nginx/call/curl/ngx_http_x402_curl.hpp"
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestFile = 1024;

bool takes(std::string_view word, std::string_view key, std::string_view &value)
{
    if (word.substr(0, key.size()) != key) {
        return false;
    }
    value = word.substr(key.size());
    return true;
}

// False: an error was printed.
bool read_password(ngx_conf_t *cf, std::string_view path,
                   FacilitatorProxy &proxy)
{
    ngx_str_t file = pool_copy(cf->pool, path);
    SecretText secret;
    if (file.data == nullptr
        || read_config_file(cf, file, kLongestFile, secret.text)
               != NGX_CONF_OK) {
        return false;
    }
    auto password = read_proxy_password(secret.text);
    if (!password) {
        config_file_error(cf, file, 0,
                          "cannot be used: " + password.problem().text);
        return false;
    }
    proxy.password_path = copy(file);
    proxy.password = std::make_shared<const SecretText>(password.value());
    return true;
}

// False: an error was printed.
bool read_user(ngx_conf_t *cf, FacilitatorProxy &proxy)
{
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        std::string_view value;
        if (takes(word, "user=", value) && !value.empty()
            && value.find(':') == std::string_view::npos) {
            proxy.user = std::string(value);
        } else if (takes(word, "password=", value) && !value.empty()) {
            if (!read_password(cf, value, proxy)) {
                return false;
            }
        } else {
            conf_error(cf, "unknown parameter \"" + std::string(word)
                               + "\"; write user=name and password=file");
            return false;
        }
    }
    if (proxy.user.empty() != (proxy.password == nullptr)) {
        conf_error(cf, "user= and password=file go together");
        return false;
    }
    return true;
}

char *set_facilitator_proxy(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->facilitator_proxy) {
        return const_cast<char *>("is duplicate");
    }
    if (view(arguments(cf)[1]) == "off") {
        lcf->facilitator_proxy = nullptr;
        return cf->args->nelts == 2
                   ? NGX_CONF_OK
                   : conf_error(cf, "off takes no further parameters");
    }
    if (!kHasCurl) {
        return conf_error(cf,
                          "a proxy needs libcurl, and this module was built "
                          "without it (X402_CURL=no)");
    }
    auto url = parse_proxy_url(view(arguments(cf)[1]));
    if (!url) {
        return conf_error(cf, url.problem().text);
    }
    auto *proxy = pool_new<FacilitatorProxy>(cf->pool);
    if (proxy == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    proxy->url = url.value();
    if (!read_user(cf, *proxy)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->facilitator_proxy = proxy;
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_facilitator_proxy(ngx_conf_t *cf, ngx_command_t *,
                                          void *conf)
{
    return config_guarded(cf, set_facilitator_proxy, conf);
}
