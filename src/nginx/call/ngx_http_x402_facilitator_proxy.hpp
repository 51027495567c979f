// x402_facilitator_proxy as configured; only libcurl can use one.
#ifndef NGX_HTTP_X402_FACILITATOR_PROXY_HPP
#define NGX_HTTP_X402_FACILITATOR_PROXY_HPP

#include <memory>
#include <string>

#include "base/token_signature.hpp"
#include "facilitator/proxy_url.hpp"

namespace x402 {

struct FacilitatorProxy {
    ProxyUrl url;
    std::string user;           // empty: no credentials are sent
    std::string password_path;  // absolute
    // What was in that file when the configuration was read.
    std::shared_ptr<const SecretText> password;

    bool is(const FacilitatorProxy &other) const
    {
        return url.text() == other.url.text() && user == other.user
               && password_path == other.password_path;
    }
};

}  // namespace x402

#endif
