// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_mpp.hpp"

#include <algorithm>

namespace x402 {

bool has_mpp(const LocationConf &conf)
{
    return conf.dialects
           && std::any_of(conf.dialects->begin(), conf.dialects->end(),
                          [](const Dialect *dialect) {
                              return dialect->has_challenges();
                          });
}

std::string validate_mpp(const LocationConf &conf)
{
    return conf.mpp == nullptr && has_mpp(conf)
               ? "\"x402_protocol mpp\" needs a key for its challenges; write "
                 "x402_mpp key=file"
               : "";
}

}  // namespace x402
