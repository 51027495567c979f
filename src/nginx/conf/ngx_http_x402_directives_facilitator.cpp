// x402_facilitator and how it is reached.
#include "facilitator/request_header.hpp"
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
