// x402_facilitator_auth: credentials for the facilitator.
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

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

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_facilitator_auth(ngx_conf_t *cf, ngx_command_t *,
                                         void *conf)
{
    return config_guarded(cf, set_facilitator_auth, conf);
}
