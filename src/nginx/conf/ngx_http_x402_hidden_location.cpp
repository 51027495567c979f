// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_hidden_location.hpp"

namespace x402 {

namespace {

// nginx: the configurations of other modules are private to them. What is read
// of each is its first member, which has not changed since nginx 1.0; nullptr:
// the module is not part of this nginx.
template <class First>
const First *first_member(ngx_conf_t *cf, void **loc_conf,
                          std::string_view module_name)
{
    for (ngx_uint_t i = 0; cf->cycle->modules[i]; i++) {
        const ngx_module_t *module = cf->cycle->modules[i];
        if (module->type == NGX_HTTP_MODULE
            && std::string_view(module->name) == module_name) {
            return static_cast<const First *>(loc_conf[module->ctx_index]);
        }
    }
    return nullptr;
}

bool is_set(const void *pointer)
{
    return pointer != nullptr && pointer != NGX_CONF_UNSET_PTR;
}

bool has_password(ngx_conf_t *cf, void **loc_conf)
{
    using Realm = const ngx_http_complex_value_t *;
    const Realm *realm =
        first_member<Realm>(cf, loc_conf, "ngx_http_auth_basic_module");
    return realm && is_set(*realm)
           && ((*realm)->lengths || view((*realm)->value) != "off");
}

// nginx: ngx_http_access_rule_t, of IPv4.
struct AccessRule {
    in_addr_t mask;
    in_addr_t addr;
    ngx_uint_t deny;
};

bool denies_strangers(ngx_conf_t *cf, void **loc_conf)
{
    using Rules = const ngx_array_t *;
    const Rules *rules =
        first_member<Rules>(cf, loc_conf, "ngx_http_access_module");
    if (rules == nullptr || !is_set(*rules) || (*rules)->nelts == 0
        || (*rules)->size != sizeof(AccessRule)) {
        return false;
    }
    const AccessRule &last =
        static_cast<const AccessRule *>((*rules)->elts)[(*rules)->nelts - 1];
    return last.mask == 0 && last.deny;
}

bool asks_by_subrequest(ngx_conf_t *cf, void **loc_conf)
{
    const auto *uri =
        first_member<ngx_str_t>(cf, loc_conf, "ngx_http_auth_request_module");
    return uri && uri->data != nullptr && uri->len != 0;
}

}  // namespace

bool checks_clients(ngx_conf_t *cf, void **loc_conf)
{
    return has_password(cf, loc_conf) || asks_by_subrequest(cf, loc_conf);
}

Visibility visibility_of(ngx_conf_t *cf, void **loc_conf)
{
    auto *clcf = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    if (clcf->internal) {
        return Visibility::hidden;
    }
    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
        return Visibility::open;  // a payment opens it, too
    }
    if (has_password(cf, loc_conf) || denies_strangers(cf, loc_conf)) {
        return Visibility::hidden;
    }
    return asks_by_subrequest(cf, loc_conf) ? Visibility::by_subrequest
                                            : Visibility::open;
}

bool demands_password(ngx_conf_t *cf)
{
    void **loc_conf = static_cast<ngx_http_conf_ctx_t *>(cf->ctx)->loc_conf;
    auto *clcf = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    return clcf->satisfy != NGX_HTTP_SATISFY_ANY && has_password(cf, loc_conf);
}

}  // namespace x402
