// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_mpp.hpp"

#include <algorithm>

#include "base/hex_codec.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

// A text of its own: nothing else that is sealed can pass for a challenge.
void make_challenge_key(const SecretText &seal_key, SecretText &out)
{
    Digest key = hmac_sha256(seal_key.view(), "x402_protocol mpp");
    std::string text = hex_encode(key.data(), key.size());
    out.append(text);
    wipe(text);
    wipe(key.data(), key.size());
}

// What is unknown or owed outlives a restart there, or is known to others. Its
// payer comes back with the same challenge, whose key has to be there, too.
bool outlives_made_key(const MainConf &mcf)
{
    return mcf.store || (mcf.zone && has_journal(mcf.zone));
}

}  // namespace

bool has_mpp(const LocationConf &conf)
{
    return conf.dialects
           && std::any_of(conf.dialects->begin(), conf.dialects->end(),
                          [](const Dialect *dialect) {
                              return dialect->has_challenges();
                          });
}

const MppConf *find_mpp(ngx_conf_t *cf, const LocationConf &conf,
                        const LocationConf &outer)
{
    const MppConf *written = conf.mpp_written;
    const SealKeys *keys = conf.seal_keys;
    if (!has_mpp(conf)) {
        return nullptr;
    }
    if (written && !written->key.empty()) {
        return written;
    }
    if (keys == nullptr && outlives_made_key(*main_conf(cf))) {
        return nullptr;
    }
    if (outer.mpp && keys == outer.seal_keys && written == outer.mpp_written) {
        return outer.mpp;
    }
    auto *mpp = pool_new<MppConf>(cf->pool);
    if (mpp == nullptr) {
        return nullptr;
    }
    mpp->realm = written ? written->realm : std::string();
    if (keys == nullptr) {
        mpp->made = add_made_key(cf);
        return mpp->made ? mpp : nullptr;
    }
    make_challenge_key(*keys->keys.front(), mpp->key);
    if (keys->keys.size() > 1) {
        make_challenge_key(*keys->keys.back(), mpp->previous);
    }
    return mpp;
}

std::string validate_mpp(const LocationConf &conf)
{
    return conf.mpp == nullptr && has_mpp(conf)
               ? "\"x402_protocol mpp\" needs a key for its challenges, where "
                 "payments outlive nginx; write x402_seal_key with a file, or "
                 "x402_mpp key=file"
               : "";
}

}  // namespace x402
