// Directive setters: how the module talks to those it refuses.
#include "nginx/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

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
    auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(conf);
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
        return refuse(cf, "\"" + std::string(word)
                              + "\" is no origin; write on, off or one origin "
                                "in lower case and without a path, such as "
                                "https://app.example.com");
    }
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_cors(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_cors, conf);
}
