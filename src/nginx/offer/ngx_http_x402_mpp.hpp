// SPDX-License-Identifier: Apache-2.0
// x402_mpp of a location: the key of its challenges, and the name of its realm.
#ifndef NGX_HTTP_X402_MPP_HPP
#define NGX_HTTP_X402_MPP_HPP

#include "base/token_signature.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

struct MppConf {
    bool *used = nullptr;  // of one that is written: by a location with a price
    SecretText key;        // empty: that of x402_seal_key
    SecretText previous;   // empty: none
    std::string realm;     // empty: the host of the request
};

// Whether the location takes payments of MPP.
bool has_mpp(const LocationConf &conf);

// By merge, once the keys are. nullptr: it takes none, or has no key.
// Lifetime: `pool`.
const MppConf *find_mpp(ngx_pool_t *pool, const LocationConf &conf,
                        const LocationConf &outer);

// By merge. Empty, or a sentence for the operator.
std::string validate_mpp(const LocationConf &conf);

}  // namespace x402

#endif
