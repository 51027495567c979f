// SPDX-License-Identifier: Apache-2.0
// What the servers sell, collected while their locations are merged, for
// x402_manifest. Sources: manifest_list, and manifest_route for the entry of
// one location.
#ifndef NGX_HTTP_X402_MANIFEST_LIST_HPP
#define NGX_HTTP_X402_MANIFEST_LIST_HPP

#include <vector>

#include "nginx/offer/ngx_http_x402_service.hpp"
#include "nginx/reply/ngx_http_x402_document.hpp"
#include "protocol/manifest.hpp"

namespace x402 {

struct SoldLocation {
    const ngx_http_core_srv_conf_t *server;
    void **loc_conf;  // of all modules
    const LocationConf *conf;
    const ServiceCard *card;  // written in it; nullptr: none

    const ngx_http_core_loc_conf_t &core() const
    {
        return *static_cast<const ngx_http_core_loc_conf_t *>(
            loc_conf[ngx_http_core_module.ctx_index]);
    }
};

// In the order of the configuration.
struct SaleList {
    std::vector<SoldLocation> locations;
    std::vector<Manifest *> manifests;
    std::vector<ConfOrigin> origins;  // of the manifests
};

// By merge, for every location. False: no memory.
bool record_location(ngx_conf_t *cf, const LocationConf &conf,
                     const LocationConf &outer);

// When all locations were merged: the text of every manifest. Prints warnings.
// False: no memory.
bool build_manifests(ngx_conf_t *cf, const MainConf &mcf);

// One paid location as a manifest describes it.

bool is_regex(const ngx_http_core_loc_conf_t &core);

// As in OpenAPI; empty: it cannot be said.
std::string path_of(const SoldLocation &sold);

// Each once, without those that are free, or that strangers may not use.
std::vector<std::string> methods_of(ngx_conf_t *cf, const SoldLocation &sold);

// Precondition: the location has an offer. Lifetime: the configuration.
ManifestRoute route_of(ngx_conf_t *cf, const SoldLocation &sold,
                       std::string path);

}  // namespace x402

#endif
