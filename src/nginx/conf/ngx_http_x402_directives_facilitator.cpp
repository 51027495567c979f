// SPDX-License-Identifier: Apache-2.0
// x402_facilitator and how it is reached: time limits, headers, certificates,
// credentials, and the proxy of a network. Also whose word counts: x402_verify,
// and x402_redeliver_key, which tells the client of a payment from others that
// know it.
#include <algorithm>

#include "facilitator/request_header.hpp"
#include "nginx/call/curl/ngx_http_x402_curl.hpp"
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_directive_words.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"

namespace x402 {

namespace {

char *set_facilitator(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->facilitator_url.data != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    std::string error = validate_facilitator(view(arguments(cf)[1]));
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    lcf->facilitator_url = arguments(cf)[1];
    record_origin(cf, lcf->facilitator_origin);
    return NGX_CONF_OK;
}

char *set_facilitator_timeout(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    struct {
        std::string_view key;
        ngx_msec_t *target;
    } known[] = {
        {"connect=", &lcf->connect_timeout},
        {"verify=", &lcf->verify_timeout},
        {"settle=", &lcf->settle_timeout},
    };
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        bool read = false;
        for (auto &entry : known) {
            if (word.substr(0, entry.key.size()) != entry.key) {
                continue;
            }
            if (*entry.target != NGX_CONF_UNSET_MSEC) {
                return const_cast<char *>("is duplicate");
            }
            ngx_str_t value = arguments(cf)[i];
            value.data += entry.key.size();
            value.len -= entry.key.size();
            ngx_int_t time = ngx_parse_time(&value, 0);
            if (time == NGX_ERROR || time == 0) {
                return conf_error(cf, "\"" + std::string(word)
                                          + "\" must be a time greater than 0");
            }
            *entry.target = static_cast<ngx_msec_t>(time);
            read = true;
        }
        if (!read) {
            return conf_error(cf,
                              "unknown parameter \"" + std::string(word)
                                  + "\"; write connect=, verify= or settle= "
                                    "and a time");
        }
    }
    return NGX_CONF_OK;
}

char *set_facilitator_header(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    const ngx_str_t *words = arguments(cf);
    RequestHeader header;
    auto is_operation = [](std::string_view word) {
        return word == "verify" || word == "settle" || word == "supported";
    };

    if (cf->args->nelts == 4) {
        header.only = copy(words[1]);
        if (!is_operation(header.only)) {
            return conf_error(cf,
                              "unknown operation \"" + header.only
                                  + "\"; write verify, settle or supported, "
                                    "or quote a value with blanks");
        }
    } else if (is_operation(view(words[1]))) {
        return conf_error(cf, "the value is missing; write \"" + copy(words[1])
                                  + " name value\"");
    }
    header.name = copy(words[cf->args->nelts - 2]);
    header.value = copy(words[cf->args->nelts - 1]);
    std::string error = validate_header(header);
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    if (lcf->facilitator_headers == nullptr) {
        lcf->facilitator_headers = pool_new<RequestHeaders>(cf->pool);
        if (lcf->facilitator_headers == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    lcf->facilitator_headers->push_back(std::move(header));
    return NGX_CONF_OK;
}

char *set_facilitator_auth(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->facilitator_auth != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto kind = auth_kind(view(arguments(cf)[1]));
    if (!kind) {
        return conf_error(cf,
                          "unknown kind \"" + copy(arguments(cf)[1])
                              + "\"; write bearer, cdp or payai and a file");
    }
    FacilitatorAuth *auth = read_key_file(cf, *kind, arguments(cf)[2]);
    if (auth == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->facilitator_auth = auth;
    return NGX_CONF_OK;
}

constexpr std::size_t kLongestPasswordFile = 1024;

// False: an error was printed.
bool read_password(ngx_conf_t *cf, std::string_view path,
                   FacilitatorProxy &proxy)
{
    ngx_str_t file = pool_copy(cf->pool, path);
    SecretText secret;
    if (file.data == nullptr
        || read_secret_file(cf, file, kLongestPasswordFile, secret)
               != NGX_CONF_OK) {
        return false;
    }
    auto password = read_proxy_password(secret.view());
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
    auto user = [&](std::string_view value) {
        proxy.user = std::string(value);
        return read_if(!value.empty()
                       && value.find(':') == std::string_view::npos);
    };
    auto password = [&](std::string_view path) {
        return path.empty()                     ? WordRead::bad
               : read_password(cf, path, proxy) ? WordRead::good
                                                : WordRead::reported;
    };
    if (!read_words(cf, 2, {{"user=", user}, {"password=", password}},
                    "user=name and password=file")) {
        return false;
    }
    if (proxy.user.empty() != (proxy.password == nullptr)) {
        conf_error(cf, "user= and password=file go together; write both");
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

char *set_verify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *result = ngx_http_x402_set_word(cf, cmd, conf);
    auto *lcf = location_conf(conf);
    if (result != NGX_CONF_OK || lcf->verify == NGX_HTTP_X402_VERIFY_REMOTE) {
        return result;
    }
    lcf->verify_used = record_setting(
        cf,
        "x402_verify has no effect: the payments that it is written for are "
        "settled before the content, or are verified by the facilitator in "
        "any case because of rules about payers, or, with local and "
        "trusted, because they are not on an EVM network; remove it");
    return lcf->verify_used ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

// What each request for the same resource has in common.
bool is_of_resource(std::string_view name)
{
    constexpr std::string_view kNames[] = {
        "host",           "server_name",     "server_port",   "server_addr",
        "scheme",         "request_uri",     "uri",           "document_uri",
        "request_method", "hostname",        "nginx_version", "https",
        "document_root",  "server_protocol", "request",       "args",
        "query_string",   "x402_offer",
    };
    return std::find(std::begin(kNames), std::end(kNames), name)
           != std::end(kNames);
}

// Empty when a payment is about to be read. The offer has been made by then,
// and the body was read; location_check sees to that.
bool is_late_for_key(std::string_view name)
{
    return is_known_late(name) && name != "x402_offer"
           && name.substr(0, 10) != "x402_body_";
}

// Money: signatures are public once they are settled.
char *set_redeliver_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *result = ngx_http_set_complex_value_slot(cf, cmd, conf);
    std::string_view value = view(arguments(cf)[1]);
    auto names = variables_in(value);
    auto late = std::find_if(names.begin(), names.end(), is_late_for_key);
    if (late != names.end()) {
        return conf_error(cf, "x402_redeliver_key is evaluated before the "
                              "payment is read, when $"
                                  + *late
                                  + " is empty; write a value that only its "
                                    "client has, such as $remote_addr or "
                                    "$http_authorization");
    }
    if (result != NGX_CONF_OK || value.empty()
        || !std::all_of(names.begin(), names.end(), is_of_resource)) {
        return result;
    }
    return conf_error(
        cf, "x402_redeliver_key \"" + std::string(value)
                + "\" is the same for every client: anyone that sees a payment "
                  "on the chain could have its content; write what only its "
                  "client has, such as $remote_addr or $http_authorization");
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_facilitator(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_facilitator, conf);
}

char *ngx_http_x402_set_facilitator_timeout(ngx_conf_t *cf, ngx_command_t *,
                                            void *conf)
{
    return config_guarded(cf, set_facilitator_timeout, conf);
}

char *ngx_http_x402_set_facilitator_header(ngx_conf_t *cf, ngx_command_t *,
                                           void *conf)
{
    return config_guarded(cf, set_facilitator_header, conf);
}

char *ngx_http_x402_set_trusted_certificate(ngx_conf_t *cf, ngx_command_t *,
                                            void *conf)
{
    auto body = [](ngx_conf_t *c, void *lcf_data) -> char * {
        auto *lcf = location_conf(lcf_data);
        if (lcf->trusted_certificate.data != nullptr) {
            return const_cast<char *>("is duplicate");
        }
        ngx_str_t file = arguments(c)[1];
        if (ngx_conf_full_name(c->cycle, &file, 1) != NGX_OK) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
        ngx_file_info_t info;
        if (ngx_file_info(file.data, &info) == NGX_FILE_ERROR
            || !ngx_is_file(&info)) {
            return conf_error(c, "cannot read certificates from \"" + copy(file)
                                     + "\"; write the path of a PEM file");
        }
        lcf->trusted_certificate = file;
        return NGX_CONF_OK;
    };
    return config_guarded(cf, body, conf);
}

char *ngx_http_x402_set_facilitator_auth(ngx_conf_t *cf, ngx_command_t *,
                                         void *conf)
{
    return config_guarded(cf, set_facilitator_auth, conf);
}

char *ngx_http_x402_set_facilitator_proxy(ngx_conf_t *cf, ngx_command_t *,
                                          void *conf)
{
    return config_guarded(cf, set_facilitator_proxy, conf);
}

char *ngx_http_x402_set_verify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return set_verify(cf, cmd, conf); });
}

char *ngx_http_x402_set_redeliver_key(ngx_conf_t *cf, ngx_command_t *cmd,
                                      void *conf)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return set_redeliver_key(cf, cmd, conf); });
}
