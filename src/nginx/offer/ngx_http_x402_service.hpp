// SPDX-License-Identifier: Apache-2.0
// x402_service of a location: what catalogues and manifests show of it.
#ifndef NGX_HTTP_X402_SERVICE_HPP
#define NGX_HTTP_X402_SERVICE_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "protocol/service_card.hpp"

namespace x402 {

struct Service {
    ServiceCard card;
    ConfOrigin origin{};
    std::string resource_members;  // made by merge
};

// Members of the offer's resource object. Lifetime: the configuration.
inline std::string_view service_members(const LocationConf &conf)
{
    return conf.service ? std::string_view(conf.service->resource_members)
                        : std::string_view();
}

// The URL that says how to pay; empty: the default.
inline std::string_view service_help(const LocationConf &conf)
{
    return conf.service ? std::string_view(conf.service->card.help)
                        : std::string_view();
}

// By merge.
void merge_service(LocationConf &conf, const LocationConf &outer);

}  // namespace x402

#endif
