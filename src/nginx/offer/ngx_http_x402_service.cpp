// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_service.hpp"

#include "nginx/core/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

char *set_service(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->service != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *service = pool_new<Service>(cf->pool);
    if (service == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    record_origin(cf, service->origin);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        std::string error = validate_variable("x402_service", word);
        if (error.empty()) {
            error = service->card.read(word);
        }
        if (!error.empty()) {
            return conf_error(cf, "x402_service: " + error);
        }
    }
    if (!(cf->cmd_type & NGX_HTTP_LOC_CONF) && service->card.is_of_location()) {
        return conf_error(cf, "x402_service: path, method, price and list "
                              "belong to one location; write them there");
    }
    // Nothing merges the http level.
    service->resource_members = service->card.resource_members();
    lcf->service = service;
    return NGX_CONF_OK;
}

}  // namespace

void merge_service(LocationConf &conf, const LocationConf &outer)
{
    Service *service = conf.service;
    if (service == nullptr) {
        // Words of one location are not those of a location in it.
        conf.service = outer.service;
        return;
    }
    if (outer.service) {
        service->card.inherit(outer.service->card);
    }
    service->resource_members = service->card.resource_members();
}

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_service(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_service, conf);
}
