// SPDX-License-Identifier: Apache-2.0
// x402_mpp of a location: the key of its challenges, and the name of its realm.
#ifndef NGX_HTTP_X402_MPP_HPP
#define NGX_HTTP_X402_MPP_HPP

#include "base/secret_memory.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

struct MppConf {
    bool *used = nullptr;  // of one that is written: by a location with a price
    SecretText key;        // empty: that of x402_seal_key, or `made`
    SecretText previous;   // empty: none
    std::string realm;     // empty: the host of the request
    const ngx_shm_zone_t *made = nullptr;  // has the key, if none is written
};

// Whether the location takes payments of MPP.
bool has_mpp(const LocationConf &conf);

// By merge, once the keys are. nullptr: it takes none, or has no key.
// Lifetime: the configuration.
const MppConf *find_mpp(ngx_conf_t *cf, const LocationConf &conf,
                        const LocationConf &outer);

// By merge. Empty, or a sentence for the operator.
std::string validate_mpp(const LocationConf &conf);

}  // namespace x402

#endif
